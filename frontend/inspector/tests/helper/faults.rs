//! What cannot be done is an error: exit code 1, one line, no report.

use std::fs;
use std::process::{Command, Output};

use crate::support::{self, Tree, in_namespace, skip_without_root};

fn refused(tree: &Tree, output: &Output, part: &str) {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(message.contains(part), "{message}");
    assert!(!tree.report_path().exists());
    assert!(output.stdout.is_empty());
}

#[test]
fn what_is_known_of_lower_layers_has_to_arrive() {
    let tree = Tree::new();
    let output =
        support::inspect(["--before".as_ref(), "--layer".as_ref(), tree.root().as_os_str()], None);
    refused(&tree, &output, "cannot read what is known of lower layers");
}

#[test]
fn an_immutable_file_is_an_error() {
    skip_without_root!();
    let tree = Tree::new();
    let su = tree.file("bin/su", 0o4755);
    let chattr = |flag: &str| Command::new("chattr").arg(flag).arg(&su).status();
    if !chattr("+i").is_ok_and(|status| status.success()) {
        eprintln!("skipped: no immutable attribute on this file system");
        return;
    }
    let output = tree.run(&[]);
    chattr("-i").unwrap();
    refused(&tree, &output, "/bin/su: Operation not permitted");
    assert_eq!(tree.mode("bin/su"), 0o4755);
}

#[test]
fn a_read_only_root_is_an_error_only_when_something_is_to_go() {
    skip_without_root!();
    let script = "mount --bind \"$ROOT\" \"$ROOT\" && mount -o remount,ro,bind \"$ROOT\" && exec \"$HELPER\" strip --root \"$ROOT\" --report \"$REPORT\"";
    let tree = Tree::new();
    tree.file("bin/plain", 0o755);
    let Some(output) = in_namespace(&tree, script) else { return };
    assert!(output.status.success(), "{output:?}");
    fs::remove_file(tree.report_path()).unwrap();
    tree.file("bin/su", 0o4755);
    let Some(output) = in_namespace(&tree, script) else { return };
    refused(&tree, &output, "/bin/su: Read-only file system");
}

#[test]
fn something_mounted_inside_is_an_error_and_is_not_touched() {
    skip_without_root!();
    let other = Tree::new();
    let victim = other.file("su", 0o4755);
    let strip = "exec \"$HELPER\" strip --root \"$ROOT\" --report \"$REPORT\"";

    let tree = Tree::new();
    tree.dir("mnt", 0o755);
    let script = format!("mount --bind '{}' \"$ROOT/mnt\" && {strip}", other.root().display());
    let Some(output) = in_namespace(&tree, &script) else { return };
    refused(&tree, &output, "mounted on /mnt");

    let tree = Tree::new();
    tree.file("su", 0o755);
    let script = format!("mount --bind '{}' \"$ROOT/su\" && {strip}", victim.display());
    let Some(output) = in_namespace(&tree, &script) else { return };
    refused(&tree, &output, "mounted on /su");
    assert_eq!(other.mode("su"), 0o4755);
}

#[test]
fn an_unreadable_directory_is_an_error() {
    skip_without_root!();
    let tree = Tree::new();
    tree.file("secret/su", 0o4755);
    // Root without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, as in a hardened engine.
    let script = "exec setpriv --bounding-set -dac_override,-dac_read_search --inh-caps -dac_override,-dac_read_search \"$HELPER\" strip --root \"$ROOT\" --report \"$REPORT\"";
    tree.dir("secret", 0o000);
    let Some(output) = in_namespace(&tree, script) else { return };
    if String::from_utf8_lossy(&output.stderr).contains("setpriv") {
        eprintln!("skipped: no setpriv");
        return;
    }
    refused(&tree, &output, "cannot open /secret: Permission denied");
}

#[test]
fn dangerous_arguments_are_refused() {
    let tree = Tree::new();
    let run = |root: &str, report: &str| {
        Command::new(env!("CARGO_BIN_EXE_cofferdam-inspector"))
            .args(["strip", "--root", root, "--report", report])
            .output()
            .unwrap()
    };
    let root = tree.root().display().to_string();
    for (root, report, part) in [
        ("/", "/tmp/report.json", "not an image"),
        (root.as_str(), format!("{root}/report.json").as_str(), "within the root"),
        (root.as_str(), "/nonexistent/report.json", "No such file"),
        ("/nonexistent", "/tmp/report.json", "No such file"),
    ] {
        let output = run(root, report);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(fs::read_dir(tree.root()).unwrap().count(), 0);
}
