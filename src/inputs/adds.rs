//! Downloads and repositories of ADD: fixed in the text by what the lock holds of them.
//!
//! What it does not hold stays as it is, and the judge of the graph has the last word either way.

use cofferdam_frontend::bridge::Bridge as _;
use cofferdam_frontend::dockerfile::{Dockerfile, Scope};
use cofferdam_frontend::pins::{Entry, Fixes, Lock, PinError, RemoteSource, pin_adds, remote_adds};

use super::Resolver;
use crate::error::Error;

/// A capability that came with the Dockerfile frontend that knows `ADD --checksum`, BuildKit 0.12:
/// frontends do not list their flags.
const KNOWS_CHECKSUM: &str = "gateway.exec.secretenv";

/// Everything that a lock says of them.
pub(crate) fn fixes(lock: &Lock) -> Fixes {
    let mut fixes = Fixes::default();
    for entry in lock.entries() {
        match entry {
            Entry::Http(http) => drop(fixes.http.insert(http.url, http.checksum)),
            Entry::Git(git) => drop(fixes.git.insert(git.at, git.commit)),
            Entry::Image(_) => {}
        }
    }
    fixes
}

impl Resolver<'_> {
    /// Writes checksums and commits into the bytes that the engine gets; `foreign` tells whether
    /// another frontend than its own reads them.
    pub(super) async fn fix_adds(
        &self,
        bytes: Vec<u8>,
        scope: &Scope,
        foreign: bool,
    ) -> Result<Result<Vec<u8>, PinError>, Error> {
        let mut fixes = fixes(&*self.lock.lock().await);
        if fixes == Fixes::default() {
            return Ok(Ok(bytes));
        }
        let adds = remote_adds(&Dockerfile::parse(&bytes), scope);
        let downloads = adds.iter().any(|add| {
            let known =
                matches!(&add.source, RemoteSource::Http(url) if fixes.http.contains_key(url));
            known && add.reachable && !add.fixed
        });
        if downloads && !foreign {
            let told = self.gateway.ping().await;
            let told = told.map_err(|error| Error::EngineLost(error.to_string()))?;
            if !told.gateway.contains(KNOWS_CHECKSUM) {
                fixes.http.clear();
            }
        }
        Ok(pin_adds(&bytes, scope, &fixes, true).map(|(bytes, _)| bytes))
    }
}
