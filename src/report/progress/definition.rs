//! Where the engine had a source file from, as Go writes it: a graph and what belongs to it.
//!
//! Source: moby/buildkit, solver/pb/ops.pb.go.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard_buildkit_proto::pb;
use serde::Serialize;

use super::rawjson::{ProgressGroup, Range, is_false, is_zero, range};

#[derive(Serialize)]
pub(super) struct Definition<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    def: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<&'a str, Metadata<'a>>,
    #[serde(rename = "Source", skip_serializing_if = "Option::is_none")]
    source: Option<Source<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "is_false")]
    ignore_cache: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    description: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_cache: Option<ExportCache>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    caps: BTreeMap<&'a str, bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress_group: Option<ProgressGroup<'a>>,
}

#[derive(Serialize)]
struct ExportCache {
    #[serde(rename = "Value", skip_serializing_if = "is_false")]
    value: bool,
}

/// Without files: they would be sources of a source.
#[derive(Serialize)]
struct Source<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    locations: BTreeMap<&'a str, Locations>,
}

#[derive(Serialize)]
struct Locations {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
}

#[derive(Serialize)]
struct Location {
    #[serde(rename = "sourceIndex", skip_serializing_if = "is_zero")]
    source_index: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<Range>,
}

/// `text` is what every text passes.
pub(super) fn definition<'a>(
    definition: &'a pb::Definition,
    text: impl Fn(&str) -> String,
) -> Definition<'a> {
    let metadata = |of: &'a pb::OpMetadata| Metadata {
        ignore_cache: of.ignore_cache,
        description: of
            .description
            .iter()
            .map(|(key, value)| (key.as_str(), text(value)))
            .collect(),
        export_cache: of.export_cache.as_ref().map(|export| ExportCache { value: export.value }),
        caps: of.caps.iter().map(|(cap, on)| (cap.as_str(), *on)).collect(),
        progress_group: of.progress_group.as_ref().map(|group| ProgressGroup {
            id: &group.id,
            name: text(&group.name),
            weak: group.weak,
        }),
    };
    Definition {
        def: definition.def.iter().map(|op| STANDARD.encode(op)).collect(),
        metadata: definition
            .metadata
            .iter()
            .map(|(key, of)| (key.as_str(), metadata(of)))
            .collect(),
        source: definition.source.as_ref().map(|source| Source {
            locations: source
                .locations
                .iter()
                .map(|(key, at)| (key.as_str(), places(at)))
                .collect(),
        }),
    }
}

fn places(at: &pb::Locations) -> Locations {
    let one = |at: &pb::Location| Location {
        source_index: i64::from(at.source_index),
        ranges: at.ranges.iter().map(range).collect(),
    };
    Locations { locations: at.locations.iter().map(one).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::progress::gojson;

    #[test]
    fn it_is_written_as_buildx_writes_it() {
        let metadata = |caps: &[&str], description: &[(&str, &str)]| pb::OpMetadata {
            caps: caps.iter().map(|cap| ((*cap).to_string(), true)).collect(),
            description: description.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            ..pb::OpMetadata::default()
        };
        let found = pb::Definition {
            def: vec![b"one".to_vec(), b"two".to_vec()],
            metadata: [
                ("sha256:5".to_string(), metadata(&["constraints", "platform"], &[])),
                ("sha256:d".to_string(), metadata(&["source.local"], &[("llb.customname", "x")])),
            ]
            .into(),
            source: Some(pb::Source {
                locations: [("sha256:d".to_string(), pb::Locations::default())].into(),
                infos: Vec::new(),
            }),
        };
        let line = gojson::line(&definition(&found, str::to_uppercase));
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "{\"def\":[\"b25l\",\"dHdv\"],\"metadata\":{\
             \"sha256:5\":{\"caps\":{\"constraints\":true,\"platform\":true}},\
             \"sha256:d\":{\"description\":{\"llb.customname\":\"X\"},\
             \"caps\":{\"source.local\":true}}},\
             \"Source\":{\"locations\":{\"sha256:d\":{}}}}\n"
        );
    }
}
