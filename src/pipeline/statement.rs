//! The record of a build that succeeded.

use std::time::SystemTime;

use cofferdam_frontend::graph::digest;

use super::absent;
use super::bill;
use super::in_engine::{Built, Job};
use crate::attest::provenance::{Facts, SentTree};
use crate::engine::Exported;
use crate::error::Error;
use crate::helper;
use crate::inputs::LockFile;
use crate::record::Store;
use crate::request::{BuildRequest, Network};

/// Everything that is known at the end.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) job: Job<'a>,
    pub(super) built: &'a Built,
    pub(super) lock: &'a LockFile,
    pub(super) started: SystemTime,
}

impl Known<'_> {
    /// Writes the statement under the image's ID.
    pub(super) fn record(&self) -> Result<(), Error> {
        let store = Store::open(self.job.request.data_dir.clone());
        // Files and what nobody keeps have no name by which a record could be found again.
        let Some(image) = &self.built.exported.image_id else { return Ok(()) };
        let statement = self.facts(|facts| facts.statement());
        absent::check_record(self.job.request, &statement)?;
        let bills = &self.built.bills;
        if !bills.is_empty() {
            let kept = bill::kept(bills)?;
            Store::of_bills(self.job.request.data_dir.clone()).write(image, &kept)?;
        }
        store.write(image, &statement).map(drop)
    }

    /// What `tell` makes of everything that can be stated.
    pub(super) fn facts<T>(&self, tell: impl FnOnce(&Facts<'_>) -> T) -> T {
        let Self { job, built, lock, started } = *self;
        let Job { request, taken: _, engine, id, locals, files, namespace: _, logs: _ } = job;
        let Built {
            dockerfile,
            text,
            hardened,
            exported,
            loaded: _,
            checked: _,
            origin,
            log: _,
            bills: _,
        } = built;
        let context = files.report(locals.context());
        let facts = Facts {
            subjects: subjects(request, exported),
            dockerfile: &dockerfile.shown,
            target: request.target.as_deref(),
            platform: &platforms(request, &engine.facts().platform),
            build_args: &text.build_args,
            labels: &request.labels,
            secret_ids: request.secrets.ids().collect(),
            no_network: request.network == Network::None,
            keep: &request.keep,
            locked: request.locked,
            strip_capabilities: request.strip_capabilities,
            smoke: &request.smoke,
            exceptions: request.exceptions.used(),
            sources: &hardened.sources(),
            dockerfile_digest: digest(&dockerfile.bytes),
            pinned_dockerfile_digest: digest(&text.bytes),
            context: context.map(|sent| SentTree {
                digest: sent.digest,
                files: sent.files,
                bytes: sent.bytes,
            }),
            lock_digest: lock.digest(),
            helper_digest: helper::digest(),
            networked: hardened.networked(),
            strip: hardened.reports().collect(),
            searched: absent::searched(request, hardened),
            engine_version: &engine.facts().version,
            buildkit_version: exported.buildkit_version.as_deref(),
            origin: origin
                .as_ref()
                .filter(|_| request.vcs.as_ref().is_some_and(|asked| asked.info)),
            in_ci: request.in_ci,
            invocation: id.as_str(),
            started,
            finished: SystemTime::now(),
        };
        tell(&facts)
    }
}

/// What was built for; the engine's own platform where nobody said.
fn platforms(request: &BuildRequest, native: &str) -> String {
    if request.platforms.is_empty() { native.to_string() } else { request.platforms.join(",") }
}

/// The image by every digest it has: an image that was not pushed may have no manifest yet.
fn subjects(request: &BuildRequest, exported: &Exported) -> Vec<(String, String)> {
    let name = request.tags.first().map_or_else(|| "image".to_string(), |tag| tag.familiar());
    let mut digests: Vec<&String> = exported.image_id.iter().collect();
    digests.extend(&exported.config_digest);
    digests.extend(&exported.manifest_digest);
    digests.sort();
    digests.dedup();
    digests.into_iter().map(|digest| (name.clone(), digest.clone())).collect()
}
