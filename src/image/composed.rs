//! Layers in their order: what is installed in the end, and which of them brought it.

use cofferdam_contents::Contents;
use cofferdam_inventory::{Inventory, Package, attribute, states};

use super::blobs::Plan;
use super::config::{Config, Made};
use super::leaks::Searched;
use super::looking::Looked;

/// An image that has been looked through.
#[derive(Debug)]
pub struct Image {
    /// What is worth a line about where it was found.
    pub notices: Vec<String>,
    /// The digest of its configuration, `sha256:…`; an engine's own name for it.
    pub id: String,
    /// The digest of its manifest, where it was read by that.
    pub manifest: Option<String>,
    /// Names that its archive gives it.
    pub names: Vec<String>,
    /// What it is for, as its configuration says.
    pub platform: Option<String>,
    /// When it was made, as its configuration says.
    pub created: Option<String>,
    /// Its configuration as it is.
    pub config: Vec<u8>,
    /// Its manifest as it is; empty where it was not read by one.
    pub document: Vec<u8>,
    /// What is installed.
    pub inventory: Inventory,
    /// For each package of the inventory the number of its layer, from 0.
    pub layer_of: Vec<usize>,
    /// The digests of its layers without packing, the lowest first.
    pub diff_ids: Vec<String>,
    /// What made each of them; empty where nobody says.
    pub instructions: Vec<String>,
    /// All steps of the build that the history tells of.
    pub steps: Vec<Made>,
    /// Their sizes without packing, in bytes.
    pub sizes: Vec<u64>,
    /// What stands out in them; empty if that did not matter.
    pub contents: Vec<Contents>,
    /// What the search for secrets found in them; empty without one.
    pub searched: Vec<Searched>,
}

/// A package and where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The package.
    pub package: &'a Package,
    /// The number of its layer, from 0.
    pub layer: usize,
    /// What made that layer; empty where nobody says.
    pub instruction: &'a str,
}

impl Image {
    /// What the layers make of each other, the lowest first.
    pub(super) fn compose(plan: Plan, config: &Config, layers: Vec<Looked>) -> Self {
        let states = states(layers.iter().map(|layer| &layer.packages));
        let layer_of = attribute(&states);
        let sizes = layers.iter().map(|layer| layer.size).collect();
        let (contents, searched): (Vec<_>, Vec<_>) =
            layers.into_iter().map(|layer| (layer.contents, layer.searched)).unzip();
        let contents = contents.into_iter().flatten().collect();
        Self {
            notices: Vec::new(),
            id: plan.id,
            manifest: plan.manifest,
            names: plan.names,
            platform: plan.platform.map(|platform| platform.to_string()),
            created: config.created.clone(),
            config: plan.config,
            document: plan.document,
            inventory: states.into_iter().next_back().unwrap_or_default(),
            layer_of,
            diff_ids: config.diff_ids().to_vec(),
            instructions: config.instructions(),
            steps: config.steps(),
            sizes,
            contents,
            searched,
        }
    }

    /// The packages, each with its layer.
    pub fn packages(&self) -> impl Iterator<Item = Found<'_>> {
        self.inventory.packages.iter().zip(&self.layer_of).map(|(package, &layer)| Found {
            package,
            layer,
            instruction: self.instructions.get(layer).map_or("", String::as_str),
        })
    }
}
