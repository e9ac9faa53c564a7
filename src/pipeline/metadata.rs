//! `--metadata-file`: what buildx writes about a build, and what we know beyond it.
//!
//! Source: docker/buildx, commands/build.go and util/confutil/metadata.go.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_frontend::pins::Reference;
use serde_json::{Map, Value, json};

use super::in_engine::Built;
use super::outputs::{After, Outlets};
use super::statement::Known;
use crate::engine::ImageStore;
use crate::error::Error;
use crate::record::write_atomically;
use crate::report::progress::rawjson;
use crate::request::{MetadataContent, MetadataProvenance};

/// Writes the file, if one was asked for; it appears whole or not at all.
pub(super) fn write(known: Known<'_>, outlets: &Outlets) -> Result<(), Error> {
    let Some(path) = &known.job.request.metadata_file else { return Ok(()) };
    let mut text = serde_json::to_vec_pretty(&document(known, outlets))
        .map_err(|error| Error::usage(format!("cannot describe the build: {error}")))?;
    text.push(b'\n');
    write_atomically(path, &text).map_err(Error::io(format!("write {}", path.display())))
}

fn document(known: Known<'_>, outlets: &Outlets) -> Value {
    let Known { job, built, .. } = known;
    let mut document: Map<String, Value> = decoded(&built.exported.answer);
    let builder = &job.request.builder.builder;
    let node = builder.nodes.first().map_or("", |node| node.name.as_str());
    document.insert(
        "buildx.build.ref".into(),
        json!(format!("{}/{node}/{}", builder.name, job.id.as_str())),
    );
    if let Some(names) = image_names(known, outlets) {
        document.insert("image.name".into(), json!(names.join(",")));
    }
    let MetadataContent { provenance, warnings } = job.request.metadata;
    if provenance != MetadataProvenance::Disabled {
        let predicate = known.facts(|facts| facts.predicate(provenance == MetadataProvenance::Max));
        for key in provenance_keys(built) {
            document.insert(key, predicate.clone());
        }
    }
    if warnings && !built.exported.warnings.is_empty() {
        let told: Vec<Value> = built.exported.warnings.iter().map(rawjson::warning).collect();
        document.insert("buildx.build.warnings".into(), json!(told));
    }
    if let Some(id) = &built.exported.image_id {
        document.insert("cofferdam.image.id".into(), json!(id));
    }
    // Each once, whatever number of platforms has it.
    let stripped: BTreeSet<&str> = built
        .hardened
        .reports()
        .flat_map(|(_, report)| &report.stripped)
        .map(|file| file.path.as_str())
        .collect();
    document.insert("cofferdam.stripped".into(), json!(stripped));
    Value::Object(document)
}

/// One for each platform of an index.
fn provenance_keys(built: &Built) -> Vec<String> {
    const KEY: &str = "buildx.build.provenance";
    if !built.hardened.is_per_platform() {
        return vec![KEY.into()];
    }
    built.hardened.platforms().iter().map(|platform| format!("{KEY}/{}", platform.id)).collect()
}

/// The image's names as the exporters of BuildKit have them: of a classic store without the tag that
/// nobody typed, from a builder to a registry as they were typed. `None` when it got no name here.
fn image_names(known: Known<'_>, outlets: &Outlets) -> Option<Vec<String>> {
    let Known { job, built, .. } = known;
    let names = |after: &After| match after {
        After::Name(names) | After::Put { names, .. } => names.clone(),
        After::Push(_) => Vec::new(),
    };
    let mut named: Vec<Reference> = outlets.after.iter().flat_map(names).collect();
    named.extend(built.loaded.iter().flat_map(|loaded| loaded.names.clone()));
    if named.is_empty() {
        return None;
    }
    let typed = &job.request.typed_tags;
    let puts = outlets.after.iter().any(|after| matches!(after, After::Put { .. }));
    if puts && !typed.is_empty() {
        return Some(typed.clone());
    }
    if job.engine.facts().store == ImageStore::Classic && !typed.is_empty() {
        let read = typed.iter().filter_map(|tag| Reference::parse_normalized(tag).ok());
        let name = |name: Reference| match &name.tag {
            None => name.name(),
            Some(_) => name.canonical(),
        };
        return Some(read.map(name).collect());
    }
    let mut names: Vec<String> = named.iter().map(Reference::canonical).collect();
    names.dedup();
    Some(names)
}

/// The exporters' answer: what is JSON inside of base64 becomes JSON, as with buildx.
fn decoded(answer: &BTreeMap<String, String>) -> Map<String, Value> {
    let value = |text: &String| {
        let bytes = STANDARD.decode(text).ok()?;
        let inner = serde_json::from_slice(&bytes).ok()?;
        let full = match &inner {
            Value::Object(fields) => !fields.is_empty(),
            Value::Array(list) => !list.is_empty() && list.iter().all(Value::is_object),
            _ => false,
        };
        full.then_some(inner)
    };
    let pairs = answer.iter();
    pairs.map(|(key, text)| (key.clone(), value(text).unwrap_or_else(|| json!(text)))).collect()
}
