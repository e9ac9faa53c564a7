//! The progress of several nodes as one: each step says which node it is of.

use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex};
use cofferdam_frontend::graph::digest;
use tokio::sync::mpsc;

use super::steps::Steps;

/// Messages of a node that may wait.
const BACKLOG: usize = 64;

/// Where a node's steps go: on to `all`, under the node's name. Ends when nobody sends any more.
pub(super) fn named(node: &str, all: &Steps) -> Steps {
    let (sender, mut receiver) = mpsc::channel(BACKLOG);
    let (node, all) = (node.to_string(), all.sender());
    tokio::spawn(async move {
        while let Some(status) = receiver.recv().await {
            if all.send(renamed(status, &node)).await.is_err() {
                return;
            }
        }
    });
    Steps::new(sender)
}

fn renamed(mut status: StatusResponse, node: &str) -> StatusResponse {
    // Two nodes may run the same step, and each is one of its own.
    let own = |text: &mut String| {
        if !text.is_empty() {
            *text = digest(format!("{node}\0{text}").as_bytes());
        }
    };
    for vertex in &mut status.vertexes {
        let Vertex { digest, inputs, name, .. } = vertex;
        own(digest);
        inputs.iter_mut().for_each(own);
        *name = prefixed(name, node);
    }
    status.statuses.iter_mut().for_each(|status| own(&mut status.vertex));
    status.logs.iter_mut().for_each(|log| own(&mut log.vertex));
    status.warnings.iter_mut().for_each(|warning| own(&mut warning.vertex));
    status
}

/// As buildx puts a name before a step's.
fn prefixed(name: &str, node: &str) -> String {
    match name.strip_prefix('[') {
        Some(rest) => format!("[{node} {rest}"),
        None => format!("[{node}] {name}"),
    }
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::moby::buildkit::v1::VertexLog;

    use super::*;

    #[test]
    fn the_same_step_of_two_nodes_is_two_steps() {
        let status = || StatusResponse {
            vertexes: vec![Vertex {
                digest: "sha256:1".into(),
                inputs: vec!["sha256:0".into()],
                name: "[linux/amd64 1/2] FROM x".into(),
                ..Vertex::default()
            }],
            logs: vec![VertexLog { vertex: "sha256:1".into(), ..VertexLog::default() }],
            ..StatusResponse::default()
        };
        let (one, two) = (renamed(status(), "far0"), renamed(status(), "far1"));
        assert_eq!(one.vertexes[0].name, "[far0 linux/amd64 1/2] FROM x");
        assert_eq!(one.logs[0].vertex, one.vertexes[0].digest);
        assert_ne!(one.vertexes[0].digest, two.vertexes[0].digest);
        assert_ne!(one.vertexes[0].inputs, two.vertexes[0].inputs);
        assert_eq!(prefixed("exporting to image", "far0"), "[far0] exporting to image");
    }
}
