//! `--attest`, `--provenance`, `--sbom`: statements that BuildKit attaches to the image, beside the
//! record that is always made.
//!
//! Only where somebody asks: an image with statements is an index with an entry for no platform,
//! which some registries and services do not take.

use std::collections::BTreeMap;

use cofferdam_frontend::bridge::Bridge;

use crate::engine::{Engine, EngineKind, ImageStore};
use crate::error::Error;
use crate::request::{Attest, BuildRequest, Output, attest_parameters};

/// BuildKit's word for exporters that attach statements.
const CAPABILITY: &str = "exporter.image.attestations";

const SBOM: &str = "sbom";

/// What BuildKit is to make by itself, as its options `attest:KIND`. An SBOM is ours, or
/// a step of the build, so that its generator is pinned: see `bill` and `scan`.
pub(super) fn options(request: &BuildRequest) -> BTreeMap<String, String> {
    let wanted = wanted(request).filter(|(kind, _)| *kind != SBOM);
    wanted.map(|(kind, options)| (format!("attest:{kind}"), options.to_string())).collect()
}

/// Who writes an SBOM.
pub(super) struct Generator {
    /// Its image, as it was typed.
    pub(super) name: String,
    pub(super) parameters: BTreeMap<String, String>,
}

/// The generator that is to write an SBOM, if one was named.
pub(super) fn generator(request: &BuildRequest) -> Result<Option<Generator>, Error> {
    let Some((named, parameters)) = sbom(request) else { return Ok(None) };
    match (named, parameters.keys().next()) {
        (Some(name), _) => Ok(Some(Generator { name, parameters })),
        (None, None) => Ok(None),
        (None, Some(parameter)) => Err(Error::usage_hint(
            format!("--sbom: {parameter} is for a generator, and none is named"),
            "write --sbom generator=IMAGE, or leave the parameter out",
        )),
    }
}

/// Whether an SBOM of our own is to be attached: no image and no network is needed for it.
pub(super) fn is_ours(request: &BuildRequest) -> bool {
    sbom(request).is_some_and(|(named, _)| named.is_none())
}

/// What an SBOM is made with, if one is asked for.
fn sbom(request: &BuildRequest) -> Option<(Option<String>, BTreeMap<String, String>)> {
    let (_, options) = wanted(request).find(|(kind, _)| *kind == SBOM)?;
    let mut parameters = attest_parameters(options);
    parameters.remove("type");
    let named = parameters.remove("generator").filter(|name| !name.is_empty());
    Some((named, parameters))
}

fn wanted(request: &BuildRequest) -> impl Iterator<Item = (&str, &str)> {
    request.attests.iter().filter_map(|(kind, attest)| match attest {
        Attest::On(options) if request.call.is_none() => Some((kind.as_str(), options.as_str())),
        _ => None,
    })
}

/// Refuses statements that nothing would hold, before anything is sent.
pub(super) fn check(
    request: &BuildRequest,
    engine: &Engine,
    outputs: &[Output],
) -> Result<(), Error> {
    if wanted(request).next().is_none() {
        return Ok(());
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
    if wanted(request).next().is_none() {
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
