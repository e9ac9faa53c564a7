//! The last lines of a build: only what is true of this one.

use super::statement::Inputs;
use crate::report::verdict::{Pinned, Stripped, Verdict};

pub(super) fn of(inputs: &Inputs<'_>) -> Verdict {
    let Inputs { request, hardened, exported, lock, started, .. } = *inputs;
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
        secrets: secrets(inputs),
        stripped: report
            .map(|report| Stripped { removed: paths(&report.stripped), kept: paths(&report.kept) }),
        user: Some(user(hardened.config.user())),
        record: Some(format!("cofferdam provenance {name}; not signed")),
        cost: None,
    }
}

/// What was done is said; that the bytes are nowhere in the image is not proven yet.
fn secrets(inputs: &Inputs<'_>) -> Vec<String> {
    let ids: Vec<&str> = inputs.request.secrets.ids().collect();
    if ids.is_empty() {
        return Vec::new();
    }
    vec![format!("{}: given to RUN mounts only; layers not searched", ids.join(", "))]
}

fn user(user: &str) -> String {
    if user.is_empty() { "root (the image sets no USER)".into() } else { user.into() }
}
