//! `inspect` on real trees: what stands out in layers, and what is gone from them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{self, Tree};
use cofferdam_contents::{Config, Finding, Options, judge};
use cofferdam_inspector::report::before::Before;
use cofferdam_inspector::report::inspection::Inspection;

fn put(tree: &Tree, path: &str, bytes: impl AsRef<[u8]>, mode: u32) {
    let path = tree.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Made up, in parts, so that nothing takes it for somebody's.
fn netrc() -> String {
    format!("machine example.com login me password {}", "Zx81QpLm44")
}

fn inspect(args: &[&Path], layers: usize, below: Option<&Before>) -> Inspection {
    let output = support::inspect(args, below);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("Zx81"));
    Inspection::parse(&output.stdout, layers).unwrap()
}

/// Inspects the two: at once, and one after the other.
fn inspect_two(tree: &Tree, needles: &[&Path]) -> Inspection {
    let (base, top) = (tree.path("base"), tree.path("top"));
    let below: [&Path; 3] = ["--layer".as_ref(), &base, "--base".as_ref()];
    let above: [&Path; 4] = ["--layer".as_ref(), &top, "--over".as_ref(), &base];
    let whole = inspect(&[&below[..], &above, needles].concat(), 2, None);
    let mut parts = inspect(&[&below[..], needles].concat(), 1, None);
    parts.join(inspect(&[&above[..], needles].concat(), 1, Some(&parts.before)));
    parts.sum.spent = whole.sum.spent;
    assert_eq!(parts, whole);
    whole
}

fn found(inspection: &Inspection, base: usize, user: &str) -> Vec<Finding> {
    let config = Config { user: user.into(), ..Config::default() };
    judge(&inspection.contents, base, &config, &Options::default())
}

fn told(findings: &[Finding]) -> Vec<(&str, Option<usize>, String)> {
    let path = |it: &'_ Finding| it.paths.first().map_or("", String::as_str).to_string();
    findings.iter().map(|it| (it.rule, it.layer, path(it))).collect()
}

/// A base, and on it a layer that changes, adds and deletes.
fn two(tree: &Tree) {
    put(tree, "base/etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:9:9::/:/bin/sh\n", 0o644);
    put(tree, "base/usr/bin/su", "x", 0o4755);
    put(tree, "base/usr/bin/kept", "x", 0o4755);
    put(tree, "base/root/.netrc", netrc(), 0o600);
    let copied = Command::new("cp").arg("-al").args([tree.path("base"), tree.path("top")]).status();
    assert!(copied.unwrap().success());
    fs::remove_file(tree.path("top/usr/bin/su")).unwrap();
    put(tree, "top/srv/.netrc", netrc(), 0o600);
    put(tree, "top/srv/open", "x", 0o666);
    put(tree, "top/root/.bash_history", "ls\n", 0o600);
    put(tree, "top/app/.git/HEAD", "ref: refs/heads/main\n", 0o644);
    symlink("nowhere", tree.path("top/bin")).unwrap();
}

#[test]
fn what_stands_out_is_told_by_layer_and_what_is_gone_is_silent() {
    let tree = Tree::new();
    two(&tree);
    let inspection = inspect_two(&tree, &[]);
    let findings = found(&inspection, 1, "app");
    let expected = [
        ("unknown-secret", Some(1), "/srv/.netrc"),
        ("setuid-left", Some(0), "/usr/bin/kept"),
        ("world-writable", Some(1), "/srv/open"),
        ("git-directory", Some(1), "/app/.git"),
        ("shell-history", Some(1), "/root/.bash_history"),
    ];
    let expected = expected.map(|(rule, layer, path)| (rule, layer, path.to_string()));
    assert_eq!(told(&findings), expected);
    assert_eq!(found(&inspection, 1, "somebody")[2].rule, "unknown-user");
}

#[test]
fn with_needles_the_same_is_found() {
    let tree = Tree::new();
    two(&tree);
    let secret = tree.root().with_file_name("secret");
    fs::write(&secret, "tr0ub4dor&3-horse").unwrap();
    put(&tree, "base/leak", "tr0ub4dor&3-horse", 0o644);
    put(&tree, "top/leak", "tr0ub4dor&3-horse", 0o644);
    let without = inspect_two(&tree, &[]);
    let with = inspect_two(&tree, &["--needle".as_ref(), &*secret]);
    assert_eq!(with.contents, without.contents);
    let layers: Vec<usize> = with.leaks.iter().map(|leak| leak.layer).collect();
    assert_eq!(layers, [0, 1]);
}
