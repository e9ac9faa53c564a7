//! Documents of ours about a finished image, for the engine to attach.

use std::collections::BTreeMap;

use super::Hardened;
use crate::bridge::{Bridge, BridgeError, Solve};
use crate::graph::one_file;

/// The document in its directory. BuildKit adds to documents of another name what its own scanner
/// left out; ours is complete. Source: moby/buildkit, exporter/containerimage/attestations.go.
const NAME: &str = "cofferdam.spdx.json";

impl Hardened {
    /// Attaches an in-toto statement to each platform's image that has one and is not empty.
    ///
    /// A statement names no subject: BuildKit fills in the image, whose digest nobody knows yet.
    pub async fn describe<B: Bridge>(
        &mut self,
        bridge: &B,
        mut statements: BTreeMap<String, Vec<u8>>,
    ) -> Result<(), BridgeError> {
        let several = self.platforms.len() > 1;
        for platform in self.platforms.iter_mut().filter(|one| one.reference.is_some()) {
            let Some(statement) = statements.remove(&platform.id) else { continue };
            let of = if several { format!(" of {}", platform.id) } else { String::new() };
            let definition = one_file(NAME, statement, &format!("[cofferdam] SBOM{of}"));
            let made = bridge.solve(Solve::Definition { definition, evaluate: true }).await?;
            platform.sbom = made.parts.single()?.reference;
        }
        Ok(())
    }
}
