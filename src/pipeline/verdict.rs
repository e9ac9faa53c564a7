//! The last lines of a build: only what is true of this one.

use super::in_engine::Built;
use super::statement::Known;
use crate::report::printer::Printer;
use crate::report::verdict::{Pinned, Stripped, Verdict};
use crate::request::BuildRequest;

/// Prints them, unless nothing but the end was asked for.
pub(super) fn print(known: &Known<'_>, printer: &Printer) {
    for path in known.built.hardened.report.iter().flat_map(|report| &report.unused_keeps) {
        printer.notice(&format!("--keep-suid {path}: no file of that path has a bit to keep"));
    }
    known.job.request.exceptions.unused_notices().iter().for_each(|text| printer.notice(text));
    if known.job.request.progress.mode.is_for_people() {
        printer.verdict(&of(known));
    }
}

fn of(known: &Known<'_>) -> Verdict {
    let Known { job, built, lock, started } = *known;
    let Built { hardened, exported, .. } = built;
    let request = job.request;
    let report = hardened.report.as_ref();
    let paths = |files: &[cofferdam_inspector::report::FileEntry]| {
        files.iter().map(|file| file.path.clone()).collect()
    };
    let pinned = hardened.sources.iter().filter(|source| source.digest.is_some()).count();
    let name = request.tags.first().map_or_else(|| exported.image_id.clone(), |tag| tag.familiar());
    Verdict {
        names: request.tags.iter().map(|tag| tag.familiar()).collect(),
        image: exported.image_id.clone(),
        elapsed: started.elapsed().unwrap_or_default(),
        pinned: Some(Pinned { total: pinned, new: lock.added(), lock_file: lock.shown() }),
        secrets: secrets(request),
        stripped: report
            .map(|report| Stripped { removed: paths(&report.stripped), kept: paths(&report.kept) }),
        user: Some(user(hardened.config.user())),
        record: Some(format!("cofferdam provenance {name}; not signed")),
        cost: None,
    }
}

/// What was done is said; that the bytes are nowhere in the image is not proven yet.
fn secrets(request: &BuildRequest) -> Vec<String> {
    let ids: Vec<&str> = request.secrets.ids().collect();
    if ids.is_empty() {
        return Vec::new();
    }
    vec![format!("{}: given to RUN mounts only; layers not searched", ids.join(", "))]
}

fn user(user: &str) -> String {
    if user.is_empty() { "root (the image sets no USER)".into() } else { user.into() }
}
