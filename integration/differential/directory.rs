//! Facts about what a build left in the working directory: trees, archives, IDs, metadata.

use std::fs::{self, File};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::archive;
use crate::facts::Facts;
use crate::image;
use crate::normal::Normal;
use crate::tree::{self, Node};

/// Texts up to this size are compared without digests and times of their own.
const TEXT: u64 = 1 << 16;

/// The files below a directory with their names in it; what git keeps for itself left out.
fn files(work: &Path) -> Vec<(String, PathBuf)> {
    let walk = walkdir::WalkDir::new(work).min_depth(1).sort_by_file_name().into_iter();
    let skipped = [".git", "blobs"];
    let walk =
        walk.filter_entry(move |entry| skipped.iter().all(|name| entry.file_name() != *name));
    walk.map(|entry| {
        let path = entry.unwrap().into_path();
        (path.strip_prefix(work).unwrap().to_string_lossy().into_owned(), path)
    })
    .collect()
}

/// The texts of small files, in which IDs of images may stand; a lock holds those of bases.
pub fn texts(work: &Path) -> Vec<String> {
    let small = files(work).into_iter().filter(|(name, path)| {
        !name.ends_with("cofferdam.lock")
            && path.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= TEXT)
    });
    small.filter_map(|(_, path)| fs::read_to_string(path).ok()).collect()
}

/// Adds a fact for every file below `work`, as `file/tree/PATH`; archives are looked into.
pub fn tell(facts: &mut Facts, normal: &Normal, work: &Path) {
    for (name, path) in files(work) {
        let meta = path.symlink_metadata().unwrap();
        let kind = meta.file_type();
        let mut node = Node {
            kind: "file",
            mode: meta.mode() & 0o7777,
            owner: (meta.uid().into(), meta.gid().into()),
            modified: Duration::from_secs(u64::try_from(meta.mtime()).unwrap_or_default()),
            ..Node::default()
        };
        if kind.is_symlink() {
            node.kind = "symlink";
            node.content = fs::read_link(&path).unwrap().to_string_lossy().into_owned();
        } else if kind.is_dir() {
            node.kind = "directory";
            if let Some(blobs) = archive::layout_of(&path) {
                archive::layout(facts, normal, &format!("file/{name}"), &blobs).unwrap();
            }
        } else if kind.is_file() {
            node.content = content(facts, normal, &name, &path);
        } else {
            node.kind = if kind.is_fifo() { "fifo" } else { "special file" };
        }
        node.tell(facts, "file", &name);
    }
}

fn content(facts: &mut Facts, normal: &Normal, name: &str, path: &Path) -> String {
    let mut file = File::open(path).unwrap();
    let prefix = format!("file/{name}");
    if is_tar(&mut file) {
        let told = archive::tell(facts, normal, &prefix, BufReader::new(file));
        return told
            .map_or_else(|error| format!("a damaged archive: {error}"), |()| "an archive".into());
    }
    let packed = ["gz", "bz2", "xz", "zst"].iter().any(|end| name.ends_with(end));
    if packed {
        return "packed".into();
    }
    let text = match path.metadata().unwrap().len() {
        0..=TEXT => fs::read_to_string(path).ok(),
        _ => None,
    };
    let Some(text) = text else { return tree::content(BufReader::new(file)).unwrap() };
    if name.ends_with(".json")
        && let Ok(value) = serde_json::from_str(&text)
    {
        image::leaves(facts, normal, &prefix, &value);
        return "JSON".into();
    }
    format!("{:?}", normal.output(&text))
}

fn is_tar(file: &mut File) -> bool {
    const MAGIC_AT: usize = 257;
    let mut head = Vec::new();
    file.take(512).read_to_end(&mut head).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    head.get(MAGIC_AT..).is_some_and(|rest| rest.starts_with(b"ustar"))
}
