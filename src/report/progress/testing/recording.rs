//! Reads status streams that were recorded from engines.

use base64::Engine as _;
use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1 as api;
use bollard_buildkit_proto::pb;
use serde_json::Value;

/// One message of a recording.
pub(crate) fn status(value: &Value) -> api::StatusResponse {
    api::StatusResponse {
        vertexes: list(&value["vertexes"], vertex),
        statuses: list(&value["statuses"], transfer),
        logs: list(&value["logs"], log),
        warnings: list(&value["warnings"], warning),
    }
}

fn list<T>(value: &Value, read: fn(&Value) -> T) -> Vec<T> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(read).collect()
}

fn vertex(value: &Value) -> api::Vertex {
    let group = &value["progressGroup"];
    api::Vertex {
        digest: string(&value["digest"]),
        inputs: list(&value["inputs"], string),
        name: string(&value["name"]),
        cached: value["cached"].as_bool().unwrap_or_default(),
        started: time(&value["started"]),
        completed: time(&value["completed"]),
        error: string(&value["error"]),
        progress_group: group.is_object().then(|| pb::ProgressGroup {
            id: string(&group["id"]),
            name: string(&group["name"]),
            weak: group["weak"].as_bool().unwrap_or_default(),
        }),
    }
}

fn transfer(value: &Value) -> api::VertexStatus {
    api::VertexStatus {
        id: string(&value["id"]),
        vertex: string(&value["vertex"]),
        name: string(&value["name"]),
        current: value["current"].as_i64().unwrap_or_default(),
        total: value["total"].as_i64().unwrap_or_default(),
        timestamp: time(&value["timestamp"]),
        started: time(&value["started"]),
        completed: time(&value["completed"]),
    }
}

fn warning(value: &Value) -> api::VertexWarning {
    let info = &value["sourceInfo"];
    let position = |value: &Value| pb::Position {
        line: value["line"].as_i64().unwrap_or_default() as i32,
        character: value["character"].as_i64().unwrap_or_default() as i32,
    };
    let ranges = value["range"].as_array().map(Vec::as_slice).unwrap_or_default();
    api::VertexWarning {
        vertex: string(&value["vertex"]),
        level: value["level"].as_i64().unwrap_or_default(),
        short: bytes(&value["short"]),
        detail: list(&value["detail"], bytes),
        url: string(&value["url"]),
        info: info.is_object().then(|| pb::SourceInfo {
            filename: string(&info["filename"]),
            data: bytes(&info["data"]),
            definition: None,
            language: string(&info["language"]),
        }),
        ranges: ranges
            .iter()
            .map(|range| pb::Range {
                start: Some(position(&range["start"])),
                end: Some(position(&range["end"])),
            })
            .collect(),
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_default();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

fn log(value: &Value) -> api::VertexLog {
    api::VertexLog {
        vertex: string(&value["vertex"]),
        timestamp: time(&value["timestamp"]),
        stream: value["stream"].as_i64().unwrap_or_default(),
        msg: bytes(&value["data"]),
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Reads `2026-11-22T00:00:26.378051002Z`.
fn time(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?.strip_suffix('Z').unwrap();
    let (date, clock) = text.split_once('T').unwrap();
    let numbers = |text: &str, sign| -> Vec<i64> {
        text.split(sign).map(|part| part.parse().unwrap()).collect()
    };
    let (clock, nanos) = clock.split_once('.').unwrap_or((clock, "0"));
    let (date, clock) = (numbers(date, '-'), numbers(clock, ':'));
    // Days since the epoch, counting years from March.
    let (year, month) =
        if date[1] > 2 { (date[0], date[1] - 3) } else { (date[0] - 1, date[1] + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400;
    let days = days + (153 * month + 2) / 5 + date[2] - 1 - 719_468;
    Some(Timestamp {
        seconds: days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2],
        nanos: format!("{nanos:0<9}").parse().unwrap(),
    })
}
