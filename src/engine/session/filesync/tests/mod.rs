//! Whole transfers through an in-process receiver.

mod failures;
mod filters;
mod links;
mod receiver;
mod roundtrip;

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{Filesync, Tree};

/// Builds a directory from lines such as `ADD a/b file data`, as fsutil's own tests do.
fn tree(lines: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let path = dir.path().join(words[1]);
        match words[2..] {
            ["dir"] => std::fs::create_dir(path).unwrap(),
            ["file"] => std::fs::write(path, "").unwrap(),
            ["file", first] if first.starts_with('>') => {
                std::fs::hard_link(dir.path().join(&first[1..]), path).unwrap();
            }
            ["file", data] => std::fs::write(path, data).unwrap(),
            ["symlink", target] => symlink(target, path).unwrap(),
            _ => panic!("{line}"),
        }
    }
    dir
}

fn context(dir: &Path) -> Filesync {
    Filesync::new(vec![("context".to_owned(), Tree::Dir(PathBuf::from(dir)))])
}
