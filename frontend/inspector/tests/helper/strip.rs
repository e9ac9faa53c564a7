//! What is removed, what is left, and what the report says.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::support::{NET_RAW, Tree, capability, set_capability, skip_without_root};
use cofferdam_inspector::report::decode_path;

#[test]
fn bits_go_from_files_and_stay_on_directories() {
    skip_without_root!();
    let tree = Tree::new();
    tree.file("bin/su", 0o4755);
    tree.file("bin/wall", 0o2755);
    tree.file("bin/both", 0o7711);
    tree.file("bin/plain", 0o755);
    tree.file("bin/sticky", 0o1644);
    tree.file("bin/locking", 0o2644);
    tree.dir("var/lib/db", 0o2775);
    tree.dir("var/tmp", 0o3777);

    let report = tree.strip(&[]);

    assert_eq!(tree.mode("bin/su"), 0o755);
    assert_eq!(tree.mode("bin/wall"), 0o755);
    assert_eq!(tree.mode("bin/both"), 0o1711, "the sticky bit is not ours");
    assert_eq!(tree.mode("bin/sticky"), 0o1644);
    assert_eq!(tree.mode("bin/locking"), 0o644);
    assert_eq!(tree.mode("var/lib/db"), 0o2775);
    assert_eq!(tree.mode("var/tmp"), 0o3777);
    assert_eq!(report.setgid_dirs, 2);
    let paths: Vec<_> = report.stripped.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["/bin/both", "/bin/locking", "/bin/su", "/bin/wall"]);
    let both = &report.stripped[0];
    assert_eq!((both.mode_before.as_str(), both.mode_after.as_str()), ("7711", "1711"));
    assert!(both.setuid && both.setgid);
    assert_eq!((report.scanned.files, report.scanned.dirs), (6, 6));
}

#[test]
fn a_second_run_finds_nothing() {
    skip_without_root!();
    let tree = Tree::new();
    tree.file("su", 0o4755);
    set_capability(&tree.file("ping", 0o755), &NET_RAW);
    assert_eq!(tree.strip(&[]).stripped.len(), 2);
    let again = tree.strip(&[]);
    assert!(again.stripped.is_empty() && again.kept.is_empty() && again.complete);
}

#[test]
fn capabilities_go_or_are_reported_as_kept() {
    skip_without_root!();
    let tree = Tree::new();
    let ping = tree.file("bin/ping", 0o755);
    let both = tree.file("bin/both", 0o4755);
    set_capability(&ping, &NET_RAW);
    set_capability(&both, &NET_RAW);

    let report = tree.strip(&["--keep-capabilities"]);
    assert_eq!(report.stripped.len(), 1);
    assert_eq!(report.stripped[0].capabilities, None);
    let kept: Vec<_> = report
        .kept
        .iter()
        .map(|entry| (entry.path.as_str(), entry.capabilities.as_deref(), entry.setuid))
        .collect();
    let text = Some("cap_net_raw=ep");
    assert_eq!(kept, [("/bin/both", text, false), ("/bin/ping", text, false)]);
    assert_eq!(tree.mode("bin/both"), 0o755);
    assert!(capability(&both).is_some());

    let report = tree.strip(&[]);
    assert_eq!(report.stripped.len(), 2);
    assert_eq!(report.stripped[1].capabilities.as_deref(), text);
    assert_eq!(report.stripped[1].mode_before, report.stripped[1].mode_after);
    assert_eq!(capability(&ping), None);
    assert_eq!(capability(&both), None);
}

#[test]
fn every_hard_link_is_reported_and_clean() {
    skip_without_root!();
    let tree = Tree::new();
    let su = tree.file("bin/su", 0o4755);
    tree.dir("opt", 0o755);
    fs::hard_link(&su, tree.path("opt/alias")).unwrap();
    fs::hard_link(&su, tree.path("bin/a-third")).unwrap();
    let report = tree.strip(&[]);
    let seen: Vec<_> = report.stripped.iter().map(|e| (e.path.as_str(), e.links)).collect();
    assert_eq!(seen, [("/bin/a-third", 3), ("/bin/su", 3), ("/opt/alias", 3)]);
    assert_eq!(tree.mode("opt/alias"), 0o755);
}

