//! Changes to ops of the graph: a change of one op changes the digests of all that stand on it.

use std::collections::{BTreeMap, HashMap};

use bollard_buildkit_proto::pb;
use prost::Message;

use super::{Graph, GraphError, Vertex, digest, wire};

// Field numbers of solver/pb/ops.proto.
const OP_INPUTS: u32 = 1;
const OP_EXEC: u32 = 2;
const OP_SOURCE: u32 = 3;
const EXEC_MOUNTS: u32 = 2;
const MOUNT_CACHE: u32 = 20;
const CACHE_ID: u32 = 1;
const SOURCE_IDENTIFIER: u32 = 1;

impl Graph {
    /// Forbids the cache for every step that does something, whatever the frontend said.
    #[must_use]
    pub fn without_cache(mut self) -> Self {
        for vertex in &mut self.vertices {
            if !matches!(vertex.op.op, Some(pb::op::Op::Source(_))) {
                vertex.metadata.get_or_insert_default().ignore_cache = true;
            }
        }
        self
    }

    /// Puts every cache mount into `namespace`, so that it is empty at the start and nobody else's.
    pub fn with_cache_namespace(self, namespace: &str) -> Result<Self, GraphError> {
        if self.cache_ids().is_empty() {
            return Ok(self);
        }
        self.rewrite(|vertex| {
            let path = [OP_EXEC, EXEC_MOUNTS, MOUNT_CACHE, CACHE_ID];
            wire::replace(&vertex.bytes, &path, &mut |id| {
                Some([namespace.as_bytes(), b"/", id].concat())
            })
        })
    }

    /// Gives source ops another identifier; keys are the identifiers as they stand.
    pub fn with_identifiers(
        self,
        identifiers: &BTreeMap<String, String>,
    ) -> Result<Self, GraphError> {
        if identifiers.is_empty() {
            return Ok(self);
        }
        self.rewrite(|vertex| {
            wire::replace(&vertex.bytes, &[OP_SOURCE, SOURCE_IDENTIFIER], &mut |found| {
                let found = std::str::from_utf8(found).ok()?;
                identifiers.get(found).map(|identifier| identifier.clone().into_bytes())
            })
        })
    }

    /// Puts other sources in the place of those with these digests.
    pub(crate) fn with_sources(
        self,
        sources: &BTreeMap<String, pb::SourceOp>,
    ) -> Result<Self, GraphError> {
        if sources.is_empty() {
            return Ok(self);
        }
        self.rewrite(|vertex| match sources.get(&vertex.digest) {
            Some(source) => {
                let op = Some(pb::op::Op::Source(source.clone()));
                Ok(pb::Op { op, ..vertex.op.clone() }.encode_to_vec())
            }
            None => Ok(vertex.bytes.clone()),
        })
    }

    /// Rebuilds the graph with `edit` applied to the bytes of each op.
    fn rewrite(
        self,
        mut edit: impl FnMut(&Vertex) -> Result<Vec<u8>, wire::Malformed>,
    ) -> Result<Self, GraphError> {
        let mut renamed: HashMap<String, String> = HashMap::new();
        let mut vertices = Vec::with_capacity(self.vertices.len());
        for (n, mut vertex) in self.vertices.into_iter().enumerate() {
            let bytes = edit(&vertex)
                .and_then(|bytes| rename_inputs(&bytes, &renamed))
                .map_err(|_| GraphError::Undecodable(n))?;
            if bytes != vertex.bytes {
                let new = digest(&bytes);
                renamed.insert(std::mem::replace(&mut vertex.digest, new.clone()), new);
                vertex.op =
                    pb::Op::decode(bytes.as_slice()).map_err(|_| GraphError::Undecodable(n))?;
                vertex.bytes = bytes;
            }
            vertices.push(vertex);
        }
        let rename = |digest: String| renamed.get(&digest).cloned().unwrap_or(digest);
        let head = self.head.map(|head| pb::Input { digest: rename(head.digest), ..head });
        let source = self.source.map(|source| pb::Source {
            locations: source.locations.into_iter().map(|(k, v)| (rename(k), v)).collect(),
            ..source
        });
        Ok(Self { vertices, head, source })
    }
}

fn rename_inputs(op: &[u8], renamed: &HashMap<String, String>) -> Result<Vec<u8>, wire::Malformed> {
    if renamed.is_empty() {
        return Ok(op.to_vec());
    }
    // Field 1 of an input is its digest.
    wire::replace(op, &[OP_INPUTS, 1], &mut |digest| {
        let digest = std::str::from_utf8(digest).ok()?;
        renamed.get(digest).map(|new| new.clone().into_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{definition, exec, image};
    use super::*;

    fn cache(id: &str) -> pb::Mount {
        pb::Mount {
            dest: "/cache".into(),
            mount_type: pb::MountType::Cache as i32,
            cache_opt: Some(pb::CacheOpt { id: id.into(), sharing: 0 }),
            ..pb::Mount::default()
        }
    }

    #[test]
    fn caches_move_and_everything_above_them_is_renamed() {
        let base = image("docker-image://docker.io/library/a:1");
        let first = exec(&base, vec![cache("pip")]);
        let second = exec(&first, vec![cache("/root/.cache")]);
        let mut made = definition(vec![base, first.clone(), second]);
        let first = digest(&first.encode_to_vec());
        let metadata = pb::OpMetadata { ignore_cache: true, ..pb::OpMetadata::default() };
        made.metadata.insert(first.clone(), metadata);
        made.source = Some(pb::Source {
            locations: [(first.clone(), pb::Locations::default())].into(),
            ..pb::Source::default()
        });

        let moved = Graph::read(&made).unwrap().with_cache_namespace("ns").unwrap();

        assert_eq!(moved.cache_ids(), ["ns//root/.cache", "ns/pip"]);
        // Reading it again proves that all edges meet.
        let again = Graph::read(&moved.definition(None)).unwrap();
        let renamed = &again.vertices()[1];
        assert_ne!(renamed.digest, first);
        assert!(renamed.metadata.as_ref().unwrap().ignore_cache);
        assert!(moved.source.unwrap().locations.contains_key(&renamed.digest));
    }

    #[test]
    fn every_step_runs_and_sources_stay_what_they_are() {
        let base = image("docker-image://docker.io/library/a:1");
        let made = definition(vec![base.clone(), exec(&base, vec![])]);
        let graph = Graph::read(&made).unwrap().without_cache();
        let uncached: Vec<bool> = graph
            .vertices()
            .iter()
            .map(|vertex| vertex.metadata.as_ref().is_some_and(|m| m.ignore_cache))
            .collect();
        assert_eq!(uncached, [false, true]);
        assert_eq!(graph.definition(None).def, made.def);
    }

    #[test]
    fn an_identifier_changes_wherever_it_stands() {
        let base = image("docker-image://docker.io/library/a:1");
        let made = definition(vec![base.clone(), exec(&base, vec![])]);
        let from = "docker-image://docker.io/library/a:1".to_string();
        let to = format!("{from}@sha256:00");
        let pinned =
            Graph::read(&made).unwrap().with_identifiers(&[(from, to.clone())].into()).unwrap();
        assert_eq!(pinned.sources().next().unwrap().1.to_string(), to["docker-image://".len()..]);
        Graph::read(&pinned.definition(None)).unwrap();
    }
}
