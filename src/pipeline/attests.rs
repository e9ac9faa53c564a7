//! `--attest`, `--provenance`, `--sbom`: statements that BuildKit attaches to the image, beside the
//! record that is always made.
//!
//! Only where somebody asks: an image with statements is an index with an entry for no platform,
//! which some registries and services do not take.

use std::collections::BTreeMap;

use cofferdam_frontend::bridge::Bridge;

use crate::engine::{Engine, EngineKind, ImageStore};
use crate::error::Error;
use crate::request::{Attest, BuildRequest, Output};

/// BuildKit's word for exporters that attach statements.
const CAPABILITY: &str = "exporter.image.attestations";

/// What is asked for, as BuildKit's options `attest:KIND`.
pub(super) fn options(request: &BuildRequest) -> BTreeMap<String, String> {
    let wanted = request.attests.iter().filter_map(|(kind, attest)| match attest {
        Attest::On(options) if request.call.is_none() => Some((kind, options)),
        _ => None,
    });
    wanted.map(|(kind, options)| (format!("attest:{kind}"), options.clone())).collect()
}

/// Refuses statements that nothing would hold, before anything is sent.
pub(super) fn check(
    request: &BuildRequest,
    engine: &Engine,
    outputs: &[Output],
) -> Result<(), Error> {
    let options = options(request);
    if options.is_empty() {
        return Ok(());
    }
    if options.contains_key("attest:sbom") {
        return Err(Error::usage_hint(
            "--sbom is not supported by this version",
            "nothing was built; scan the image when it is built, or use docker buildx build",
        ));
    }
    if engine.kind() == EngineKind::Docker && engine.facts().store == ImageStore::Classic {
        return Err(Error::usage_hint(
            "Attestation is not supported for the docker driver",
            "leave it out: `cofferdam provenance` shows the record that every build has. \
             To attach one, turn on the containerd image store, or use a builder of driver \
             docker-container or remote",
        ));
    }
    let archive = |output: &Output| matches!(output, Output::Docker { dest: Some(_), .. });
    if outputs.iter().any(archive) {
        return Err(Error::usage_hint(
            "docker exporter does not support exporting manifest lists",
            "write -o type=oci,dest=FILE, or leave the attestations out",
        ));
    }
    Ok(())
}

/// Refuses statements that the engine's BuildKit would leave out without a word.
pub(super) async fn check_engine<B: Bridge>(
    request: &BuildRequest,
    bridge: &B,
) -> Result<(), Error> {
    if options(request).is_empty() {
        return Ok(());
    }
    // An engine that does not answer is found out by the next call.
    let Ok(known) = bridge.ping().await else { return Ok(()) };
    if known.llb.contains(CAPABILITY) {
        return Ok(());
    }
    Err(Error::usage_hint(
        "attestations are not supported by this engine's BuildKit",
        "BuildKit 0.11 and later attach them; leave them out: `cofferdam provenance` shows the \
         record that every build has",
    ))
}
