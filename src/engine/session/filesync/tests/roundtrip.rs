//! What arrives is what was there, and the report says so.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::Path,
};

use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat};

use super::{
    super::{Filesync, MemoryEntry, MemoryTree, Tree},
    context,
    receiver::receive,
    tree,
};

/// Everything about a tree that has to survive, by path.
fn snapshot(root: &Path) -> BTreeMap<Vec<u8>, String> {
    let mut all = BTreeMap::new();
    let mut first_names = BTreeMap::new();
    let mut stack = vec![root.to_owned()];
    while let Some(dir) = stack.pop() {
        let mut children: Vec<_> =
            std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
        children.sort();
        for path in children {
            let meta = path.symlink_metadata().unwrap();
            let relative = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
            let first = first_names.entry(meta.ino()).or_insert_with(|| relative.clone()).clone();
            let content = match meta.file_type() {
                kind if kind.is_file() => format!("{:?}", std::fs::read(&path).unwrap()),
                kind if kind.is_symlink() => format!("{:?}", std::fs::read_link(&path).unwrap()),
                kind if kind.is_dir() => {
                    stack.push(path.clone());
                    String::new()
                }
                _ => String::new(),
            };
            let mut xattr = [0; 64];
            let xattr = rustix::fs::lgetxattr(&path, "user.note", &mut xattr[..])
                .map(|len| xattr[..len].to_vec());
            let linked = if meta.is_dir() { Vec::new() } else { first };
            all.insert(relative, format!("{:o} {linked:?} {xattr:?} {content}", meta.mode()));
        }
    }
    all
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_rebuilds_the_tree() {
    let dir = tree(&[
        "ADD a dir",
        "ADD a/one file data",
        "ADD a-b file x",
        "ADD a.c file",
        "ADD a/empty dir",
        "ADD a/two file >a/one",
        "ADD link symlink a/one",
        "ADD out symlink ../../etc/passwd",
        "ADD z file >a/one",
    ]);
    let big: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(dir.path().join("big"), &big).unwrap();
    for size in [1, 255, 256, 262_105, 262_106, 262_107, 262_143, 262_144, 262_145, 524_288] {
        std::fs::write(dir.path().join(format!("size-{size}")), vec![7; size]).unwrap();
    }
    chmod(&dir.path().join("a.c"), 0o4755);
    chmod(&dir.path().join("a"), 0o1777);
    chmod(&dir.path().join("a-b"), 0o2710);
    symlink("a", dir.path().join("dirlink")).unwrap();
    let fifo = dir.path().join("pipe");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o640), 0).unwrap();
    // Not every file system under /tmp takes user attributes.
    let _ =
        rustix::fs::lsetxattr(dir.path().join("a-b"), "user.note", b"hi\0", XattrFlags::empty());

    let filesync = context(dir.path());
    let received = receive(&filesync, "context", &[]).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    received.write_to(copy.path());
    assert_eq!(snapshot(dir.path()), snapshot(copy.path()));
    assert_eq!(received.stat("a/two").linkname, "a/one");
    assert_eq!(received.stat("a/two").size, 4, "fsutil announces the size of every name");
    assert_eq!(received.stat("link").size, 5);
    assert!(received.stats.iter().all(|stat| (stat.uid, stat.gid) == (0, 0)));
    let mtime = dir.path().join("a-b").metadata().unwrap();
    let nanos = mtime.mtime() * 1_000_000_000 + mtime.mtime_nsec();
    assert_eq!(received.stat("a-b").mod_time, nanos);

    let report = filesync.report("context").unwrap();
    assert!(report.complete);
    assert_eq!((report.transfers, report.files, report.dirs, report.others), (1, 16, 2, 4));
    let sizes: u64 = 4
        + 1
        + 12_000_000
        + 1
        + 255
        + 256
        + 262_105
        + 262_106
        + 262_107
        + 262_143
        + 262_144
        + 262_145
        + 524_288;
    assert_eq!(report.bytes, sizes);
    assert_eq!(filesync.take_error(), None);

    // The copy has other times and inodes, and the same digest.
    let again = context(copy.path());
    receive(&again, "context", &[]).await.unwrap();
    assert_eq!(again.report("context").unwrap().digest, report.digest);
    std::fs::write(copy.path().join("a.c"), "y").unwrap();
    let changed = context(copy.path());
    receive(&changed, "context", &[]).await.unwrap();
    assert_ne!(changed.report("context").unwrap().digest, report.digest);
}

