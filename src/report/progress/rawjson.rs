//! The status stream as JSON, one message a line, byte for byte as buildx encodes it.
//!
//! The fields are those of `SolveStatus` in BuildKit's Go client, in its order and with its rules of
//! what is left out.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1 as api;
use bollard_buildkit_proto::pb;
use serde::Serialize;

use super::definition::{Definition, definition};
use super::gojson;
use crate::report::filter::{Filter, Unfiltered};

#[derive(Default, Serialize)]
struct SolveStatus<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vertexes: Vec<Vertex<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statuses: Vec<VertexStatus<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logs: Vec<VertexLog<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<VertexWarning<'a>>,
}

#[derive(Serialize)]
struct Vertex<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    digest: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    inputs: &'a [String],
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    cached: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(rename = "progressGroup", skip_serializing_if = "Option::is_none")]
    progress_group: Option<ProgressGroup<'a>>,
}

#[derive(Serialize)]
pub(super) struct ProgressGroup<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) id: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) weak: bool,
}

#[derive(Serialize)]
struct VertexStatus<'a> {
    id: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    vertex: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "is_zero")]
    total: i64,
    current: i64,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed: Option<String>,
}

#[derive(Serialize)]
struct VertexLog<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    vertex: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    stream: i64,
    /// `null` for no bytes.
    data: Option<String>,
    timestamp: String,
}

#[derive(Default, Serialize)]
struct VertexWarning<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    vertex: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    level: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    short: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    detail: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'a str,
    #[serde(rename = "sourceInfo", skip_serializing_if = "Option::is_none")]
    source_info: Option<SourceInfo<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    range: Vec<Range>,
}

#[derive(Serialize)]
struct SourceInfo<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    filename: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<Definition<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
}

#[derive(Serialize)]
pub(super) struct Range {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Position>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Position>,
}

#[derive(Serialize)]
struct Position {
    #[serde(skip_serializing_if = "is_zero")]
    line: i64,
    #[serde(skip_serializing_if = "is_zero")]
    character: i64,
}

/// The encoder of a stream.
#[derive(Debug)]
pub(crate) struct RawJson<F> {
    filter: F,
    /// Unfinished lines per step and stream, for a filter that wants whole ones.
    held: BTreeMap<(String, i64), Vec<u8>>,
}

impl<F: Filter> RawJson<F> {
    /// An encoder that shows nothing but what `filter` lets through.
    pub(crate) fn new(filter: F) -> Self {
        Self { filter, held: BTreeMap::new() }
    }

    /// One line for one message; none where all of it is kept back.
    pub(crate) fn encode(&mut self, status: &api::StatusResponse) -> Vec<u8> {
        let mut logs: Vec<VertexLog<'_>> =
            status.logs.iter().filter_map(|log| self.log(log)).collect();
        for vertex in &status.vertexes {
            if let Some(at) = &vertex.completed {
                logs.extend(self.rest_of(&vertex.digest, at));
            }
        }
        let only_logs =
            status.vertexes.is_empty() && status.statuses.is_empty() && status.warnings.is_empty();
        if only_logs && logs.is_empty() && !status.logs.is_empty() {
            return Vec::new();
        }
        let text = |text: &str| self.filter.text(text).into_owned();
        let bytes = |bytes: &Vec<u8>| STANDARD.encode(text(&String::from_utf8_lossy(bytes)));
        gojson::line(&SolveStatus {
            vertexes: status.vertexes.iter().map(|v| vertex(v, text)).collect(),
            statuses: status.statuses.iter().map(|s| transfer(s, text)).collect(),
            logs,
            warnings: status.warnings.iter().map(|w| self.warning(w, bytes)).collect(),
        })
    }

