//! The layers of the result, read from the graph: which op made each, and what it stood on.
//!
//! Source: moby/buildkit, cache/refs.go (`layerChain`) and solver/llbsolver/ops; one op gives one
//! layer however many files it touches.

use std::collections::HashMap;

use bollard_buildkit_proto::pb::{self, op::Op as Body};

use super::{Graph, Source, Vertex};

/// More layers than any engine can mount; merges of merges can ask for any number.
const MOST: usize = 4096;

/// One layer of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The file system up to and with this layer.
    pub edge: pb::Input,
    /// The file system that the layer's op started from; `None` for an empty one.
    pub parent: Option<pb::Input>,
    /// The lines of the Dockerfile: file name, first and last, 1-based.
    pub lines: Vec<(String, usize, usize)>,
    /// The instruction as the progress shows it, or what is as telling.
    pub instruction: String,
    /// The stage of the Dockerfile, as the progress calls it; `None` for one without a name.
    pub stage: Option<String>,
    /// Whether it is an image that the build started from, all of its layers in one.
    pub base: bool,
    /// That image.
    pub image: Option<String>,
}

/// Why the layers of a result cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayersError {
    /// An edge leads to an output that its op does not have.
    #[error("the build graph asks for output {index} of {digest}, which that op does not make")]
    NoOutput {
        /// The op.
        digest: String,
        /// The output.
        index: i64,
    },
    /// An op is of a kind whose layers are not known.
    #[error("the build graph ends in an op whose layers this version cannot tell: {0}")]
    UnknownKind(String),
    /// There are too many.
    #[error("the image has more than {MOST} layers")]
    TooMany,
}

/// What an edge stands on.
enum Step {
    /// A layer on this one, or on nothing.
    On(Option<pb::Input>),
    /// The layers of these, one after the other.
    Chains(Vec<pb::Input>),
    /// Nothing below it is known, or matters.
    Bottom { base: bool },
    /// No layer at all.
    Nothing,
}

impl Graph {
    /// The layers of the result, lowest first; none for the empty image.
    ///
    /// Apart from the base, which is one here, they are those of the exported image.
    pub fn layers(&self) -> Result<Vec<Layer>, LayersError> {
        let Some(head) = self.head() else { return Ok(Vec::new()) };
        let by_digest: HashMap<&str, &Vertex> =
            self.vertices().iter().map(|vertex| (vertex.digest.as_str(), vertex)).collect();
        let mut chain = Chain { graph: self, by_digest, layers: Vec::new() };
        chain.follow(head)?;
        chain.layers.reverse();
        Ok(chain.layers)
    }
}

/// The layers found so far, uppermost first.
struct Chain<'a> {
    graph: &'a Graph,
    by_digest: HashMap<&'a str, &'a Vertex>,
    layers: Vec<Layer>,
}

impl Chain<'_> {
    fn follow(&mut self, head: &pb::Input) -> Result<(), LayersError> {
        let mut waiting = vec![head.clone()];
        let mut steps = 0;
        while let Some(edge) = waiting.pop() {
            steps += 1;
            if self.layers.len() >= MOST || steps > 8 * MOST {
                return Err(LayersError::TooMany);
            }
            let vertex = self.vertex(&edge)?;
            match step(vertex, edge.index)? {
                Step::Bottom { base } => self.push(edge, None, base),
                Step::Nothing => {}
                Step::On(parent) => {
                    waiting.extend(parent.clone());
                    self.push(edge, parent, false);
                }
                Step::Chains(inputs) => waiting.extend(inputs),
            }
        }
        Ok(())
    }

    fn vertex(&self, edge: &pb::Input) -> Result<&Vertex, LayersError> {
        let missing = || LayersError::UnknownKind(edge.digest.clone());
        self.by_digest.get(edge.digest.as_str()).copied().ok_or_else(missing)
    }

    fn push(&mut self, edge: pb::Input, parent: Option<pb::Input>, base: bool) {
        let lines = self.graph.locate(&edge.digest);
        let vertex = self.by_digest.get(edge.digest.as_str()).copied();
        let instruction = vertex.map(instruction).unwrap_or_default();
        let stage = vertex.and_then(stage);
        let image = vertex.filter(|_| base).and_then(|vertex| match &vertex.op.op {
            Some(Body::Source(source)) => Some(Source::read(source).to_string()),
            _ => None,
        });
        self.layers.push(Layer { edge, parent, lines, instruction, stage, base, image });
    }
}

