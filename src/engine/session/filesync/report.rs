//! What was sent under one name, and its digest.

use std::{cmp::Ordering, fmt::Write as _, path::PathBuf};

use sha2::{Digest as _, Sha256};

use super::{
    manifest::{Manifest, Recorded},
    stat::{compare_paths, mode},
};

/// Everything sent under one name, over all its transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferReport {
    /// DiffCopy calls.
    pub transfers: u64,
    /// Regular files announced, every name of a hard-linked one counted.
    pub files: u64,
    /// Directories announced.
    pub dirs: u64,
    /// Symbolic links, devices and pipes announced.
    pub others: u64,
    /// Content bytes sent.
    pub bytes: u64,
    /// `sha256:` and the hex digest of the canonical form.
    ///
    /// The canonical form is the union of all transfers: `cofferdam-context-v1`, a line feed, then for
    /// each distinct entry in the order of its path (bytes, `/` below all others): path; Go file mode,
    /// uid 0, gid 0 (32 bits each); size, device major, device minor (64 bits each); link name;
    /// number of xattrs (64 bits) and their names and values sorted by name; then one byte 0 for "has no
    /// content of its own", 1 followed by the SHA-256 of the bytes sent, or 2 for "never requested".
    /// Byte strings are preceded by their length (64 bits); all numbers are little endian. Times are
    /// absent, so two checkouts agree.
    pub digest: String,
    /// Every transfer ended in good order and every regular file's content was requested and sent.
    pub complete: bool,
    /// First path that two transfers sent with different type, mode, size or content.
    pub inconsistent: Option<PathBuf>,
}

/// Merges the transfers of one name; `None` if there were none.
pub(super) fn report(manifests: &[&Manifest]) -> Option<TransferReport> {
    if manifests.is_empty() {
        return None;
    }
    let mut report = TransferReport {
        transfers: manifests.len() as u64,
        files: 0,
        dirs: 0,
        others: 0,
        bytes: manifests.iter().map(|manifest| manifest.bytes).sum(),
        digest: String::new(),
        complete: manifests.iter().all(|manifest| manifest.finished),
        inconsistent: None,
    };
    let mut hash = Sha256::new_with_prefix(b"cofferdam-context-v1\n");
    let mut heads: Vec<_> =
        manifests.iter().map(|manifest| (*manifest, 0_usize, manifest.recorded(0))).collect();
    while let Some(path) = least_path(heads.iter().filter_map(|(_, _, head)| head.as_ref())) {
        let mut same: Vec<Recorded<'_>> = Vec::with_capacity(1);
        for (manifest, position, head) in &mut heads {
            if head.as_ref().is_some_and(|head| head.path == path) {
                *position += 1;
                let next = manifest.recorded(*position);
                same.extend(std::mem::replace(head, next));
            }
        }
        report.count(&same);
        for entry in distinct(same) {
            absorb(&mut hash, &entry);
        }
    }
    report.digest = hash.finalize().iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    Some(report)
}

fn least_path<'a>(heads: impl Iterator<Item = &'a Recorded<'a>>) -> Option<Vec<u8>> {
    heads.map(|head| &head.path).min_by(|a, b| compare_paths(a, b)).cloned()
}

