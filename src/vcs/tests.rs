use std::process::Command;

use super::*;

/// Runs git as nobody in particular.
fn git(dir: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(dir).args(["-c", "user.name=n", "-c", "user.email=e@x"]).args(args);
    let output = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn question(directory: &Path) -> Question {
    Question {
        directory: directory.to_path_buf(),
        info: true,
        environment: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
        ..Question::default()
    }
}

fn ask(question: Question) -> Option<Origin> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(question.ask())
}

#[test]
fn a_repository_tells_commit_source_and_path() {
    let dir = tempfile::tempdir().unwrap();
    let sub = dir.path().join("sub");
    std::fs::create_dir(&sub).unwrap();
    std::fs::write(sub.join("Dockerfile"), "FROM scratch\n").unwrap();
    git(dir.path(), &["init", "-q", "-b", "main"]);
    // No commit yet, and no remote.
    assert_eq!(ask(question(&sub)), Some(Origin::default()));

    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-q", "-m", "one"]);
    git(dir.path(), &["remote", "add", "origin", "https://me:hunter2@git.example/o/r.git"]);
    let asked =
        Question { dockerfile: Some(sub.join("Dockerfile")), check_dirty: true, ..question(&sub) };
    let origin = ask(asked.clone()).unwrap();
    let revision = origin.revision.clone().unwrap();
    assert!(revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit()), "{revision}");
    assert_eq!(origin.source.as_deref(), Some("https://git.example/o/r.git"));
    assert_eq!(origin.entry_point.as_deref(), Some("sub/Dockerfile"));
    assert_eq!(origin.labels().len(), 3);

    std::fs::write(sub.join("new"), "").unwrap();
    assert_eq!(ask(asked.clone()).unwrap().revision, Some(format!("{revision}-dirty")));
    let quick = Question { check_dirty: false, ..asked };
    assert_eq!(ask(quick.clone()).unwrap().revision, Some(revision));
    assert_eq!(ask(Question { info: false, ..quick }), None);
}

#[test]
fn the_branchs_own_remote_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "-b", "main"]);
    git(dir.path(), &["remote", "add", "upstream", "git@git.example:up.git"]);
    let source = || ask(question(dir.path())).unwrap().source;
    assert_eq!(source().as_deref(), Some("git@git.example:up.git"));
    git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "one"]);
    git(dir.path(), &["remote", "add", "mine", "ssh://git:pw@git.example/mine"]);
    git(dir.path(), &["config", "branch.main.remote", "mine"]);
    git(dir.path(), &["config", "branch.main.merge", "refs/heads/main"]);
    let source = source().unwrap();
    assert!(source.ends_with("git.example/mine") && !source.contains("pw"), "{source}");
}

#[test]
fn no_repository_and_no_git_are_no_error() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(ask(question(dir.path())), None);
    let no_git =
        Question { environment: vec![("PATH".into(), "/nowhere".into())], ..question(dir.path()) };
    git(dir.path(), &["init", "-q"]);
    assert_eq!(ask(no_git), None);
}

#[test]
fn the_repository_starts_no_programs() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "-b", "main"]);
    git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "one"]);
    let ran = dir.path().join("ran");
    let hook = format!("touch {}; false", ran.display());
    for key in ["core.fsmonitor", "core.pager", "gpg.program", "core.sshCommand"] {
        git(dir.path(), &["config", key, &hook]);
    }
    ask(Question { check_dirty: true, ..question(dir.path()) }).unwrap();
    assert!(!ran.exists());
}