    /// The unfinished lines of steps that never ended.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return Vec::new();
        }
        let logs = held.iter().map(|((vertex, stream), data)| VertexLog {
            vertex,
            stream: *stream,
            data: Some(self.lines(data)),
            timestamp: gojson::time(None),
        });
        gojson::line(&SolveStatus { logs: logs.collect(), ..SolveStatus::default() })
    }

    fn log<'a>(&mut self, log: &'a api::VertexLog) -> Option<VertexLog<'a>> {
        let key = (log.vertex.clone(), log.stream);
        let mut data = self.held.remove(&key).unwrap_or_default();
        data.extend_from_slice(&log.msg);
        if self.filter.whole_lines() {
            let whole = data.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            let rest = data.split_off(whole);
            if !rest.is_empty() {
                self.held.insert(key, rest);
            }
            if data.is_empty() && !log.msg.is_empty() {
                return None;
            }
        }
        Some(VertexLog {
            vertex: &log.vertex,
            stream: log.stream,
            data: (!data.is_empty()).then(|| self.lines(&data)),
            timestamp: gojson::time(log.timestamp.as_ref()),
        })
    }

    /// The unfinished lines of a step that is over.
    fn rest_of<'a>(&mut self, vertex: &'a str, at: &Timestamp) -> Vec<VertexLog<'a>> {
        let keys: Vec<_> = self.held.keys().filter(|key| key.0 == vertex).cloned().collect();
        let rest = keys.into_iter().filter_map(|key| self.held.remove_entry(&key));
        let rest: Vec<_> = rest.collect();
        let lines = rest.into_iter().map(|((_, stream), data)| VertexLog {
            vertex,
            stream,
            data: Some(self.lines(&data)),
            timestamp: gojson::time(Some(at)),
        });
        lines.collect()
    }

    fn lines(&self, data: &[u8]) -> String {
        let lines = data.split(|&byte| byte == b'\n').map(|line| self.filter.line(line));
        STANDARD.encode(lines.collect::<Vec<_>>().join(&b'\n'))
    }

    fn warning<'a>(
        &self,
        warning: &'a api::VertexWarning,
        bytes: impl Fn(&Vec<u8>) -> String,
    ) -> VertexWarning<'a> {
        VertexWarning {
            vertex: &warning.vertex,
            level: warning.level,
            short: bytes(&warning.short),
            detail: warning.detail.iter().map(bytes).collect(),
            url: &warning.url,
            source_info: warning.info.as_ref().map(|info| SourceInfo {
                filename: &info.filename,
                data: self.lines(&info.data),
                definition: info
                    .definition
                    .as_ref()
                    .map(|found| definition(found, |text| self.filter.text(text).into_owned())),
                language: &info.language,
            }),
            range: warning.ranges.iter().map(range).collect(),
        }
    }
}

/// Lines of a file.
pub(super) fn range(range: &pb::Range) -> Range {
    let position = |at: pb::Position| Position {
        line: i64::from(at.line),
        character: i64::from(at.character),
    };
    Range { start: range.start.map(position), end: range.end.map(position) }
}

/// One warning as the stream has it.
pub(crate) fn warning(warning: &api::VertexWarning) -> serde_json::Value {
    let json = RawJson::new(Unfiltered);
    let encoded = json.warning(warning, |bytes| STANDARD.encode(bytes));
    // Only maps with keys that are no strings fail, and there are none.
    serde_json::to_value(encoded).unwrap_or_default()
}

/// A notice of ours as a warning of the stream, so that whoever reads it reads JSON only.
pub(crate) fn notice(text: &str) -> Vec<u8> {
    let warning =
        VertexWarning { level: 1, short: STANDARD.encode(text), ..VertexWarning::default() };
    gojson::line(&SolveStatus { warnings: vec![warning], ..SolveStatus::default() })
}

fn vertex(vertex: &api::Vertex, text: impl Fn(&str) -> String) -> Vertex<'_> {
    Vertex {
        digest: &vertex.digest,
        inputs: &vertex.inputs,
        name: text(&vertex.name),
        started: vertex.started.as_ref().map(|at| gojson::time(Some(at))),
        completed: vertex.completed.as_ref().map(|at| gojson::time(Some(at))),
        cached: vertex.cached,
        error: text(&vertex.error),
        progress_group: vertex.progress_group.as_ref().map(|group| ProgressGroup {
            id: &group.id,
            name: text(&group.name),
            weak: group.weak,
        }),
    }
}

fn transfer(status: &api::VertexStatus, text: impl Fn(&str) -> String) -> VertexStatus<'_> {
    VertexStatus {
        id: text(&status.id),
        vertex: &status.vertex,
        name: text(&status.name),
        total: status.total,
        current: status.current,
        timestamp: gojson::time(status.timestamp.as_ref()),
        started: status.started.as_ref().map(|at| gojson::time(Some(at))),
        completed: status.completed.as_ref().map(|at| gojson::time(Some(at))),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
pub(super) fn is_zero(value: &i64) -> bool {
    *value == 0
}
