//! Layers in their order: what is installed in the end, and which of them brought it.

use cofferdam_inventory::{Inventory, Layer, Package, attribute, states};

/// An image that has been looked through.
#[derive(Debug)]
pub struct Image {
    /// The digest of its configuration, `sha256:…`.
    pub id: String,
    /// Names that its archive gives it.
    pub names: Vec<String>,
    /// When it was made, as its configuration says.
    pub created: Option<String>,
    /// What is installed.
    pub inventory: Inventory,
    /// For each package of the inventory the number of its layer, from 0.
    pub layer_of: Vec<usize>,
    /// The digests of its layers without packing, the lowest first.
    pub diff_ids: Vec<String>,
    /// What made each of them; empty where nobody says.
    pub instructions: Vec<String>,
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
    /// The packages, each with its layer.
    pub fn packages(&self) -> impl Iterator<Item = Found<'_>> {
        self.inventory.packages.iter().zip(&self.layer_of).map(|(package, &layer)| Found {
            package,
            layer,
            instruction: self.instructions.get(layer).map_or("", String::as_str),
        })
    }
}

/// What the layers make of each other, the lowest first.
pub(super) fn compose(layers: &[&Layer]) -> (Inventory, Vec<usize>) {
    let states = states(layers.iter().copied());
    let layer_of = attribute(&states);
    (states.into_iter().next_back().unwrap_or_default(), layer_of)
}
