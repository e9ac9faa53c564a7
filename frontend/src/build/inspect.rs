//! What the layers of an image hold, before anybody gets it: the helper looks through them in a
//! container beside the build, where the secrets of this build are mounted to be searched for.

mod installed;

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb;
use cofferdam_inspector::report::inspection::{Inspection, Leak};
use futures_util::future::try_join_all;

pub use self::installed::Installed;
use super::BuildError;
use crate::bridge::{Bridge, Container, Input, Limits, Mount, Mounted, Solve};
use crate::graph::judge::Violation;
use crate::graph::{Graph, Layer, helper_source};

/// The rule that a leak breaks.
pub const RULE: &str = "secret-in-image";
/// Capability of engines that run containers beside a build (`gateway.exec`), all since 20.10.
/// Without it nothing can be said about secrets, so that a build with some is refused; one without
/// any has a record that lists no packages.
pub(super) const CAPABILITY: &str = "gateway.exec";

/// Where everything is mounted, in a directory of memory: a root that is read-only has no room for
/// places that nobody knew before.
const MOUNTS: &str = "/inspect";
/// Bytes of an answer; ten thousand findings with long paths fit.
const LIMITS: Limits = Limits { output: 64 << 20, errors: 4096, is_all: Inspection::is_all };
/// Leaks of one secret in one layer that are told one by one.
const TOLD: usize = 3;

/// What layers are searched for, and by whom.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The helper's path in its directory.
    pub program: String,
    /// The secrets.
    pub needles: Vec<Needle>,
}

/// A secret to search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    /// The session's id of it.
    pub id: String,
    /// What people call it: `secret npm`.
    pub name: String,
    /// How a base that holds it can be let through; none where it already is.
    pub lift: Option<String>,
}

/// The layers of one image and what was found in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspected {
    /// The layers, lowest first, a base as one.
    pub layers: Vec<Layer>,
    /// What was found, by the number of the layer and of the needle.
    pub inspection: Inspection,
    /// The packages in the end, and which layer brought them.
    pub installed: Installed,
}

impl Inspected {
    /// Puts together what was found in the layers of an image.
    pub(super) fn new(layers: Vec<Layer>, mut inspection: Inspection) -> Self {
        let installed = Installed::of(&mut inspection);
        Self { layers, inspection, installed }
    }

    /// What a layer is called.
    pub(super) fn place(&self, number: usize) -> String {
        match self.layers.get(number) {
            Some(layer) if layer.base => format!("the base {}", layer.instruction),
            _ => format!("layer {} of {}", number + 1, self.layers.len()),
        }
    }
}

/// Who inspects: the helper on the engine's own platform.
#[derive(Clone, Debug)]
pub(super) struct Inspector {
    pub(super) search: Search,
    pub(super) local: String,
    pub(super) platform: Option<pb::Platform>,
}

impl Inspector {
    /// The engine's name of the helper's directory, which is sent while the steps run.
    pub(super) async fn helper<B: Bridge, E: std::error::Error>(
        &self,
        bridge: &B,
    ) -> Result<String, BuildError<E>> {
        let helper = Graph::of(vec![helper_source(&self.local, self.platform.as_ref())]);
        reference(bridge, helper.definition(None)).await
    }

    /// Looks through successive layers of a graph as soon as it has run, and the helper's directory,
    /// `root`, is there. When they stand on others, `below` is what is known of those.
    ///
    /// They are shown as successive states on every engine. Where DiffOp is offered a layer can be
    /// mounted alone, but then nothing shows what it deleted: packages and files that are gone
    /// would be told as there, unless the states were mounted as well. And there is nothing to
    /// win: on an overlay the walk enters the layer's own directories alone, see the helper's
    /// `compare`.
    pub(super) async fn inspect<B: Bridge, E: std::error::Error>(
        &self,
        bridge: &B,
        graph: &Graph,
        layers: &[Layer],
        root: String,
        below: Option<Input>,
    ) -> Result<Inspection, BuildError<E>> {
        if layers.is_empty() {
            return Ok(Inspection::default());
        }
        let plan = Plan::new(layers);
        let edges = plan.edges.iter().map(|edge| graph.definition(Some(edge)));
        let solves = edges.map(|definition| reference(bridge, definition));
        let results = try_join_all(solves).await?;
        let mut mounts = vec![
            Mount { dest: "/".into(), what: Mounted::Result(root) },
            Mount { dest: MOUNTS.into(), what: Mounted::Empty },
        ];
        let states = results.into_iter().enumerate();
        mounts.extend(states.map(|(n, id)| Mount { dest: state(n), what: Mounted::Result(id) }));
        let needles = self.search.needles.iter().enumerate();
        mounts.extend(needles.map(|(n, needle)| Mount {
            dest: secret(n),
            what: Mounted::Secret(needle.id.clone()),
        }));
        let mut args = self.args(&plan);
        args.extend(below.is_some().then(|| "--before".into()));
        // A base alone: what it holds is known before it is stripped.
        args.extend(matches!(layers, [Layer { base: true, .. }]).then(|| "--plain".into()));
        let container = Container { mounts, args, platform: self.platform.clone() };
        let ended = bridge.run(container, below, LIMITS).await?;
        if ended.code != 0 {
            let said = String::from_utf8_lossy(&ended.errors).trim().to_string();
            return Err(BuildError::Inspection(format!("exit code {}: {said}", ended.code)));
        }
        Inspection::parse(&ended.output, layers.len())
            .map_err(|error| BuildError::Inspection(error.to_string()))
    }