impl TransferReport {
    /// Counts one path, given all its announcements.
    fn count(&mut self, same: &[Recorded<'_>]) {
        let Some(first) = same.first() else { return };
        match first.mode & mode::TYPE {
            0 => self.files += 1,
            mode::DIR => self.dirs += 1,
            _ => self.others += 1,
        }
        let sent = same.iter().find_map(|entry| entry.content);
        self.complete &= same.iter().all(|entry| !has_content(entry)) || sent.is_some();
        let differs = same.iter().any(|entry| {
            (entry.mode, entry.size) != (first.mode, first.size)
                || entry.content.is_some_and(|content| Some(content) != sent)
        });
        if differs && self.inconsistent.is_none() {
            use std::os::unix::ffi::OsStringExt as _;
            self.inconsistent = Some(std::ffi::OsString::from_vec(first.path.clone()).into());
        }
    }
}

/// Drops repetitions, where an announcement without content is covered by one with it.
fn distinct(mut same: Vec<Recorded<'_>>) -> Vec<Recorded<'_>> {
    let mut kept: Vec<Recorded<'_>> = Vec::with_capacity(1);
    // Contents first, so that the order of transfers does not show in the digest.
    same.sort_by(|a, b| match (a.content, b.content) {
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        _ => (a.content, a.mode, a.size, a.linkname).cmp(&(b.content, b.mode, b.size, b.linkname)),
    });
    for entry in same {
        let covered = kept.iter().any(|other| {
            let content = if entry.content.is_none() { other.content } else { entry.content };
            *other == Recorded { content, ..entry.clone() }
        });
        if !covered {
            kept.push(entry);
        }
    }
    kept
}

/// Regular files have content unless they are a later name of a hard-linked one.
fn has_content(entry: &Recorded<'_>) -> bool {
    entry.mode & mode::TYPE == 0 && entry.linkname.is_empty()
}

fn absorb(hash: &mut Sha256, entry: &Recorded<'_>) {
    let mut out = Vec::with_capacity(entry.path.len() + 128);
    let string = |out: &mut Vec<u8>, value: &[u8]| {
        out.extend_from_slice(&(value.len() as u64).to_le_bytes());
        out.extend_from_slice(value);
    };
    string(&mut out, &entry.path);
    out.extend_from_slice(&entry.mode.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&entry.size.to_le_bytes());
    out.extend_from_slice(&entry.device.0.to_le_bytes());
    out.extend_from_slice(&entry.device.1.to_le_bytes());
    string(&mut out, entry.linkname);
    out.extend_from_slice(&(entry.xattrs.len() as u64).to_le_bytes());
    for (name, value) in entry.xattrs {
        string(&mut out, name);
        string(&mut out, value);
    }
    match &entry.content {
        Some(sha256) => {
            out.push(1);
            out.extend_from_slice(sha256);
        }
        None => out.push(if has_content(entry) { 2 } else { 0 }),
    }
    hash.update(&out);
}

#[cfg(test)]
mod tests {
    use super::{
        super::{filter::Entry, stat::Stat},
        *,
    };

    fn manifest(entries: &[(&str, u32, Option<u8>)]) -> Manifest {
        let mut manifest = Manifest::default();
        manifest.finished = true;
        for (id, (path, mode, content)) in (0..).zip(entries) {
            let stat = Stat { path: (*path).into(), mode: *mode, ..Stat::default() };
            manifest.push(&Entry { stat, ..Entry::default() }).unwrap();
            if let Some(byte) = content {
                manifest.request(id).unwrap();
                manifest.sent(id, [*byte; 32]);
            }
        }
        manifest
    }

    #[test]
    fn the_union_does_not_depend_on_how_it_was_split() {
        let whole =
            manifest(&[("a", mode::DIR, None), ("a/x", 0o644, Some(1)), ("b", 0o644, Some(2))]);
        let left = manifest(&[("a", mode::DIR, None), ("a/x", 0o644, Some(1)), ("b", 0o644, None)]);
        let right = manifest(&[("b", 0o644, Some(2))]);
        let all = report(&[&whole]).unwrap();
        let split = report(&[&left, &right]).unwrap();
        assert_eq!(all.digest, split.digest);
        assert_eq!(split.digest, report(&[&right, &left]).unwrap().digest);
        assert!(all.complete && split.complete);
        assert_eq!((split.files, split.dirs, split.transfers), (2, 1, 2));
        assert!(!report(&[&left]).unwrap().complete);
        assert_ne!(report(&[&left]).unwrap().digest, all.digest);
        assert_eq!(report(&[]), None);
    }

    #[test]
    fn a_file_that_differs_between_transfers_is_named() {
        let (one, two) = (manifest(&[("f", 0o644, Some(1))]), manifest(&[("f", 0o644, Some(2))]));
        let both = report(&[&one, &two]).unwrap();
        assert_eq!(both.inconsistent, Some("f".into()));
        assert_eq!(both.digest, report(&[&two, &one]).unwrap().digest);
        assert_eq!(report(&[&one, &one]).unwrap().inconsistent, None);
    }
}
