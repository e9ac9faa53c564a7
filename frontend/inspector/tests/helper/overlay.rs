//! On an overlay, as in the engine: every name is changed, and nothing else is copied up.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt as _};
use std::path::Path;

use crate::support::{
    self, NET_RAW, Tree, capability, in_namespace, set_capability, skip_without_root,
};
use cofferdam_inspector::report::StripReport;
use cofferdam_inspector::report::inspection::Inspection;
use cofferdam_inspector::report::plain::{Plain, VARIABLE, to_variable};

/// Mounts an overlay on the root, or ends with 77.
fn mount(lower: &Tree, layers: &Tree) -> String {
    layers.dir("upper", 0o755);
    layers.dir("work", 0o755);
    format!(
        "mount -t overlay overlay -o 'lowerdir={},upperdir={},workdir={}' \"$ROOT\" || exit 77",
        lower.root().display(),
        layers.path("upper").display(),
        layers.path("work").display(),
    )
}

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
    // Redirects and indexes as the engine mounts it: the kernel's defaults.
    let script = format!(
        "{}; \"$HELPER\" strip --root \"$ROOT\" --report \"$REPORT\" --keep /opt/keep || exit 1; \
         find \"$ROOT\" -type f -perm /6000; \
         exec \"$HELPER\" strip --root \"$ROOT\" --report \"$REPORT.second\" --keep /opt/keep",
        mount(&lower, &layers),
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

/// What is told of the directories of a base.
fn plain(base: &Tree) -> Vec<Plain> {
    let root = base.root();
    let output = support::inspect(["--layer".as_ref(), root.as_os_str(), "--plain".as_ref()], None);
    assert!(output.status.success(), "{output:?}");
    Inspection::parse(&output.stdout, 1).unwrap().plain
}

#[test]
fn only_what_is_as_it_was_in_the_base_is_passed_by() {
    skip_without_root!();
    let base = Tree::new();
    // Directories that stay, change below, get files, are replaced, and had privileges before.
    for dir in ["stays/a/b", "deep/a/b", "gets/a", "chmod/a", "replaced/a", "moved/a", "gone/a"] {
        base.file(&format!("{dir}/plain"), 0o755);
    }
    base.file("had/a/su", 0o4755);
    base.dir("stays/a/shared", 0o2775);
    set_capability(&base.file("capable/a/ping", 0o755), &NET_RAW);
    let known = plain(&base);
    assert!(known.iter().any(|plain| (plain.files, plain.dirs, plain.setgid_dirs) == (1, 4, 1)));
    // A second name makes both of its directories unsure.
    let linked = base.path("gone/a/linked");
    fs::hard_link(base.path("stays/a/b/plain"), &linked).unwrap();
    assert!(plain(&base).iter().all(|plain| !(plain.files > 0 && plain.setgid_dirs > 0)));
    fs::remove_file(linked).unwrap();
    let known = plain(&base);

    let steps = "cd \"$ROOT\" && echo x >deep/a/b/su && chmod 4755 deep/a/b/su && \
         echo x >gets/a/su && chmod 2755 gets/a/su && chmod 6755 chmod/a/plain && \
         rm -r replaced/a && mkdir replaced/a && echo x >replaced/a/su && chmod 4755 replaced/a/su && \
         cp -a moved/a moved/b && chmod 4755 moved/b/plain && rm -r moved/a gone && \
         mkdir -p new/a && echo x >new/a/su && chmod 4755 new/a/su; \
         exec \"$HELPER\" strip --root \"$ROOT\" --report \"$REPORT\"";
    let strip = |variable: String| {
        let (tree, layers) = (Tree::new(), Tree::new());
        let script = format!("{}; export {VARIABLE}={variable}; {steps}", mount(&base, &layers));
        let output = in_namespace(&tree, &script)?;
        if output.status.code() == Some(77) {
            eprintln!("skipped: overlay cannot be mounted here");
            return None;
        }
        assert!(output.status.success(), "{output:?}");
        let report = fs::read(tree.report_path()).unwrap();
        let mut copied = BTreeSet::new();
        listing(&layers.path("upper"), "", &mut copied);
        Some((StripReport::parse(&report).unwrap(), copied))
    };
    let Some(with) = strip(to_variable(&known)) else { return };
    assert_eq!(Some(&with), strip(String::new()).as_ref());
    let stripped: Vec<&str> = with.0.stripped.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        stripped,
        [
            "/capable/a/ping",
            "/chmod/a/plain",
            "/deep/a/b/su",
            "/gets/a/su",
            "/had/a/su",
            "/moved/b/plain",
            "/new/a/su",
            "/replaced/a/su",
        ]
    );
    assert!(with.1.iter().all(|path| !path.ends_with("4755")), "{:?}", with.1);

    // What happens below an overlay, in no layer of its own, shows who goes where.
    fs::set_permissions(base.path("stays/a/b/plain"), fs::Permissions::from_mode(0o4755)).unwrap();
    let Some((report, _)) = strip(to_variable(&known)) else { return };
    assert!(report.stripped.iter().all(|file| !file.path.starts_with("/stays")));
}

#[test]
fn elsewhere_every_directory_is_entered() {
    let tree = Tree::new();
    let su = tree.file("a/b/su", 0o755);
    let known = plain(&tree);
    assert_eq!(known.len(), 2);
    fs::set_permissions(&su, fs::Permissions::from_mode(0o4755)).unwrap();
    let script = format!(
        "export {VARIABLE}={}; exec \"$HELPER\" strip --root \"$ROOT\" --report \"$REPORT\"",
        to_variable(&known)
    );
    let Some(output) = in_namespace(&tree, &script) else { return };
    assert!(output.status.success(), "{output:?}");
    assert_eq!(tree.mode("a/b/su"), 0o755);
}
