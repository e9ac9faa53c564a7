//! A tree that changes under the transfer, and trees that cannot be read.

use std::{os::unix::fs::symlink, path::Path};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{
    super::{Change, FilesyncError},
    context,
    receiver::{receive, receive_with},
    tree,
};

/// Changes the tree after it was listed and returns the local failure.
async fn disturbed(lines: &[&str], disturb: impl FnOnce(&Path)) -> FilesyncError {
    let dir = tree(lines);
    let filesync = context(dir.path());
    let status = receive_with(&filesync, "context", &[], || disturb(dir.path()))
        .await
        .expect_err("must fail");
    let error = filesync.take_error().expect("a local failure");
    assert!(status.message().starts_with(&error.to_string()), "{status:?} {error}");
    assert!(!filesync.report("context").unwrap().complete);
    assert_eq!(filesync.take_error(), None, "taken");
    error
}

#[tokio::test]
async fn a_vanished_file() {
    let error = disturbed(&["ADD a dir", "ADD a/f file data"], |root| {
        std::fs::remove_file(root.join("a/f")).unwrap();
    })
    .await;
    assert!(matches!(&error, FilesyncError::Vanished { path } if path.ends_with("a/f")), "{error}");
}

#[tokio::test]
async fn a_grown_and_a_shrunk_file() {
    for content in ["longer data", "d"] {
        let error = disturbed(&["ADD f file data"], |root| {
            std::fs::write(root.join("f"), content).unwrap();
        })
        .await;
        let change = Change::Size { announced: 4, found: content.len() as u64 };
        assert!(
            matches!(&error, FilesyncError::Changed { change: c, .. } if *c == change),
            "{error}"
        );
        assert!(error.to_string().contains("/f changed while the build context was being sent"));
    }
}

#[tokio::test]
async fn a_replaced_file() {
    let error = disturbed(&["ADD f file data", "ADD g file atad"], |root| {
        std::fs::rename(root.join("g"), root.join("f")).unwrap();
    })
    .await;
    // Either file may be asked for first.
    let replaced = matches!(error, FilesyncError::Changed { change: Change::Replaced, .. });
    assert!(replaced || matches!(error, FilesyncError::Vanished { .. }), "{error}");
}

#[tokio::test]
async fn links_swapped_in_are_not_followed() {
    let error = disturbed(&["ADD f file data", "ADD d dir", "ADD e file x"], |root| {
        std::fs::remove_file(root.join("f")).unwrap();
        symlink("/etc/passwd", root.join("f")).unwrap();
    })
    .await;
    assert!(matches!(error, FilesyncError::Vanished { .. }), "{error}");
    let error = disturbed(&["ADD d dir", "ADD d/passwd file x"], |root| {
        std::fs::rename(root.join("d"), root.join("old")).unwrap();
        symlink("/etc", root.join("d")).unwrap();
    })
    .await;
    assert!(matches!(error, FilesyncError::Vanished { .. }), "{error}");
}

#[tokio::test]
async fn a_fifo_swapped_in_does_not_hang() {
    let error = disturbed(&["ADD f file data"], |root| {
        std::fs::remove_file(root.join("f")).unwrap();
        mknodat(CWD, root.join("f"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    })
    .await;
    assert!(matches!(error, FilesyncError::Changed { change: Change::Replaced, .. }), "{error}");
}

#[tokio::test]
async fn bad_patterns_and_missing_roots_are_named() {
    let dir = tree(&["ADD f file"]);
    let filesync = context(dir.path());
    for (pattern, text) in
        [("!", "illegal exclusion"), ("a[", "syntax error"), ("[z-a]", "syntax error")]
    {
        let status =
            receive(&filesync, "context", &[("exclude-patterns", pattern)]).await.unwrap_err();
        assert!(status.message().contains("invalid exclude patterns"), "{status:?}");
        assert!(filesync.take_error().unwrap().to_string().contains(text));
    }
    let filesync = context(Path::new("/nonexistent/context"));
    let status = receive(&filesync, "context", &[]).await.unwrap_err();
    assert!(status.message().contains("/nonexistent/context: No such file"), "{status:?}");
    assert!(matches!(filesync.take_error(), Some(FilesyncError::Io { .. })));
}

/// The file's content changes between the first chunk and the last.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_modified_while_it_is_read() {
    let dir = tree(&[]);
    let path = dir.path().join("big");
    std::fs::write(&path, vec![1; 64 << 20]).unwrap();
    let filesync = context(dir.path());
    let writer = path.clone();
    let received = receive_with(&filesync, "context", &[], || {
        std::thread::spawn(move || {
            use std::{io::Write as _, os::unix::fs::FileExt as _};
            for _ in 0..200 {
                let file = std::fs::File::options().write(true).open(&writer).unwrap();
                file.write_all_at(b"x", 0).unwrap();
                (&file).flush().unwrap();
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
    })
    .await;
    assert!(received.is_err());
    let error = filesync.take_error().unwrap();
    assert!(matches!(&error, FilesyncError::Changed { path: p, .. } if *p == path), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_ends_every_thread() {
    let dir = tree(&[]);
    for name in 0..2000 {
        std::fs::write(dir.path().join(format!("{name:0100}")), vec![0; 4096]).unwrap();
    }
    let filesync = context(dir.path());
    for _ in 0..5 {
        let call = receive(&filesync, "context", &[]);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(8), call).await;
    }
    // The runtime's shutdown at the end of the test waits for blocking threads.
    let received = receive(&filesync, "context", &[]).await.unwrap();
    assert_eq!(received.stats.len(), 2000);
    assert_eq!(filesync.take_error(), None);
}
