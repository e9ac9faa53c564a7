//! BuildKit's build graph (LLB): reading it, judging it, and adding ops of our own.
//!
//! A definition is a list of encoded ops; an op names its inputs by the sha256 of their bytes, and
//! the last op has no body: its one input is the result.
//! Source: moby/buildkit, solver/pb/ops.proto and solver/llbsolver/vertex.go.

use std::collections::{BTreeMap, HashMap};

use bollard_buildkit_proto::pb;
use prost::Message;
use sha2::{Digest, Sha256};

mod edit;
mod eraser;
mod file;
pub mod judge;
mod layers;
mod scan;
mod smoke;
mod source;
mod strip;
mod traces;
mod wire;

pub use eraser::cache_eraser;
pub(crate) use file::one_file;
pub use layers::{Layer, LayersError};
pub use scan::ScanOp;
pub use source::Source;
pub use source::without_credentials;
pub(crate) use strip::helper_source;
pub use strip::{IMAGE_MOUNT, REPORT_FILE, REPORT_MOUNT, STRIP, StripOp};
pub use traces::shared_traces;

/// Why a definition cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// An op does not decode.
    #[error("op {0} of the build graph does not decode")]
    Undecodable(usize),
    /// An op is of a kind that this version does not know.
    #[error("op {0} of the build graph is of a kind that this version cannot judge")]
    UnknownKind(String),
    /// An op names an input that is not in the graph.
    #[error("the build graph names the input {0}, which is not in it")]
    MissingInput(String),
    /// The last op does not end the graph as it should.
    #[error("the build graph has no end")]
    NoEnd,
}

/// One op of the graph.
#[derive(Clone, Debug)]
pub struct Vertex {
    /// sha256 of its bytes, `sha256:…`.
    pub digest: String,
    /// Its bytes as the engine sent them.
    pub bytes: Vec<u8>,
    /// What they say.
    pub op: pb::Op,
    /// What goes with it without being part of its identity.
    pub metadata: Option<pb::OpMetadata>,
}

impl Vertex {
    /// An op of ours under the name that its step has in the progress.
    pub(crate) fn new(op: pb::Op, name: &str, ignore_cache: bool) -> Self {
        let bytes = op.encode_to_vec();
        let description = [("llb.customname".to_string(), name.to_string())].into();
        let metadata =
            Some(pb::OpMetadata { ignore_cache, description, ..pb::OpMetadata::default() });
        Self { digest: digest(&bytes), bytes, op, metadata }
    }
}

/// A whole graph with a result.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    vertices: Vec<Vertex>,
    head: Option<pb::Input>,
    source: Option<pb::Source>,
}

/// Metadata that says nothing and is not empty, as BuildKit's own client writes it: see
/// [`Graph::lines`] for what becomes of empty values.
pub(crate) fn something() -> pb::OpMetadata {
    let caps = [("constraints".to_string(), true)].into();
    pb::OpMetadata { caps, ..pb::OpMetadata::default() }
}

/// The sha256 of some bytes as BuildKit writes it.
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::from("sha256:"), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

impl Graph {
    /// A graph of ours: inputs first, the last op's first output is the result.
    pub(crate) fn of(vertices: Vec<Vertex>) -> Self {
        let head = vertices.last().map(|last| pb::Input { digest: last.digest.clone(), index: 0 });
        Self { vertices, head, source: None }
    }

