//! What is a repository's address, and what it says.

use super::*;

fn git(text: &str) -> GitContext {
    GitContext::parse(text).unwrap().unwrap()
}

fn problem(text: &str) -> String {
    GitContext::parse(text).unwrap().unwrap_err().to_string()
}

#[test]
fn repositories_are_told_from_directories_and_downloads() {
    for (text, remote, place) in [
        ("https://h/a/b.git", "https://h/a/b.git", "h/a/b.git"),
        ("http://u:p@h:8080/b.git", "http://u:p@h:8080/b.git", "h:8080/b.git"),
        ("git://h/b", "git://h/b", "h/b"),
        ("ssh://git@h:22/b", "ssh://git@h:22/b", "h:22/b"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git", "github.com/a/b.git"),
        ("github.com/a/b", "https://github.com/a/b", "github.com/a/b"),
    ] {
        let git = git(text);
        assert_eq!((git.remote.as_str(), git.place().as_str()), (remote, place), "{text}");
    }
    for text in [
        "https://h/a.tar.gz",
        ".",
        "./git@h:x",
        "a/b.git",
        "dir",
        "C:\\x",
        "ftp://h/a.git",
        "",
        "-",
        "a@b",
        "https://",
        "user@host:",
    ] {
        assert!(GitContext::parse(text).is_none(), "{text}");
    }
}

#[test]
fn fragments_and_queries_say_the_same() {
    let fragment = git("https://h/a.git#main:docs/x");
    assert_eq!(fragment.reference.as_deref(), Some("main"));
    assert_eq!(fragment.subdir.as_deref(), Some("docs/x"));
    assert_eq!(git("https://h/a.git?ref=main&subdir=docs%2Fx"), fragment);
    assert_eq!(git("https://h/a.git?tag=v1").reference.as_deref(), Some("refs/tags/v1"));
    assert_eq!(git("https://h/a.git?branch=b").reference.as_deref(), Some("refs/heads/b"));
    assert_eq!(git("https://h/a.git#:x").reference, None);
    assert_eq!(git("https://h/a.git#main:/").subdir, None);
    let flags = git("https://h/a.git?keep-git-dir&submodules=0&commit=0123ABC");
    assert!(flags.keep_git_dir && !flags.submodules);
    assert_eq!(flags.commit.as_deref(), Some("0123abc"));
}

#[test]
fn what_contradicts_itself_is_an_error() {
    assert!(problem("https://h/a.git?ref=a#b").contains("ref conflicts"));
    assert!(problem("https://h/a.git?tag=a&branch=b").contains("branch conflicts with tag"));
    assert!(problem("https://h/a.git?ref=a&ref=b").contains("multiple values"));
    assert!(problem("https://h/a.git?ref").contains("no value"));
    assert!(problem("https://h/a.git?nonsense=1").contains("unexpected query"));
    assert!(problem("https://h/a.git?submodules=perhaps").contains("invalid submodules"));
    assert!(problem("https://h/a.git?commit=xyz").contains("no commit"));
    assert!(problem("https://h/a.git?ref=%zz").contains("escape"));
    assert!(problem("https://h/a.git#main:../x").contains("leaves the repository"));
    assert!(!problem("https://u:secret@h/a.git?ref").contains("secret"));
}

#[test]
fn only_a_whole_commit_is_fixed() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    assert_eq!(git(&format!("https://h/a.git#{id}")).fixed_commit(), Some(id));
    assert_eq!(git(&format!("https://h/a.git?commit={id}")).fixed_commit(), Some(id));
    // The reference decides; the commit is what it must turn out to be.
    assert_eq!(git(&format!("https://h/a.git?commit={id}#main")).fixed_commit(), None);
    assert_eq!(git("https://h/a.git#0123456").fixed_commit(), None);
}

#[test]
fn a_commit_can_be_fetched_whatever_the_reference_names() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    let by_commit = git(&format!("https://h/a.git?fetch-by-commit&commit={id}#main"));
    assert_eq!(by_commit.fixed_commit(), Some(id));
    assert!(problem("https://h/a.git?fetch-by-commit=1").contains("whole commit"));
    assert!(problem("https://h/a.git?fetch-by-commit&commit=0123456").contains("whole commit"));
    assert!(!git("https://h/a.git?fetch-by-commit=0&mtime=checkout").commit_times);
    assert!(git("https://h/a.git?mtime=commit").commit_times);
    assert!(problem("https://h/a.git?mtime=now").contains("invalid mtime"));
}

#[test]
fn the_host_is_known() {
    for (text, host, port) in [
        ("git@h.example:a/b.git", "h.example", None),
        ("ssh://git@h:2222/b", "h", Some(2222)),
        ("ssh://h/b", "h", None),
        ("ssh://git@[::1]:22/b", "::1", Some(22)),
        ("https://u:p@h/a.git", "h", None),
    ] {
        assert_eq!(git(text).host(), (host.to_string(), port), "{text}");
    }
}

#[test]
fn credentials_are_not_shown() {
    let git = git("https://u:secret@h/a.git#main:d");
    assert_eq!(git.shown(), "https://h/a.git#main:d");
    assert!(!git.place().contains("secret"));
}

proptest::proptest! {
    #[test]
    fn arbitrary_text_never_panics(text: String) {
        if let Some(Ok(git)) = GitContext::parse(&text) {
            let _ = (git.place(), git.shown(), git.is_ssh(), git.host());
        }
    }

    #[test]
    fn arbitrary_addresses_never_panic(text in "(https|ssh|git)://[a-z@:/.?#&=%]{0,30}") {
        if let Some(Ok(git)) = GitContext::parse(&text) {
            let _ = (git.place(), git.shown(), git.is_ssh());
        }
    }
}
