//! fsutil's own tables for filtered walks.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    super::{MemoryEntry, MemoryTree, filter::Filter, patternmatcher::PatternMatcher},
    context,
    receiver::receive,
    tree,
};

/// Lists what is sent of a tree under some patterns, and checks it.
async fn check(dir: &tempfile::TempDir, metadata: &[(&'static str, &str)], want: &[&str]) {
    let received = receive(&context(dir.path()), "context", metadata).await.unwrap();
    assert_eq!(received.lines(), want, "{metadata:?}");
}

const INCLUDE: &str = "include-patterns";
const EXCLUDE: &str = "exclude-patterns";
const FOLLOW: &str = "followpaths";

#[tokio::test]
async fn includes() {
    let dir = tree(&["ADD bar dir", "ADD bar/foo file", "ADD foo2 file"]);
    let bar = ["dir bar", "file bar/foo"];
    for pattern in ["bar", "bar/foo", "b*", "bar/f*", "b*/f*", "b*/foo", "b*/"] {
        check(&dir, &[(INCLUDE, pattern)], &bar).await;
    }
    check(&dir, &[(INCLUDE, "bar/g*")], &[]).await;
    check(&dir, &[(INCLUDE, "f*")], &["file foo2"]).await;
    // A list of nothing but blanks lets nothing in.
    check(&dir, &[(INCLUDE, "")], &[]).await;
}

#[tokio::test]
async fn excludes_with_exceptions() {
    let dir = tree(&["ADD bar file", "ADD foo dir", "ADD foo2 file", "ADD foo/bar2 file"]);
    check(
        &dir,
        &[(EXCLUDE, "foo*"), (EXCLUDE, "!foo/bar2")],
        &["file bar", "dir foo", "file foo/bar2"],
    )
    .await;
    check(&dir, &[(EXCLUDE, "foo*")], &["file bar"]).await;
    check(&dir, &[(EXCLUDE, "**")], &[]).await;
    check(&dir, &[(EXCLUDE, "*"), (EXCLUDE, "!**/bar2")], &["dir foo", "file foo/bar2"]).await;
    // An exception that lets nothing in does not bring its directory back.
    check(&dir, &[(EXCLUDE, "foo"), (EXCLUDE, "!foo/none")], &["file bar", "file foo2"]).await;
}

#[tokio::test]
async fn nested_exceptions() {
    let dir = tree(&[
        "ADD foo dir",
        "ADD foo/bar dir",
        "ADD foo/bar/baz dir",
        "ADD foo/bar/baz/x file",
        "ADD foo/bar/baz/y file",
    ]);
    let patterns = [
        (EXCLUDE, "foo"),
        (EXCLUDE, "!foo/bar"),
        (EXCLUDE, "foo/bar/baz"),
        (EXCLUDE, "!foo/bar/baz/x"),
    ];
    check(&dir, &patterns, &["dir foo", "dir foo/bar", "dir foo/bar/baz", "file foo/bar/baz/x"])
        .await;
}

#[tokio::test]
async fn double_stars() {
    let dir = tree(&[
        "ADD a dir",
        "ADD a/b dir",
        "ADD a/b/baz dir",
        "ADD a/b/bar dir",
        "ADD a/b/bar/foo file",
        "ADD a/b/bar/fop file",
        "ADD bar dir",
        "ADD bar/foo file",
        "ADD baz dir",
        "ADD foo2 file",
        "ADD foo dir",
        "ADD foo/bar dir",
        "ADD foo/bar/bee file",
    ]);
    let a_bar = ["dir a", "dir a/b", "dir a/b/bar", "file a/b/bar/foo"];
    let a_fop = "file a/b/bar/fop";
    let a_baz = "dir a/b/baz";
    let bar = ["dir bar", "file bar/foo"];
    let foo = ["dir foo", "dir foo/bar", "file foo/bar/bee"];
    let lists: &[(&str, Vec<&str>)] = &[
        ("**", [&a_bar[..], &[a_fop, a_baz], &bar, &["dir baz"], &foo, &["file foo2"]].concat()),
        ("**/bar", [&a_bar[..], &[a_fop], &bar, &foo].concat()),
        ("**/bar/foo", [&a_bar[..], &bar].concat()),
        ("**/b*", [&a_bar[..], &[a_fop, a_baz], &bar, &["dir baz"], &foo].concat()),
        ("**/bar/f*", [&a_bar[..], &[a_fop], &bar].concat()),
        ("**/bar/g*", vec![]),
        ("**/f*", [&a_bar[..], &[a_fop], &bar, &foo, &["file foo2"]].concat()),
        ("**/b*/f*", [&a_bar[..], &[a_fop], &bar].concat()),
        ("**/b*/foo", [&a_bar[..], &bar].concat()),
        ("**/foo/**", foo.to_vec()),
        ("**/baz", vec!["dir a", "dir a/b", a_baz, "dir baz"]),
    ];
    for (pattern, want) in lists {
        check(&dir, &[(INCLUDE, pattern)], want).await;
    }
}

#[tokio::test]
async fn followed_paths_bring_their_targets() {
    let dir = tree(&[
        "ADD bar file",
        "ADD foo dir",
        "ADD foo/l1 symlink /baz/one",
        "ADD foo/l2 symlink /baz/two",
        "ADD baz dir",
        "ADD baz/one file",
        "ADD baz/two symlink ../bax",
        "ADD bax file",
        "ADD bay file",
    ]);
    let want = [
        "file bar",
        "file bax",
        "dir baz",
        "file baz/one",
        "symlink:../bax baz/two",
        "dir foo",
        "symlink:/baz/one foo/l1",
        "symlink:/baz/two foo/l2",
    ];
    check(&dir, &[(FOLLOW, "foo/l*"), (FOLLOW, "bar")], &want).await;
    check(&dir, &[(FOLLOW, "bay"), (EXCLUDE, "bay")], &[]).await;
}

#[tokio::test]
async fn a_link_to_the_root_brings_everything() {
    let dir = tree(&[
        "ADD foo symlink .",
        "ADD bar file",
        "ADD bax file",
        "ADD bay dir",
        "ADD bay/baz file",
    ]);
    let all = ["file bar", "file bax", "dir bay", "file bay/baz", "symlink:. foo"];
    check(&dir, &[(FOLLOW, "foo")], &all).await;
}

#[tokio::test]
async fn encoded_patterns() {
    let dir = tree(&["ADD caf\u{e9} file", "ADD other file"]);
    let metadata = [(EXCLUDE, "caf%C3%A9"), ("exclude-patterns-encoded", "1")];
    check(&dir, &metadata, &["file other"]).await;
}

/// What is sent of an in-memory tree under some patterns.
fn sent(files: &BTreeSet<String>, include: &[String], exclude: &[String]) -> BTreeSet<String> {
    let entries = files.iter().map(|path| MemoryEntry::file(path, 0o644, Vec::new())).collect();
    let filter = Filter::new(include, exclude).unwrap();
    let mut sent = BTreeSet::new();
    MemoryTree::new(entries)
        .unwrap()
        .walk(&filter, &mut |entry| {
            let path = String::from_utf8(entry.stat.path).unwrap();
            assert!(parent(&path).is_none_or(|dir| sent.contains(dir)), "{path} before its parent");
            sent.insert(path);
            Ok(())
        })
        .unwrap();
    sent
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(dir, _)| dir)
}

/// Source: fsutil, filter.go, `patternWithoutTrailingGlob`.
#[test]
fn two_wildcards_at_the_end_open_one_directory_as_in_fsutil() {
    let files = ["ab/a/fa".to_string()].into();
    assert!(sent(&files, &["ab/*/**".into()], &[]).intersection(&files).next().is_none());
    assert!(sent(&files, &["ab/**".into()], &[]).contains("ab/a/fa"));
}

proptest! {
    /// Pruning is only ever an optimisation: file by file, the patterns alone decide. But for
    /// `a/*/**`: fsutil takes both wildcards for one there, and so do we.
    #[test]
    fn pruning_never_changes_what_is_sent(
        files in prop::collection::btree_set("[ab]{1,2}/[ab]{1,2}/f[ab]|[ab]{1,2}/g[ab]|h[ab]", 1..12),
        include in prop::collection::vec("[ab*]{1,2}(/[abf*]{1,2}){0,2}|\\*\\*/[abfg*]{1,2}|[ab]/\\*\\*", 0..3),
        exclude in prop::collection::vec("[ab*]{1,2}(/[abf*]{1,2}){0,2}|\\*\\*/[abfg*]{1,2}|[ab]/\\*\\*", 0..3),
        exception in prop::option::of("!([ab]{1,2}/[ab]{1,2}/f[ab]|\\*\\*/f[ab])"),
    ) {
        prop_assume!(!include.iter().chain(&exclude).any(|pattern| pattern.ends_with("*/**")));
        let mut excludes = exclude.clone();
        excludes.extend(exception);
        let (included, excluded) =
            (PatternMatcher::new(&include).unwrap(), PatternMatcher::new(&excludes).unwrap());
        let mut want = BTreeSet::new();
        for path in &files {
            let inside = include.is_empty() || included.matches_or_parent_matches(path.as_bytes()).unwrap();
            if inside && !excluded.matches_or_parent_matches(path.as_bytes()).unwrap() {
                want.insert(path.clone());
            }
        }
        let got = sent(&files, &include, &excludes);
        let got_files: BTreeSet<String> = got.intersection(&files).cloned().collect();
        prop_assert_eq!(got_files, want);
    }
}