#[test]
fn links_that_lead_out_are_not_followed() {
    skip_without_root!();
    let outside = Tree::new();
    let victim = outside.file("su", 0o4755);
    let tree = Tree::new();
    symlink(&victim, tree.path("su")).unwrap();
    symlink(outside.root(), tree.path("dir")).unwrap();
    let report = tree.strip(&[]);
    assert!(report.stripped.is_empty());
    assert_eq!(outside.mode("su"), 0o4755);

    // Nor is a root that is itself a link.
    let tree = Tree::new();
    symlink(outside.root(), tree.path("link")).unwrap();
    let output = tree.run_on(&tree.path("link"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(outside.mode("su"), 0o4755);
}

#[test]
fn other_kinds_of_file_are_left_alone() {
    skip_without_root!();
    let tree = Tree::new();
    let kinds = [rustix::fs::FileType::CharacterDevice, rustix::fs::FileType::Fifo];
    for (kind, name) in kinds.into_iter().zip(["whiteout", "pipe"]) {
        let mode = rustix::fs::Mode::from_raw_mode(0o4755);
        rustix::fs::mknodat(rustix::fs::CWD, tree.path(name), kind, mode, 0).unwrap();
        fs::set_permissions(tree.path(name), fs::Permissions::from_mode(0o4755)).unwrap();
    }
    assert!(tree.strip(&[]).stripped.is_empty());
    assert_eq!(tree.mode("pipe"), 0o4755);
}

#[test]
fn names_that_are_no_text_survive_in_the_report() {
    skip_without_root!();
    let tree = Tree::new();
    let name = std::ffi::OsStr::from_bytes(b"su\xff\n%");
    let path = tree.root().join(name);
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o4755)).unwrap();
    let report = tree.strip(&[]);
    assert_eq!(report.stripped[0].path, "/su%FF%0A%25");
    assert_eq!(decode_path(&report.stripped[0].path).unwrap(), b"/su\xff\n%");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn paths_beyond_the_limit_of_one_call_are_reached() {
    skip_without_root!();
    let tree = Tree::new();
    let (deep, path) = tree.deep(&"n".repeat(200), 30);
    crate::support::file_at(&deep, "su", 0o4755);
    assert!(path.len() > 4096);
    let report = tree.strip(&[]);
    assert_eq!(report.stripped[0].path, format!("{path}/su"));
    assert_eq!(crate::support::mode_at(&deep, "su"), 0o755);
}

#[test]
fn depth_does_not_use_up_stack_or_descriptors() {
    skip_without_root!();
    let tree = Tree::new();
    let (deep, _) = tree.deep("d", 5000);
    crate::support::file_at(&deep, "su", 0o6755);
    assert_eq!(tree.strip(&[]).stripped.len(), 1);
    assert_eq!(crate::support::mode_at(&deep, "su"), 0o755);
}

#[test]
fn many_waiting_directories_do_not_use_up_descriptors() {
    skip_without_root!();
    let tree = Tree::new();
    for i in 0..1500 {
        tree.file(&format!("a{i}/b/c/su"), 0o4755);
        tree.dir(&format!("a{i}/b2/c/d"), 0o755);
    }
    let report = tree.strip_with_limit(320);
    assert_eq!(report.stripped.len(), 1500);
    assert_eq!(report.scanned.dirs, 1 + 1500 * 6);
}

#[test]
fn kept_files_keep_everything_and_unused_entries_show() {
    skip_without_root!();
    let tree = Tree::new();
    let su = tree.file("usr/bin/su-exec", 0o4755);
    set_capability(&su, &NET_RAW);
    tree.file("usr/bin/su", 0o4755);
    tree.file("usr/bin/plain", 0o755);
    let keep = ["--keep", "//usr/./bin/su-exec", "--keep", "/usr/bin/plain", "--keep", "/gone"];
    let report = tree.strip(&keep);
    assert_eq!(tree.mode("usr/bin/su-exec"), 0o4755);
    assert!(capability(&su).is_some());
    assert_eq!(report.kept.len(), 1);
    let kept = &report.kept[0];
    assert_eq!(kept.path, "/usr/bin/su-exec");
    assert_eq!((kept.mode_before.as_str(), kept.mode_after.as_str()), ("4755", "4755"));
    assert_eq!(kept.capabilities.as_deref(), Some("cap_net_raw=ep"));
    assert_eq!(report.unused_keeps, ["/gone", "/usr/bin/plain"]);
    assert_eq!(tree.mode("usr/bin/su"), 0o755);
}

#[test]
fn keeping_one_of_two_names_is_refused_before_any_change() {
    skip_without_root!();
    let tree = Tree::new();
    let su = tree.file("bin/su", 0o4755);
    fs::hard_link(&su, tree.path("bin/other")).unwrap();
    tree.file("bin/aaa", 0o4755);
    let output = tree.run(&["--keep", "/bin/su"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("/bin/su") && message.contains("/bin/other"), "{message}");
    assert_eq!(tree.mode("bin/aaa"), 0o4755);
    assert!(!tree.report_path().exists());
}

#[test]
fn an_empty_root_is_fine() {
    skip_without_root!();
    let report = Tree::new().strip(&[]);
    assert_eq!((report.scanned.files, report.scanned.dirs), (0, 1));
    assert!(report.stripped.is_empty() && report.complete);
}

#[test]
fn only_affected_files_are_touched_and_their_contents_time_stays() {
    skip_without_root!();
    let tree = Tree::new();
    let su = tree.file("bin/su", 0o4755);
    let plain = tree.file("bin/plain", 0o755);
    let before = [&su, &plain].map(|path| fs::metadata(path).unwrap());
    let root_before = fs::metadata(tree.root()).unwrap();
    tree.strip(&[]);
    let after = [&su, &plain].map(|path| fs::metadata(path).unwrap());
    let root_after = fs::metadata(tree.root()).unwrap();
    assert_eq!(before[0].mtime_nsec(), after[0].mtime_nsec());
    assert_eq!(before[1].ctime_nsec(), after[1].ctime_nsec());
    assert_eq!(before[1].atime_nsec(), after[1].atime_nsec());
    assert_eq!(root_before.mtime_nsec(), root_after.mtime_nsec());
}

#[test]
fn the_report_is_the_same_each_time() {
    skip_without_root!();
    let make = || {
        let tree = Tree::new();
        for i in 0..200 {
            tree.file(&format!("d{}/e{i}/su{i}", i % 7), 0o4755);
        }
        tree.strip(&[]);
        fs::read(tree.report_path()).unwrap()
    };
    assert_eq!(make(), make());
}
