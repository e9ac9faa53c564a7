//! What several nodes built, put together: one index of all platforms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use cofferdam_frontend::Hardened;
use cofferdam_frontend::graph::digest;

use super::in_engine::Built;
use super::logs::Searched;
use super::outputs::{After, Outlets};
use super::push;
use crate::engine::Exported;
use crate::error::Error;
use crate::registry::Manifest;
use crate::request::{BuildRequest, Output};

const OCI: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// What the exporter says of what it made.
const DESCRIPTOR: &str = "containerimage.descriptor";
const DIGEST: &str = "containerimage.digest";

/// Refuses outputs that several nodes cannot fill together, before anything is sent.
pub(super) fn check(outputs: &[Output]) -> Result<(), Error> {
    for output in outputs {
        let (what, hint) = match output {
            Output::Docker { .. } => (
                "docker exporter does not currently support exporting manifest lists".to_string(),
                "build one platform at a time, or --push",
            ),
            Output::Oci { .. } | Output::Tar { .. } => (
                format!(
                    "{} exporter makes one file, and several nodes build these platforms",
                    output.kind()
                ),
                "write -o DIR or --push, or build the platforms of one node at a time",
            ),
            Output::Image { push: true, push_by_digest: true, .. } => (
                "push-by-digest is not supported when several nodes build".to_string(),
                "write --push with a tag, or build the platforms of one node at a time",
            ),
            Output::Local { .. } | Output::Image { .. } | Output::CacheOnly => continue,
        };
        return Err(Error::usage_hint(what, hint));
    }
    Ok(())
}

/// Refuses a push that cannot be put together here.
pub(super) fn check_push(outputs: &[Output], outlets: &Outlets) -> Result<(), Error> {
    let pushes = outputs.iter().any(|output| matches!(output, Output::Image { push: true, .. }));
    let later = outlets.after.iter().any(|after| matches!(after, After::Put { .. }));
    if !pushes || later {
        return Ok(());
    }
    Err(Error::Registry {
        message: "several nodes build, and the registry that would hold their index cannot be \
                  reached from here"
            .into(),
        hint: "see the reason with RUST_LOG=cofferdam=debug; check the name, the network and \
               `docker login`"
            .into(),
    })
}

/// Puts them together; the index that is to be named goes into `outlets`.
pub(super) async fn join(
    request: &BuildRequest,
    built: Vec<Built>,
    outlets: &mut Outlets,
) -> Result<Built, Error> {
    let mut hardened = Vec::new();
    let mut exported = Vec::new();
    let mut first: Option<Built> = None;
    let (mut log, mut bills) = (Searched::Whole, Vec::new());
    for mut one in built {
        if let Some(first) = &first {
            agree(first, &one)?;
        }
        hardened.push(one.hardened.clone());
        exported.push(one.exported.clone());
        log = log.max(one.log);
        bills.append(&mut one.bills);
        first.get_or_insert(one);
    }
    let nothing = || Error::usage("the nodes of the builder made nothing that fits together");
    let (first, hardened) =
        (first.ok_or_else(nothing)?, Hardened::join(hardened).ok_or_else(nothing)?);
    bills.sort_by(|a, b| a.platform.cmp(&b.platform));
    let version = first.exported.buildkit_version.clone();
    let warnings = exported.iter().flat_map(|one| one.warnings.clone()).collect();
    let mut all = Exported { buildkit_version: version, warnings, ..Exported::default() };
    for after in &mut outlets.after {
        let After::Put { names, insecure, index } = after else { continue };
        let mut manifests = Vec::new();
        for one in &exported {
            manifests.extend(entries(request, one, names, *insecure).await?);
        }
        let made = combined(manifests)?;
        let digest = digest(&made.bytes);
        let descriptor =
            json!({"mediaType": made.media_type, "digest": digest, "size": made.bytes.len()});
        all.answer.insert(DESCRIPTOR.into(), STANDARD.encode(descriptor.to_string()));
        all.answer.insert(DIGEST.into(), digest.clone());
        all.image_id = Some(digest.clone());
        all.manifest_digest = Some(digest);
        *index = Some(made);
    }
    Ok(Built { hardened, exported: all, log, bills, ..first })
}

/// Fails when two nodes built from different things.
fn agree(one: &Built, other: &Built) -> Result<(), Error> {
    let differ = |what: &str| {
        Err(Error::usage_hint(
            format!("{what} was not the same for all nodes of the builder"),
            "it changed while the build began: build again",
        ))
    };
    if one.dockerfile.bytes != other.dockerfile.bytes || one.text.bytes != other.text.bytes {
        return differ("the Dockerfile");
    }
    let theirs = other.hardened.sources();
    for mine in one.hardened.sources() {
        let same = theirs.iter().find(|source| source.source == mine.source);
        if same.is_some_and(|same| same.digest != mine.digest) {
            return differ(&format!("{:?}", mine.source));
        }
    }
    Ok(())
}

/// What a node adds to the index: the entries of its own.
async fn entries(
    request: &BuildRequest,
    exported: &Exported,
    names: &[cofferdam_frontend::pins::Reference],
    insecure: bool,
) -> Result<Vec<Value>, Error> {
    let told = exported.answer.get(DESCRIPTOR).and_then(|text| STANDARD.decode(text).ok());
    let descriptor = told.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let (Some(name), Some(digest)) = (names.first(), &exported.manifest_digest) else {
        return Err(Error::usage("a node of the builder named no digest for what it pushed"));
    };
    let made = push::read(request, digest, name, insecure).await?;
    if made.media_type != OCI && made.media_type != DOCKER {
        return Ok(descriptor.into_iter().collect());
    }
    let index: Option<Value> = serde_json::from_slice(&made.bytes).ok();
    let manifests = index.as_ref().and_then(|index| index.get("manifests")?.as_array()).cloned();
    manifests.ok_or_else(|| Error::usage(format!("{digest} is an index without manifests")))
}

/// An index of these entries; Docker's own kind when all of them are.
fn combined(manifests: Vec<Value>) -> Result<Manifest, Error> {
    let docker = |entry: &Value| {
        let kind = entry.get("mediaType").and_then(Value::as_str).unwrap_or_default();
        kind.starts_with("application/vnd.docker.")
    };
    let media_type = if manifests.iter().all(docker) { DOCKER } else { OCI };
    let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests});
    let bytes = serde_json::to_vec_pretty(&index)
        .map_err(|error| Error::usage(format!("cannot write the index: {error}")))?;
    Ok(Manifest::new(media_type, bytes.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_of_dockers_kind_only_when_all_of_it_is() {
        let entry = |kind: &str| json!({"mediaType": kind, "digest": "sha256:1", "size": 1});
        let docker = entry("application/vnd.docker.distribution.manifest.v2+json");
        let oci = entry("application/vnd.oci.image.manifest.v1+json");
        assert_eq!(combined(vec![docker.clone()]).unwrap().media_type, DOCKER);
        let both = combined(vec![docker, oci]).unwrap();
        assert_eq!(both.media_type, OCI);
        let text: Value = serde_json::from_slice(&both.bytes).unwrap();
        assert_eq!(text["manifests"].as_array().unwrap().len(), 2);
    }
}