    fn args(&self, plan: &Plan) -> Vec<String> {
        let mut args = vec![self.search.program.clone(), "inspect".into()];
        for &(layer, over, base) in &plan.layers {
            args.extend(["--layer".into(), state(layer)]);
            args.extend(over.iter().flat_map(|&over| ["--over".into(), state(over)]));
            args.extend(base.then(|| "--base".into()));
        }
        let needles = 0..self.search.needles.len();
        args.extend(needles.flat_map(|needle| ["--needle".into(), secret(needle)]));
        args
    }

    /// What speaks against the image: one violation for each secret in each layer.
    pub(super) fn violations(&self, inspected: &Inspected) -> Vec<Violation> {
        let mut found: BTreeMap<(usize, usize), Vec<&Leak>> = BTreeMap::new();
        for leak in &inspected.inspection.leaks {
            found.entry((leak.layer, leak.needle)).or_default().push(leak);
        }
        let violation = |((number, needle), leaks): ((usize, usize), Vec<&Leak>)| {
            let needle = self.search.needles.get(needle);
            let name = needle.map_or("a secret", |needle| needle.name.as_str());
            let lift = needle.map(|needle| needle.lift.as_deref());
            let layer = inspected.layers.get(number);
            let told: Vec<String> = leaks.iter().take(TOLD).map(ToString::to_string).collect();
            let more = match leaks.len().saturating_sub(TOLD) {
                0 => String::new(),
                more => format!(" and {more} more places"),
            };
            let base = layer.is_some_and(|layer| layer.base);
            if base && lift == Some(None) {
                return None;
            }
            let of = inspected.place(number);
            Some(Violation {
                rule: RULE,
                span: None,
                message: format!("{name} is in the image: {}{more}, {of}", told.join("; ")),
                lines: layer.map(|layer| layer.lines.clone()).unwrap_or_default(),
                fix: match base {
                    true => {
                        let lift = lift.flatten().filter(|lift| !lift.is_empty());
                        let lift = lift.map(|lift| format!("\n{lift}"));
                        format!(
                            "change the value, and build the base again without it{}",
                            lift.unwrap_or_default()
                        )
                    }
                    false => "let the step read the secret from its mount, and write nothing of \
                              it into a file; a later step cannot take it away again"
                        .into(),
                },
            })
        };
        found.into_iter().filter_map(violation).collect()
    }
}

/// The file systems to mount, each once, and what the layers are in them.
struct Plan {
    edges: Vec<pb::Input>,
    /// Each layer's file system, the one it is compared with, and whether it is a base.
    layers: Vec<(usize, Option<usize>, bool)>,
}

impl Plan {
    fn new(layers: &[Layer]) -> Self {
        let mut plan = Self { edges: Vec::new(), layers: Vec::new() };
        for layer in layers {
            let state = plan.state(&layer.edge);
            let over = layer.parent.as_ref().map(|parent| plan.state(parent));
            plan.layers.push((state, over, layer.base));
        }
        plan
    }

    fn state(&mut self, edge: &pb::Input) -> usize {
        match self.edges.iter().position(|known| known == edge) {
            Some(known) => known,
            None => {
                self.edges.push(edge.clone());
                self.edges.len() - 1
            }
        }
    }
}

fn state(number: usize) -> String {
    format!("{MOUNTS}/layers/{number}")
}

fn secret(number: usize) -> String {
    format!("{MOUNTS}/secrets/{number}")
}

/// The engine's name of a result; nothing can be mounted without.
async fn reference<B: Bridge, E: std::error::Error>(
    bridge: &B,
    definition: pb::Definition,
) -> Result<String, BuildError<E>> {
    let made = bridge.solve(Solve::Definition { definition, evaluate: true }).await?;
    let made = made.parts.single()?;
    made.reference.ok_or_else(|| BuildError::Inspection("a layer is empty to the engine".into()))
}

#[cfg(test)]
mod tests;
