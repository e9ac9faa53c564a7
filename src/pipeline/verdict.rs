//! The last lines of a build: only what is true of this one.

use std::collections::BTreeSet;

use cofferdam_frontend::{Hardened, HardenedPlatform};
use cofferdam_inspector::report::{FileEntry, StripReport};

use super::absent;
use super::bill;
use super::in_engine::Built;
use super::statement::Known;
use crate::report::ledger::Ledger;
use crate::report::printer::Printer;
use crate::report::verdict::{Pinned, Stripped, Verdict};

/// Prints them, unless nothing but the end was asked for.
pub(super) fn print(known: &Known<'_>, mut ledger: Ledger, printer: &Printer) {
    for path in unused_keeps(&known.built.hardened) {
        printer.notice(&format!("--keep-suid {path}: no file of that path has a bit to keep"));
    }
    known.job.request.exceptions.unused_notices().iter().for_each(|text| printer.notice(text));
    if known.job.request.progress.mode.is_for_people() {
        let (began, ended) = known.built.checked;
        ledger.checked(began, ended);
        printer.verdict(&Verdict { cost: Some(ledger.cost()), ..of(known) });
    }
}

fn of(known: &Known<'_>) -> Verdict {
    let Known { job, built, lock, started } = *known;
    let Built { hardened, exported, .. } = built;
    let request = job.request;
    let pinned = hardened.sources().iter().filter(|source| source.digest.is_some()).count();
    let image = exported.image_id.clone();
    let named = request.tags.first().map(|tag| tag.familiar()).or_else(|| image.clone());
    let record = match (&image, named) {
        (Some(_), Some(name)) => {
            let packages =
                bill::told(hardened).map_or_else(String::new, |told| format!(", {told}"));
            format!("cofferdam provenance {name}{packages}; not signed")
        }
        _ => "none: no image was made".to_string(),
    };
    Verdict {
        names: request.tags.iter().map(|tag| tag.familiar()).collect(),
        image: image.unwrap_or_default(),
        elapsed: started.elapsed().unwrap_or_default(),
        pinned: Some(Pinned { total: pinned, new: lock.added(), lock_file: lock.shown() }),
        secrets: absent::told(request, hardened, built.log),
        stripped: stripped(hardened, request.smoke.len()),
        user: Some(user(hardened)),
        record: Some(record),
        cost: None,
    }
}

/// Paths that were to keep their bits and had none on any platform.
fn unused_keeps(hardened: &Hardened) -> Vec<&str> {
    let unused = |report: &StripReport, path: &String| report.unused_keeps.contains(path);
    let first = hardened.reports().next().map(|(_, report)| report);
    first
        .iter()
        .flat_map(|report| &report.unused_keeps)
        .filter(|path| hardened.reports().all(|(_, report)| unused(report, path)))
        .map(String::as_str)
        .collect()
}

/// The files of all platforms, each path once; `None` when every image is empty.
fn stripped(hardened: &Hardened, smoke: usize) -> Option<Stripped> {
    let paths = |files: fn(&StripReport) -> &[FileEntry]| {
        let all = hardened.reports().flat_map(|(_, report)| files(report));
        let paths: BTreeSet<String> = all.map(|file| file.path.clone()).collect();
        paths.into_iter().collect()
    };
    hardened.reports().next()?;
    let (removed, kept) = (paths(|report| &report.stripped), paths(|report| &report.kept));
    Some(Stripped { removed, kept, smoke })
}

fn user(hardened: &Hardened) -> String {
    let named = |platform: &HardenedPlatform| match platform.config.user() {
        "" => "root (the image sets no USER)".to_string(),
        user => user.to_string(),
    };
    let users: BTreeSet<String> = hardened.platforms().iter().map(named).collect();
    users.into_iter().collect::<Vec<_>>().join(", ")
}
