//! One entry of a layer.

use serde::{Deserialize, Serialize};

/// What kind of file an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file. A hard link is one, with the mode and the bytes of what it is linked to.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A character device; never one of overlayfs that stands for a deleted file.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// One entry of a layer; whiteouts are none.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Relative to the root; a slash or `./` before it and a slash behind it do not matter.
    pub path: &'a [u8],
    /// What it is.
    pub kind: FileKind,
    /// Permission bits, with set-uid, set-gid and sticky.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Bytes of a regular file.
    pub size: u64,
    /// Whether it has the attribute `security.capability`.
    pub capability: bool,
    /// What a symbolic link leads to.
    pub target: Option<&'a [u8]>,
}

/// What is kept of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    pub(crate) kind: FileKind,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
}

impl Item {
    pub(crate) fn of(entry: &Entry<'_>) -> Self {
        let Entry { path: _, kind, mode, uid, gid, size: _, capability: _, target } = *entry;
        let target = target.map(crate::text::encoded);
        Self { kind, mode: mode & 0o7777, uid, gid, target }
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.kind == FileKind::Directory
    }
}
