//! The last lines of a build: only what is true of this one.

use std::path::Path;

use super::statement::Inputs;
use crate::report::verdict::{Pinned, Stripped, Verdict};

pub(super) fn of(inputs: &Inputs<'_>, record: &Path) -> Verdict {
    let Inputs { request, hardened, exported, lock, started, .. } = *inputs;
    let report = hardened.report.as_ref();
    let paths = |files: &[cofferdam_inspector::report::FileEntry]| {
        files.iter().map(|file| file.path.clone()).collect()
    };
    let pinned = hardened.sources.iter().filter(|source| source.digest.is_some()).count();
    Verdict {
        names: request.tags.iter().map(|tag| tag.familiar()).collect(),
        image: exported.image_id.clone(),
        elapsed: started.elapsed().unwrap_or_default(),
        pinned: Some(Pinned { total: pinned, new: lock.added(), lock_file: lock.shown() }),
        secrets: secrets(inputs),
        stripped: report
            .map(|report| Stripped { removed: paths(&report.stripped), kept: paths(&report.kept) }),
        user: Some(user(hardened.config.user())),
        record: Some(format!("provenance in {}; not signed", record.display())),
        cost: None,
    }
}

/// Where a secret can be is known; that its bytes are nowhere else is not proven yet.
fn secrets(inputs: &Inputs<'_>) -> Vec<String> {
    let ids: Vec<&str> = inputs.request.secrets.ids().collect();
    if ids.is_empty() {
        return Vec::new();
    }
    vec![format!("{}: mounted by RUN only, in no argument, layer input or record", ids.join(", "))]
}

fn user(user: &str) -> String {
    if user.is_empty() { "root (the image sets no USER)".into() } else { user.into() }
}
