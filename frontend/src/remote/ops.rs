//! The ops of a remote context.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb::{self, op::Op as Body};

use crate::graph::{Graph, Vertex};

const NONE: i64 = -1;

/// A source op of ours.
pub(super) fn source(identifier: String, attrs: BTreeMap<String, String>) -> pb::SourceOp {
    pb::SourceOp { identifier, attrs: attrs.into_iter().collect() }
}

/// The vertex of a source; what it fetched for an earlier build is checked by the engine itself.
pub(super) fn source_vertex(op: &pb::SourceOp, name: &str) -> Vertex {
    let op = pb::Op { op: Some(Body::Source(op.clone())), ..pb::Op::default() };
    Vertex::new(op, name, false)
}

/// Unpacks the archive `path` of a source, as `ADD` does.
pub(super) fn unpack(source: Vertex, path: &str) -> pb::Definition {
    let action = pb::FileActionCopy {
        src: path.to_string(),
        attempt_unpack_docker_compatibility: true,
        ..copy()
    };
    with_copy(source, action, "[internal] unpack build context")
}

/// Takes one directory of a source.
pub(super) fn subdirectory(source: Vertex, path: &str) -> pb::Definition {
    let action = pb::FileActionCopy { src: path.to_string(), dir_copy_contents: true, ..copy() };
    with_copy(source, action, &format!("[internal] take {path} of build context"))
}

/// The source alone.
pub(super) fn alone(source: Vertex) -> pb::Definition {
    Graph::of(vec![source]).definition(None)
}

fn copy() -> pb::FileActionCopy {
    pb::FileActionCopy { dest: "/".into(), mode: -1, timestamp: -1, ..Default::default() }
}

fn with_copy(source: Vertex, copy: pb::FileActionCopy, name: &str) -> pb::Definition {
    let action = pb::FileAction {
        // Onto nothing, from the only input.
        input: NONE,
        secondary_input: 0,
        output: 0,
        action: Some(pb::file_action::Action::Copy(copy)),
    };
    let op = pb::Op {
        inputs: vec![pb::Input { digest: source.digest.clone(), index: 0 }],
        op: Some(Body::File(pb::FileOp { actions: vec![action] })),
        ..pb::Op::default()
    };
    // Without cache, as the judged graph will have it: then both are one and the same step.
    let copy = Vertex::new(op, name, true);
    Graph::of(vec![source, copy]).definition(None)
}
