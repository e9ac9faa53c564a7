//! fsutil's own tables for followed paths.

use super::{
    super::{follow::follow_links, root::Root},
    tree,
};

fn check(dir: &tempfile::TempDir, paths: &[&str], want: Option<&[&str]>) {
    let root = Root::open(dir.path()).unwrap();
    let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
    let got = follow_links(&root, &paths).unwrap();
    assert_eq!(
        got.as_ref().map(|paths| paths.iter().map(String::as_str).collect::<Vec<_>>()).as_deref(),
        want,
        "{paths:?}"
    );
}

#[test]
fn chains() {
    let dir = tree(&[
        "ADD dir dir",
        "ADD dir/foo file contents",
        "ADD dir/l1 symlink foo",
        "ADD l2 symlink dir/l1",
        "ADD bar file",
        "ADD baz file",
    ]);
    check(&dir, &["l2", "bar"], Some(&["bar", "dir/foo", "dir/l1", "l2"]));
}

#[test]
fn loops_end() {
    let dir = tree(&["ADD l1 symlink l1", "ADD l3 symlink l2", "ADD l2 symlink l3"]);
    check(&dir, &["l1", "l3"], Some(&["l1", "l2", "l3"]));
}

#[test]
fn absolute_and_escaping_links_stay_inside() {
    for up in ["../", "../../../"] {
        let up = format!("ADD foo/bar symlink {up}");
        let dir = tree(&[
            "ADD dir dir",
            "ADD dir/l1 symlink /foo/bar/baz",
            "ADD foo dir",
            &up,
            "ADD baz file",
        ]);
        check(&dir, &["dir/l1"], Some(&["baz", "dir/l1", "foo/bar"]));
    }
}

#[test]
fn missing_paths_are_kept() {
    let dir = tree(&[]);
    check(&dir, &["foo/bar/baz", "bar/baz"], Some(&["bar/baz", "foo/bar/baz"]));
    check(&dir, &["."], None);
    check(&dir, &["f*/foo/t*"], Some(&["f*/foo/t*"]));
}

#[test]
fn results_are_normalized() {
    let dir = tree(&[]);
    check(&dir, &["foo/bar/baz", "foo/bar"], Some(&["foo/bar"]));
    let dir = tree(&[
        "ADD dir dir",
        "ADD dir/l1 symlink /foo",
        "ADD dir/l2 symlink /",
        "ADD foo dir",
        "ADD foo/bar file",
    ]);
    check(&dir, &["dir/l1", "foo/bar"], Some(&["dir/l1", "foo"]));
    check(&dir, &["dir/l2", "foo", "foo/bar"], None);
}

#[test]
fn wildcards_resolve_each_match() {
    let dir = tree(&[
        "ADD dir dir",
        "ADD foo dir",
        "ADD dir/l1 symlink /foo/bar1",
        "ADD dir/l2 symlink /foo/bar2",
        "ADD dir/anotherlink symlink /foo/bar3",
        "ADD foo/bar2 symlink ../baz",
        "ADD foo/bar1 file",
        "ADD foo/bar3 file",
        "ADD baz file",
    ]);
    check(&dir, &["dir/l*"], Some(&["baz", "dir/l*", "foo/bar1", "foo/bar2"]));
    check(&dir, &["dir"], Some(&["dir"]));
    check(&dir, &["dir", "dir/*link"], Some(&["dir", "foo/bar3"]));
}
