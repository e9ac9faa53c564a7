//! The static helper that runs inside the engine, carried in this binary.

use std::borrow::Cow;

use bollard_buildkit_proto::pb;
use cofferdam_frontend::remote::Helper;

use crate::engine::session::filesync::{FilesyncError, MemoryEntry, MemoryTree, Tree};

/// The helper's bytes, built by `build.rs`.
static HELPER: &[u8] = include_bytes!(env!("COFFERDAM_HELPER"));
/// The platform it was built for, as Docker writes it.
pub(crate) const PLATFORM: &str =
    if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" };
/// Its path in its directory.
const PATH: &str = "helper";

/// sha256 of the helper, `sha256:…`.
pub(crate) fn digest() -> String {
    cofferdam_frontend::graph::digest(HELPER)
}

/// The directory that is the root of the strip op: the helper, mount points, and the two files
/// without which newer engines cannot use a root that is read-only.
pub fn tree() -> Result<Tree, FilesyncError> {
    let directories = ["dev", "etc", "inspect", "out", "proc", "rootfs", "sys"];
    let mut entries: Vec<MemoryEntry> = directories.into_iter().map(MemoryEntry::dir).collect();
    for path in ["etc/hosts", "etc/resolv.conf"] {
        entries.push(MemoryEntry::file(path, 0o644, Cow::Borrowed(&[][..])));
    }
    entries.push(MemoryEntry::file(PATH, 0o755, Cow::Borrowed(HELPER)));
    MemoryTree::new(entries).map(Tree::Memory)
}

/// How it is called for a remote context, from the session's directory `local`.
pub fn for_contexts(local: &str, platform: Option<pb::Platform>) -> Helper {
    Helper { local: local.to_string(), program: program(), platform }
}

/// Its path in its directory, absolute.
pub(crate) fn program() -> String {
    format!("/{PATH}")
}

/// The arguments with which it strips the mounted image.
pub(crate) fn strip_args(
    keep: impl IntoIterator<Item = String>,
    capabilities: bool,
) -> Vec<String> {
    use cofferdam_frontend::graph::{IMAGE_MOUNT, REPORT_FILE, REPORT_MOUNT};
    let mut args = vec![
        program(),
        "strip".into(),
        "--root".into(),
        IMAGE_MOUNT.into(),
        "--report".into(),
        format!("{REPORT_MOUNT}/{REPORT_FILE}"),
    ];
    if !capabilities {
        args.push("--keep-capabilities".into());
    }
    for path in keep {
        args.extend(["--keep".into(), path]);
    }
    args
}
