//! The policy on a graph: the sources that the text does not show, and those that it does again.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb::op::Op as Body;

use super::{RULE, SourcePolicy};
use crate::graph::judge::Violation;
use crate::graph::{Graph, GraphError};

/// Why there is no graph.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The policy denies sources of it.
    Denied(Vec<Violation>),
    /// It cannot be changed.
    Graph(GraphError),
}

impl SourcePolicy {
    /// The graph with the sources that the policy puts in place of its own.
    ///
    /// `shown` names the session's directories as people know them: a policy speaks of
    /// `local://context`, whatever this build calls it.
    pub(crate) fn apply(
        &self,
        graph: Graph,
        shown: &BTreeMap<String, String>,
    ) -> Result<Graph, Refusal> {
        if self.is_empty() {
            return Ok(graph);
        }
        let (mut violations, mut converted) = (Vec::new(), BTreeMap::new());
        for vertex in graph.vertices() {
            let Some(Body::Source(op)) = &vertex.op.op else { continue };
            let mut known = op.clone();
            if let Some(name) = shown.get(&op.identifier) {
                known.identifier.clone_from(name);
            }
            match self.evaluate(&known) {
                Ok(None) => {}
                Ok(Some(now)) => {
                    converted.insert(vertex.digest.clone(), now);
                }
                Err(denied) => {
                    violations.push(violation(denied.to_string(), graph.locate(&vertex.digest)))
                }
            }
        }
        if !violations.is_empty() {
            return Err(Refusal::Denied(violations));
        }
        graph.with_sources(&converted).map_err(Refusal::Graph)
    }
}

/// What is said of a source that may not be read.
pub fn violation(message: String, lines: Vec<(String, usize, usize)>) -> Violation {
    Violation {
        rule: RULE,
        message,
        lines,
        span: None,
        fix: "read another source, or have EXPERIMENTAL_BUILDKIT_SOURCE_POLICY changed".into(),
    }
}
