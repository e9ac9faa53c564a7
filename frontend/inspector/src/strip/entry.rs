//! One affected name: what it carries, what is to go, and its lines in the report.

use std::ffi::CStr;
use std::sync::Arc;

use crate::args::StripOptions;
use crate::capability;
use crate::report::{FileEntry, encode_path};
use crate::walk::Node;

/// Set-uid and set-gid.
pub const PRIVILEGE_BITS: u32 = 0o6000;
const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;

/// One name of a regular file with privileges.
pub(super) struct Found {
    /// The directory the name is in.
    pub(super) node: Arc<Node>,
    /// The name.
    pub(super) name: Box<CStr>,
    /// Permission bits, twelve of them.
    pub(super) mode: u32,
    /// Device and inode: equal for the names of one file.
    pub(super) identity: (u64, u64),
    /// The file system's count of names.
    pub(super) links: u64,
    /// The attribute `security.capability`, if there is one.
    pub(super) capability: Option<Box<[u8]>>,
}

/// What happens to one name.
pub(super) struct Verdict {
    /// Whether its path is on the list of files to keep.
    pub(super) listed: bool,
    /// The permission bits that go.
    pub(super) bits: u32,
    /// Whether the capabilities go.
    pub(super) capability: bool,
}

impl Found {
    /// Decides what goes.
    pub(super) fn judge(&self, path: &Vec<u8>, options: &StripOptions) -> Verdict {
        let listed = options.keep.binary_search(path).is_ok();
        let capability = self.capability.is_some() && !listed && !options.keep_capabilities;
        let bits = if listed { 0 } else { self.mode & PRIVILEGE_BITS };
        Verdict { listed, bits, capability }
    }

    /// The report's line about what was removed, if anything was.
    pub(super) fn stripped(&self, path: &[u8], verdict: &Verdict) -> Option<FileEntry> {
        self.entry(path, verdict, verdict.bits, verdict.capability)
    }

    /// The report's line about what was left, if anything was.
    pub(super) fn kept(&self, path: &[u8], verdict: &Verdict) -> Option<FileEntry> {
        let bits = self.mode & PRIVILEGE_BITS & !verdict.bits;
        self.entry(path, verdict, bits, self.capability.is_some() && !verdict.capability)
    }

    fn entry(
        &self,
        path: &[u8],
        verdict: &Verdict,
        bits: u32,
        capability: bool,
    ) -> Option<FileEntry> {
        if bits == 0 && !capability {
            return None;
        }
        let attribute = self.capability.as_deref().filter(|_| capability);
        Some(FileEntry {
            path: encode_path(path),
            mode_before: format!("{:04o}", self.mode),
            mode_after: format!("{:04o}", self.mode & !verdict.bits),
            setuid: bits & SET_UID != 0,
            setgid: bits & SET_GID != 0,
            capabilities: attribute.map(capability::describe),
            links: self.links,
        })
    }
}
