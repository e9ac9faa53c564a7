//! Results that are directories.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::engine::*;

async fn export(dest: &Path, delete: bool, entries: &[Entry]) {
    let outputs = to_directory(dest, delete);
    send_tree(&outputs, entries).await.unwrap();
    outputs.commit().await.unwrap();
}

/// Every path with its type and content.
pub(super) fn lines(dir: &Path) -> Vec<String> {
    let mut lines: Vec<String> = walkdir::WalkDir::new(dir)
        .min_depth(1)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let path = entry.path();
            let shown = path.strip_prefix(dir).unwrap().display();
            match entry.file_type() {
                kind if kind.is_dir() => format!("{shown}/"),
                kind if kind.is_symlink() => {
                    format!("{shown} -> {}", std::fs::read_link(path).unwrap().display())
                }
                kind if kind.is_file() => {
                    format!("{shown}: {}", String::from_utf8_lossy(&std::fs::read(path).unwrap()))
                }
                _ => format!("{shown}: special"),
            }
        })
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn everything_arrives_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("new/out");
    let big = vec![5; 300_000];
    let mut program = file("bin/tool", big.clone());
    program.stat.mode = 0o755 | 1 << 23;
    program.stat.xattrs.insert("user.note".into(), b"v".to_vec());
    program.stat.xattrs.insert("security.capability".into(), vec![1; 20]);
    let entries = [
        entry("bin", DIR | 0o750, ""),
        program,
        entry("bin/tool2", 0o755 | 1 << 23, "bin/tool"),
        entry("closed", DIR | 0o500, ""),
        file("closed/inside", "x"),
        entry("empty", 0o600, ""),
        link("link", "/etc/passwd"),
        entry("pipe", FIFO | 0o640, ""),
    ];
    export(&dest, false, &entries).await;
    let look = |path: &str| std::fs::symlink_metadata(dest.join(path)).unwrap();
    assert_eq!(std::fs::read(dest.join("bin/tool")).unwrap(), big);
    assert_eq!(look("bin/tool").mode() & 0o7777, 0o4755);
    assert_eq!(look("bin/tool").ino(), look("bin/tool2").ino());
    assert_eq!(look("bin").mode() & 0o7777, 0o750);
    assert_eq!(look("closed").mode() & 0o7777, 0o500);
    assert_eq!(look("empty").len(), 0);
    assert!(look("pipe").file_type().is_fifo());
    assert_eq!(std::fs::read_link(dest.join("link")).unwrap(), Path::new("/etc/passwd"));
    for path in ["bin", "bin/tool", "closed", "closed/inside", "empty", "link", "pipe"] {
        let found = look(path);
        assert_eq!(found.mtime() * 1_000_000_000 + found.mtime_nsec(), TIME, "{path}");
    }
    let mut value = [0u8; 16];
    let got = rustix::fs::getxattr(dest.join("bin/tool"), "user.note", &mut value[..]);
    assert!(matches!(got, Ok(1) | Err(rustix::io::Errno::OPNOTSUPP)), "{got:?}");
    let got = rustix::fs::getxattr(dest.join("bin/tool"), "security.capability", &mut value[..]);
    assert!(got.is_err(), "no privileges from an engine");
    assert_eq!(lines(dir.path()).iter().filter(|line| line.contains("cofferdam")).count(), 0);
    assert_eq!(std::fs::metadata(&dest).unwrap().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn nothing_is_there_before_the_commit_or_without_one() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("out");
    for made in [false, true] {
        if made {
            std::fs::create_dir(&dest).unwrap();
            std::fs::write(dest.join("a"), "old").unwrap();
        }
        let before = lines(dir.path());
        let outputs = to_directory(&dest, false);
        send_tree(&outputs, &[file("a", "new"), dir_with("d"), file("d/b", "b")]).await.unwrap();
        assert!(!dest.join("d").exists());
        drop(outputs);
        assert_eq!(lines(dir.path()), before);
    }
}

fn dir_with(path: &str) -> Entry {
    // A mode that bars its owner must not keep it from being removed.
    entry(path, DIR, "")
}

