//! On an overlay, as in the engine: every name is changed, and nothing else is copied up.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::{NET_RAW, Tree, capability, in_namespace, set_capability, skip_without_root};
use cofferdam_inspector::report::StripReport;

/// Everything below `dir`, as `path mode`, directories with a slash at the end.
fn listing(dir: &Path, prefix: &str, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        let meta = entry.metadata().unwrap();
        if meta.is_dir() {
            into.insert(format!("{name}/"));
            listing(&entry.path(), &name, into);
        } else {
            into.insert(format!("{name} {:04o}", meta.mode() & 0o7777));
        }
    }
}

#[test]
fn every_hard_link_is_changed_and_only_changed_files_are_copied_up() {
    skip_without_root!();
    let lower = Tree::new();
    let su = lower.file("usr/bin/su", 0o4755);
    lower.dir("usr/sbin", 0o755);
    fs::hard_link(&su, lower.path("usr/bin/su-alias")).unwrap();
    fs::hard_link(&su, lower.path("usr/sbin/zz")).unwrap();
    let ping = lower.file("usr/bin/ping", 0o755);
    set_capability(&ping, &NET_RAW);
    lower.file("usr/bin/plain", 0o755);
    lower.file("usr/lib/data", 0o644);
    lower.file("opt/keep", 0o4755);
    lower.dir("var/db", 0o2775);

    let tree = Tree::new();
    let layers = Tree::new();
    layers.dir("upper", 0o755);
    layers.dir("work", 0o755);
    // Redirects and indexes as the engine mounts it: the kernel's defaults.
    let script = format!(
        "mount -t overlay overlay -o 'lowerdir={},upperdir={},workdir={}' \"$ROOT\" || exit 77; \
         \"$HELPER\" strip --root \"$ROOT\" --report \"$REPORT\" --keep /opt/keep || exit 1; \
         find \"$ROOT\" -type f -perm /6000; \
         exec \"$HELPER\" strip --root \"$ROOT\" --report \"$REPORT.second\" --keep /opt/keep",
        lower.root().display(),
        layers.path("upper").display(),
        layers.path("work").display(),
    );
    let Some(output) = in_namespace(&tree, &script) else { return };
    if output.status.code() == Some(77) {
        eprintln!("skipped: overlay cannot be mounted here");
        return;
    }
    assert!(output.status.success(), "{output:?}");
    let left = String::from_utf8(output.stdout).unwrap();
    assert!(left.trim_end().ends_with("/opt/keep") && left.lines().count() == 1, "{left}");

    let report = StripReport::parse(&fs::read(tree.report_path()).unwrap()).unwrap();
    let stripped: Vec<_> = report.stripped.iter().map(|e| (e.path.as_str(), e.links)).collect();
    assert_eq!(
        stripped,
        [("/usr/bin/ping", 1), ("/usr/bin/su", 3), ("/usr/bin/su-alias", 3), ("/usr/sbin/zz", 3)]
    );
    let second = format!("{}.second", tree.report_path().display());
    assert!(StripReport::parse(&fs::read(second).unwrap()).unwrap().stripped.is_empty());

    let mut copied = BTreeSet::new();
    listing(&layers.path("upper"), "", &mut copied);
    let expected = [
        "/usr/",
        "/usr/bin/",
        "/usr/bin/ping 0755",
        "/usr/bin/su 0755",
        "/usr/bin/su-alias 0755",
        "/usr/sbin/",
        "/usr/sbin/zz 0755",
    ];
    assert_eq!(copied, expected.map(String::from).into());
    assert_eq!(capability(&layers.path("upper/usr/bin/ping")), None);
    // The lower layer is what it was.
    assert_eq!(lower.mode("usr/sbin/zz"), 0o4755);
    assert!(capability(&ping).is_some());
}