fn step(vertex: &Vertex, index: i64) -> Result<Step, LayersError> {
    let op = &vertex.op;
    let no_output = || LayersError::NoOutput { digest: vertex.digest.clone(), index };
    let input = |number: i64| match number {
        ..0 => Ok(None),
        _ => {
            let input = usize::try_from(number).ok().and_then(|number| op.inputs.get(number));
            input.cloned().map(Some).ok_or_else(no_output)
        }
    };
    Ok(match &op.op {
        Some(Body::Exec(exec)) => {
            let mount = exec.mounts.iter().find(|mount| mount.output == index);
            Step::On(input(mount.ok_or_else(no_output)?.input)?)
        }
        Some(Body::File(file)) => {
            let first = i64::try_from(op.inputs.len()).unwrap_or(i64::MAX);
            let mut at =
                file.actions.iter().position(|a| a.output == index).ok_or_else(no_output)?;
            loop {
                let below = file.actions.get(at).ok_or_else(no_output)?.input;
                if below < first {
                    break Step::On(input(below)?);
                }
                // An action stands on an earlier one, so this ends.
                let earlier = usize::try_from(below - first).map_err(|_| no_output())?;
                if earlier >= at {
                    return Err(no_output());
                }
                at = earlier;
            }
        }
        Some(Body::Merge(merge)) => {
            let inputs = merge.inputs.iter().map(|from| input(from.input));
            Step::Chains(inputs.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        }
        Some(Body::Diff(diff)) => {
            let lower = diff.lower.as_ref().map_or(Ok(None), |lower| input(lower.input))?;
            let upper = diff.upper.as_ref().map_or(Ok(None), |upper| input(upper.input))?;
            match (lower, upper) {
                (_, None) => Step::Nothing,
                (None, Some(upper)) => Step::Chains(vec![upper]),
                // Its layers are known only when it has run; mounted, it is all that they hold.
                (Some(_), Some(_)) => Step::Bottom { base: false },
            }
        }
        Some(Body::Source(source)) => Step::Bottom {
            base: matches!(Source::read(source), Source::Image { .. } | Source::Layout { .. }),
        },
        _ => return Err(LayersError::UnknownKind(vertex.digest.clone())),
    })
}

/// What people see of an op.
fn name(vertex: &Vertex) -> Option<&str> {
    let names = &vertex.metadata.as_ref()?.description;
    let name = names.get("llb.customname");
    name.or_else(|| names.get("com.docker.dockerfile.v1.command")).map(String::as_str)
}

/// The stage in the counter before an instruction: `[linux/arm64 build 2/3] RUN make`.
///
/// Source: moby/buildkit, frontend/dockerfile/dockerfile2llb/convert.go, `prefixCommand`.
fn stage(vertex: &Vertex) -> Option<String> {
    let (counter, _) = name(vertex)?.strip_prefix('[')?.split_once("] ")?;
    let mut words = counter.split_whitespace().rev();
    let (step, of) = words.next()?.split_once('/')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A platform has a slash, a stage has none.
    let stage = words.next().filter(|word| digits(step) && digits(of) && !word.contains('/'));
    stage.map(String::from)
}

/// The instruction without the counter before it.
fn instruction(vertex: &Vertex) -> String {
    if let Some(name) = name(vertex) {
        let plain = name.strip_prefix('[').and_then(|rest| rest.split_once("] "));
        return plain.map_or(name, |(_, plain)| plain).to_string();
    }
    match &vertex.op.op {
        Some(Body::Source(source)) => Source::read(source).to_string(),
        Some(Body::Exec(exec)) => {
            let args = exec.meta.as_ref().map(|meta| meta.args.join(" ")).unwrap_or_default();
            format!("RUN {args}")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