#[tokio::test]
async fn a_directory_is_merged_with() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path();
    for made in ["both/keep", "was-dir/x"] {
        std::fs::create_dir_all(dest.join(made)).unwrap();
    }
    for (path, text) in
        [("both/old", "old"), ("both/same", "old"), ("was-file", "f"), ("rest", "r")]
    {
        std::fs::write(dest.join(path), text).unwrap();
    }
    std::fs::hard_link(dest.join("both/same"), dest.join("other-name")).unwrap();
    std::fs::set_permissions(dest.join("both"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let entries = [
        dir_of("both"),
        file("both/new", "new"),
        file("both/same", "new"),
        file("was-dir", "now a file"),
        dir_of("was-file"),
        file("was-file/in", "in"),
    ];
    export(dest, false, &entries).await;
    assert_eq!(
        lines(dest),
        [
            "both/",
            "both/keep/",
            "both/new: new",
            "both/old: old",
            "both/same: new",
            "other-name: old",
            "rest: r",
            "was-dir: now a file",
            "was-file/",
            "was-file/in: in",
        ]
    );
    assert_eq!(std::fs::metadata(dest.join("both")).unwrap().mode() & 0o777, 0o755);
}

fn dir_of(path: &str) -> Entry {
    super::engine::dir(path)
}

#[tokio::test]
async fn delete_mode_leaves_the_result_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path();
    std::fs::create_dir_all(dest.join("d/deep/er")).unwrap();
    for path in ["gone", "d/gone", "d/deep/er/gone", "d/stays"] {
        std::fs::write(dest.join(path), "old").unwrap();
    }
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("precious"), "p").unwrap();
    std::os::unix::fs::symlink(outside.path(), dest.join("d/away")).unwrap();
    export(dest, true, &[dir_of("d"), file("d/stays", "new")]).await;
    assert_eq!(lines(dest), ["d/", "d/stays: new"]);
    assert!(outside.path().join("precious").exists());
}

#[tokio::test]
async fn several_platforms_are_put_in_place_as_one() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("gone"), "").unwrap();
    let outputs = to_directory(dir.path(), true);
    let amd = [dir_of("linux_amd64"), file("linux_amd64/a", "1")];
    let arm = [dir_of("linux_arm64"), file("linux_arm64/a", "2")];
    let (one, two) = tokio::join!(send_tree(&outputs, &amd), send_tree(&outputs, &arm));
    one.unwrap();
    two.unwrap();
    outputs.commit().await.unwrap();
    assert_eq!(
        lines(dir.path()),
        ["linux_amd64/", "linux_amd64/a: 1", "linux_arm64/", "linux_arm64/a: 2"]
    );
}

#[tokio::test]
async fn links_in_the_destination_lead_nothing_outside() {
    let outside = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("f"), "precious").unwrap();
    for (target, name) in [(outside.path().to_path_buf(), "d"), (outside.path().join("f"), "f")] {
        std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
    }
    export(dir.path(), false, &[dir_of("d"), file("d/f", "evil"), file("f", "evil")]).await;
    assert_eq!(std::fs::read(outside.path().join("f")).unwrap(), b"precious");
    assert_eq!(lines(dir.path()), ["d/", "d/f: evil", "f: evil"]);
}

#[tokio::test]
async fn an_empty_result_makes_an_empty_directory() {
    let dir = tempfile::tempdir().unwrap();
    export(&dir.path().join("out"), false, &[]).await;
    assert_eq!(lines(dir.path()), ["out/"]);
}

#[tokio::test]
async fn an_engine_that_hangs_up_behind_everything_has_sent_everything() {
    let dir = tempfile::tempdir().unwrap();
    let outputs = to_directory(dir.path(), false);
    let mut call = call(&outputs, &[]).await.unwrap();
    call.packet(&end_of_list());
    while call.next().await.unwrap().is_some_and(|packet| packet.r#type() != fin().r#type()) {}
    drop(call);
    outputs.commit().await.unwrap();
}