#[tokio::test]
async fn the_order_is_the_engines() {
    let dir = tree(&[
        "ADD foo dir",
        "ADD foo/bar file",
        "ADD foo-bar file",
        "ADD foo.d file",
        "ADD Z file",
    ]);
    let received = receive(&context(dir.path()), "context", &[]).await.unwrap();
    assert_eq!(received.paths(), ["Z", "foo", "foo/bar", "foo-bar", "foo.d"]);
}

#[tokio::test]
async fn a_hard_link_names_the_first_path_that_is_sent() {
    let dir = tree(&["ADD a file x", "ADD b file >a", "ADD c file >a"]);
    let received =
        receive(&context(dir.path()), "context", &[("exclude-patterns", "a")]).await.unwrap();
    assert_eq!(received.lines(), ["file b", "file c >b"]);
}

#[tokio::test]
async fn sockets_are_left_out() {
    let dir = tree(&["ADD a file"]);
    let _socket = UnixListener::bind(dir.path().join("s")).unwrap();
    let received = receive(&context(dir.path()), "context", &[]).await.unwrap();
    assert_eq!(received.paths(), ["a"]);
}

#[tokio::test]
async fn deep_trees_need_few_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    let mut path = dir.path().to_owned();
    for _ in 0..300 {
        path.push("d");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("e"), "x").unwrap();
    }
    let received = receive(&context(dir.path()), "context", &[]).await.unwrap();
    assert_eq!(received.stats.len(), 600);
    assert_eq!(received.contents.values().filter(|content| *content == b"x").count(), 300);
}

#[tokio::test]
async fn memory_trees_are_sent_and_filtered_alike() {
    let big = vec![9; 700_000];
    let entries = vec![
        MemoryEntry::file("Dockerfile", 0o644, b"FROM scratch\n".as_slice()),
        MemoryEntry::file("etc/hosts", 0o644, b"".as_slice()),
        MemoryEntry::file("helper", 0o755, big.clone()),
        MemoryEntry::dir("proc"),
    ];
    let tree = MemoryTree::new(entries).unwrap();
    let filesync = Filesync::new(vec![("helper".into(), Tree::Memory(tree))]);
    let received = receive(&filesync, "helper", &[]).await.unwrap();
    assert_eq!(received.paths(), ["Dockerfile", "etc", "etc/hosts", "helper", "proc"]);
    assert_eq!(received.content("helper"), big);
    assert_eq!(received.content("Dockerfile"), b"FROM scratch\n");
    assert_eq!(received.stat("helper").mode, 0o755);
    assert!(received.stats.iter().all(|stat| stat.mod_time == 0));
    let report = filesync.report("helper").unwrap();
    assert!(report.complete);

    let some = [("followpaths", "Dockerfile"), ("followpaths", "Dockerfile.dockerignore")];
    let received = receive(&filesync, "helper", &some).await.unwrap();
    assert_eq!(received.paths(), ["Dockerfile"]);
    let union = filesync.report("helper").unwrap();
    assert_eq!((union.digest, union.transfers), (report.digest, 2));
}

#[tokio::test]
async fn unknown_names_are_refused() {
    let filesync = context(Path::new("/nonexistent"));
    let status = receive(&filesync, "other", &[]).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert_eq!(status.message(), "no access allowed to dir \"other\"");
    assert_eq!(filesync.report("other"), None);
}