    /// Reads a definition; an empty one is the empty image.
    pub fn read(definition: &pb::Definition) -> Result<Self, GraphError> {
        let Some((end, ops)) = definition.def.split_last() else {
            return Ok(Self::default());
        };
        let end = pb::Op::decode(end.as_slice())
            .map_err(|_| GraphError::Undecodable(definition.def.len() - 1))?;
        let (None, [head]) = (&end.op, end.inputs.as_slice()) else {
            return Err(GraphError::NoEnd);
        };
        let vertices = ops
            .iter()
            .enumerate()
            .map(|(n, bytes)| {
                let op =
                    pb::Op::decode(bytes.as_slice()).map_err(|_| GraphError::Undecodable(n))?;
                let digest = digest(bytes);
                if op.op.is_none() {
                    return Err(GraphError::UnknownKind(digest));
                }
                let metadata = definition.metadata.get(&digest).cloned();
                Ok(Vertex { digest, bytes: bytes.clone(), op, metadata })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let graph = Self { vertices, head: Some(head.clone()), source: definition.source.clone() };
        graph.check_inputs()?;
        Ok(graph)
    }

    /// Every input must be an op that stands before the one that names it: no dangling edge, no
    /// cycle. BuildKit's own marshalling keeps that order.
    fn check_inputs(&self) -> Result<(), GraphError> {
        let mut seen = HashMap::with_capacity(self.vertices.len());
        for vertex in &self.vertices {
            for input in &vertex.op.inputs {
                if !seen.contains_key(input.digest.as_str()) {
                    return Err(GraphError::MissingInput(input.digest.clone()));
                }
            }
            seen.insert(vertex.digest.as_str(), ());
        }
        match &self.head {
            Some(head) if !seen.contains_key(head.digest.as_str()) => {
                Err(GraphError::MissingInput(head.digest.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The ops, inputs first.
    pub fn vertices(&self) -> &[Vertex] {
        &self.vertices
    }

    /// The result's op and output, `None` for the empty image.
    pub fn head(&self) -> Option<&pb::Input> {
        self.head.as_ref()
    }

    /// Every source op, in the graph's order.
    pub fn sources(&self) -> impl Iterator<Item = (&Vertex, Source)> {
        self.vertices.iter().filter_map(|vertex| match &vertex.op.op {
            Some(pb::op::Op::Source(op)) => Some((vertex, Source::read(op))),
            _ => None,
        })
    }

    /// Every exec op, in the graph's order.
    pub fn execs(&self) -> impl Iterator<Item = (&Vertex, &pb::ExecOp)> {
        self.vertices.iter().filter_map(|vertex| match &vertex.op.op {
            Some(pb::op::Op::Exec(op)) => Some((vertex, op)),
            _ => None,
        })
    }

    /// Whether any step can reach a network.
    pub fn has_network(&self) -> bool {
        self.execs().any(|(_, exec)| exec.network != pb::NetMode::None as i32)
    }

    /// Ids of all cache mounts, sorted, each once.
    pub fn cache_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .execs()
            .flat_map(|(_, exec)| &exec.mounts)
            .filter_map(|mount| mount.cache_opt.as_ref().map(|cache| cache.id.clone()))
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// The lines of the Dockerfile that made an op: file name and 1-based line ranges.
    pub fn locate(&self, digest: &str) -> Vec<(String, usize, usize)> {
        let Some(source) = &self.source else { return Vec::new() };
        let Some(found) = source.locations.get(digest) else { return Vec::new() };
        found
            .locations
            .iter()
            .flat_map(|location| {
                let file = usize::try_from(location.source_index)
                    .ok()
                    .and_then(|index| source.infos.get(index))
                    .map(|info| info.filename.clone())
                    .unwrap_or_default();
                location.ranges.iter().filter_map(move |range| {
                    let line = |p: Option<pb::Position>| usize::try_from(p?.line).ok();
                    let start = line(range.start)?;
                    Some((file.clone(), start, line(range.end).unwrap_or(start).max(start)))
                })
            })
            .collect()
    }

    /// The ops by the names that their steps have in the progress, and their lines.
    pub fn named_steps(&self) -> impl Iterator<Item = (String, Vec<(String, usize, usize)>)> {
        self.vertices.iter().filter_map(|vertex| {
            let names = &vertex.metadata.as_ref()?.description;
            Some((names.get("llb.customname")?.clone(), self.locate(&vertex.digest)))
        })
    }

    /// The map of lines without the ops that stand on none.
    ///
    /// An entry whose value is empty has no value on the wire, and engines up to 26.1 decode it to
    /// nothing and fall over it, the whole daemon, as soon as that op fails.
    fn lines(&self) -> Option<pb::Source> {
        let mut source = self.source.clone()?;
        source.locations.retain(|_, found| !found.locations.is_empty());
        Some(source)
    }

    /// The definition whose result is `head`, or this graph's own result.
    pub fn definition(&self, head: Option<&pb::Input>) -> pb::Definition {
        let Some(head) = head.or(self.head.as_ref()) else { return pb::Definition::default() };
        let mut def: Vec<Vec<u8>> = self.vertices.iter().map(|v| v.bytes.clone()).collect();
        let end = pb::Op { inputs: vec![head.clone()], ..pb::Op::default() }.encode_to_vec();
        let mut metadata: BTreeMap<String, pb::OpMetadata> = self
            .vertices
            .iter()
            .filter_map(|v| Some((v.digest.clone(), v.metadata.clone()?)))
            .collect();
        metadata.insert(digest(&end), pb::OpMetadata::default());
        for empty in metadata.values_mut().filter(|metadata| metadata.encoded_len() == 0) {
            *empty = something();
        }
        def.push(end);
        pb::Definition { def, metadata, source: self.lines() }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Small graphs for tests.
    use super::*;

    /// Encodes ops and ends them with the last one's output 0.
    pub(crate) fn definition(ops: Vec<pb::Op>) -> pb::Definition {
        let def: Vec<Vec<u8>> = ops.iter().map(Message::encode_to_vec).collect();
        let head = pb::Input { digest: digest(def.last().unwrap()), index: 0 };
        let end = pb::Op { inputs: vec![head], ..pb::Op::default() };
        let def = def.into_iter().chain([end.encode_to_vec()]).collect();
        pb::Definition { def, ..pb::Definition::default() }
    }

    pub(crate) fn image(identifier: &str) -> pb::Op {
        pb::Op {
            op: Some(pb::op::Op::Source(pb::SourceOp {
                identifier: identifier.into(),
                ..pb::SourceOp::default()
            })),
            ..pb::Op::default()
        }
    }

    pub(crate) fn exec(parent: &pb::Op, mounts: Vec<pb::Mount>) -> pb::Op {
        let root = pb::Mount { dest: "/".into(), ..pb::Mount::default() };
        pb::Op {
            inputs: vec![pb::Input { digest: digest(&parent.encode_to_vec()), index: 0 }],
            op: Some(pb::op::Op::Exec(pb::ExecOp {
                meta: Some(pb::Meta { args: vec!["/bin/true".into()], ..pb::Meta::default() }),
                mounts: [vec![root], mounts].concat(),
                ..pb::ExecOp::default()
            })),
            ..pb::Op::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{definition, exec, image};
    use super::*;

    #[test]
    fn a_definition_survives_reading_byte_for_byte() {
        let base = image("docker-image://docker.io/library/a:1");
        let made = definition(vec![base.clone(), exec(&base, vec![])]);
        let read = Graph::read(&made).unwrap();
        assert_eq!(read.definition(None).def, made.def);
    }

    #[test]
    fn an_empty_definition_is_the_empty_image() {
        assert!(Graph::read(&pb::Definition::default()).unwrap().head().is_none());
    }

    #[test]
    fn no_map_that_is_sent_holds_an_empty_value() {
        let base = image("docker-image://docker.io/library/a:1");
        let mut made = definition(vec![base.clone(), exec(&base, vec![])]);
        let key = digest(&base.encode_to_vec());
        made.metadata.insert(key.clone(), pb::OpMetadata::default());
        made.source = Some(pb::Source {
            locations: [(key, pb::Locations::default())].into(),
            ..pb::Source::default()
        });
        let sent = Graph::read(&made).unwrap().definition(None);
        assert!(sent.metadata.values().all(|metadata| metadata.encoded_len() > 0));
        assert!(sent.source.unwrap().locations.is_empty());
    }

    #[test]
    fn an_edge_to_nowhere_is_refused() {
        let base = image("docker-image://docker.io/library/a:1");
        let made = definition(vec![exec(&base, vec![])]);
        assert!(matches!(Graph::read(&made), Err(GraphError::MissingInput(_))));
    }

    #[test]
    fn an_op_without_a_known_body_is_refused() {
        let made = definition(vec![pb::Op::default()]);
        assert!(matches!(Graph::read(&made), Err(GraphError::UnknownKind(_))));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_definitions_never_panic(def: Vec<Vec<u8>>) {
            let _ = Graph::read(&pb::Definition { def, ..pb::Definition::default() });
        }
    }
}
