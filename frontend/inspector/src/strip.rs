//! Removing set-uid bits, set-gid bits and file capabilities from an image.
//!
//! Three passes. The first only reads and finds every affected name; the second
//! changes them in order; the third looks at each name anew. Finding comes first
//! because on an overlay a change copies files and their directories up, and a
//! directory should not change while it is listed.

mod apply;
mod entry;
mod find;
mod output;

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};

pub use self::entry::PRIVILEGE_BITS;
use self::entry::{Found, Verdict};
use self::find::Finder;
use crate::args::StripOptions;
use crate::error::Failure;
use crate::overlay;
use crate::report::plain::Plain;
use crate::report::{FileEntry, Scanned, StripReport, VERSION, encode_path};
use crate::walk::{open_root, walk};

/// Strips the image below the root and writes the report.
pub fn run(options: &StripOptions) -> Result<(), Failure> {
    output::check(&options.root, &options.report)?;
    let report = strip(options)?;
    output::write(&options.report, &report)
}

/// The directories that need not be entered, by inode: none where they cannot be told for certain.
fn plain(root: BorrowedFd<'_>, told: &[Plain]) -> Result<HashMap<u64, Plain>, Failure> {
    let overlay = overlay::is_one(root).map_err(|cause| Failure::at("examine", b"/", cause))?;
    Ok(told.iter().filter(|_| overlay).map(|plain| (plain.inode, *plain)).collect())
}

/// Strips the image below the root; the report is complete when it returns.
pub fn strip(options: &StripOptions) -> Result<StripReport, Failure> {
    let root = open_root(&options.root)?;
    let plain = plain(root.as_fd(), &options.plain)?;
    let finders = walk(root.as_fd(), || Finder::new(&plain))?;
    let mut scanned = Scanned::default();
    let (mut setgid_dirs, mut found) = (0, Vec::new());
    for finder in finders {
        let Finder { files, dirs, setgid_dirs: setgid, found: mut part, plain: _ } = finder;
        scanned.files += files;
        scanned.dirs += dirs;
        setgid_dirs += setgid;
        found.append(&mut part);
    }
    let mut found: Vec<(Vec<u8>, Found)> =
        found.into_iter().map(|one| (one.node.path_of(&one.name), one)).collect();
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let verdicts: Vec<Verdict> = found.iter().map(|(path, one)| one.judge(path, options)).collect();
    refuse_half_kept(&found, &verdicts)?;

    let pairs = || found.iter().zip(&verdicts).map(|((path, one), verdict)| (path, one, verdict));
    apply::change(root.as_fd(), pairs())?;
    apply::verify(root.as_fd(), pairs())?;

    let entries = |make: fn(&Found, &[u8], &Verdict) -> Option<FileEntry>| {
        pairs().filter_map(|(path, one, verdict)| make(one, path, verdict)).collect()
    };
    Ok(StripReport {
        version: VERSION,
        scanned,
        stripped: entries(Found::stripped),
        kept: entries(Found::kept),
        unused_keeps: unused(&options.keep, &found),
        setgid_dirs,
        complete: true,
    })
}

/// Refuses a list that keeps one name of a file and strips another.
///
/// On an overlay each name becomes a file of its own when it is changed; on
/// other snapshotters stripping one name strips them all. The same options must
/// not give different images on different engines.
fn refuse_half_kept(found: &[(Vec<u8>, Found)], verdicts: &[Verdict]) -> Result<(), Failure> {
    let kept: HashMap<_, _> = found
        .iter()
        .zip(verdicts)
        .filter(|(_, verdict)| verdict.listed)
        .map(|((path, one), _)| (one.identity, path))
        .collect();
    let clash = found.iter().zip(verdicts).find_map(|((path, one), verdict)| {
        let kept = kept.get(&one.identity)?;
        (!verdict.listed).then_some((kept, path))
    });
    match clash {
        None => Ok(()),
        Some((kept, other)) => {
            Err(Failure::KeptLink { kept: encode_path(kept), other: encode_path(other) })
        }
    }
}

fn unused(keep: &[Vec<u8>], found: &[(Vec<u8>, Found)]) -> Vec<String> {
    keep.iter()
        .filter(|path| found.binary_search_by(|(seen, _)| seen.cmp(path)).is_err())
        .map(|path| encode_path(path))
        .collect()
}
