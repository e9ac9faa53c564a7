//! What a gRPC status of BuildKit says: the message, and the lines of the Dockerfile it blames.
//!
//! Source: moby/buildkit, util/grpcerrors and solver/errdefs: details are `Any` values whose bytes
//! are JSON.

use bollard_buildkit_proto::google::rpc;
use cofferdam_frontend::bridge::{Blame, BridgeError};
use prost::Message as _;
use serde::Deserialize;
use tonic::Status;

#[derive(Deserialize)]
struct SourceDetail {
    info: Option<SourceInfo>,
    #[serde(default)]
    ranges: Vec<Range>,
}

#[derive(Deserialize)]
struct SourceInfo {
    #[serde(default)]
    filename: String,
}

#[derive(Deserialize)]
struct Range {
    start: Option<Position>,
    end: Option<Position>,
}

#[derive(Deserialize)]
struct Position {
    #[serde(default)]
    line: usize,
}

/// Sorts a status into "the build failed" and "the engine is gone".
pub(super) fn read(status: &Status) -> BridgeError {
    if is_lost(status) {
        return BridgeError::Lost(innermost(status));
    }
    BridgeError::Build { message: status.message().to_string(), blame: blame(status) }
}

/// Whether the connection rather than the build failed.
pub(super) fn is_lost(status: &Status) -> bool {
    status.code() == tonic::Code::Unavailable || std::error::Error::source(status).is_some()
}

fn innermost(status: &Status) -> String {
    let mut error: &dyn std::error::Error = status;
    while let Some(source) = error.source() {
        error = source;
    }
    match error.downcast_ref::<Status>() {
        Some(status) => status.message().to_string(),
        None => error.to_string(),
    }
}

fn blame(status: &Status) -> Option<Blame> {
    let details = rpc::Status::decode(status.details()).ok()?.details;
    details.iter().filter(|any| any.type_url.contains("errdefs.Source")).find_map(|any| {
        let detail: SourceDetail = serde_json::from_slice(&any.value).ok()?;
        let lines: Vec<(usize, usize)> = detail
            .ranges
            .iter()
            .filter_map(|range| {
                let start = range.start.as_ref()?.line;
                Some((start, range.end.as_ref().map_or(start, |end| end.line).max(start)))
            })
            .collect();
        let filename = detail.info.map(|info| info.filename).unwrap_or_default();
        (!lines.is_empty()).then_some(Blame { filename, lines })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard_buildkit_proto::google::protobuf::Any;

    #[test]
    fn lines_come_out_of_the_details() {
        let json = br#"{"info":{"filename":"Dockerfile","data":"eA=="},"ranges":[{"start":{"line":3},"end":{"line":4}}]}"#;
        let details = rpc::Status {
            details: vec![
                Any { type_url: "x/stack.Stack+json".into(), value: b"{}".to_vec() },
                Any {
                    type_url: "github.com/moby/buildkit/errdefs.Source+json".into(),
                    value: json.to_vec(),
                },
            ],
            ..rpc::Status::default()
        };
        let status = Status::with_details(
            tonic::Code::Unknown,
            "process failed",
            details.encode_to_vec().into(),
        );
        let BridgeError::Build { message, blame } = read(&status) else { panic!("lost") };
        assert_eq!(message, "process failed");
        let expected = Blame { filename: "Dockerfile".into(), lines: vec![(3, 4)] };
        assert_eq!(blame, Some(expected));
    }

    #[test]
    fn a_broken_connection_is_not_a_failed_build() {
        let lost = Status::from_error(Box::new(std::io::Error::other("broken pipe")));
        assert!(matches!(read(&lost), BridgeError::Lost(_)));
        let failed = Status::unknown("exit code 1");
        assert!(matches!(read(&failed), BridgeError::Build { blame: None, .. }));
    }
}
