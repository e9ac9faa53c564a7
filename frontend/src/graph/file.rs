//! One file of ours as a result of the engine's: what is attached to an image is handed over so.

use bollard_buildkit_proto::pb::{self, op::Op as Body};

use super::{Graph, Vertex};

/// Whoever reads it needs no more.
const MODE: i32 = 0o644;
/// No file system, and the time of writing.
const NONE: i64 = -1;

/// A directory that holds nothing but this file; `shown` is the step's name in the progress.
pub(crate) fn one_file(name: &str, bytes: Vec<u8>, shown: &str) -> pb::Definition {
    let action = pb::FileAction {
        input: NONE,
        secondary_input: NONE,
        output: 0,
        action: Some(pb::file_action::Action::Mkfile(pb::FileActionMkFile {
            path: format!("/{name}"),
            mode: MODE,
            data: bytes,
            timestamp: NONE,
            ..pb::FileActionMkFile::default()
        })),
    };
    let op =
        pb::Op { op: Some(Body::File(pb::FileOp { actions: vec![action] })), ..pb::Op::default() };
    Graph::of(vec![Vertex::new(op, shown, true)]).definition(None)
}
