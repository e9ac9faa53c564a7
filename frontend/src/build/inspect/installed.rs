//! The packages of an image that was just built: nothing is guessed about where they came from.

use cofferdam_inspector::report::inspection::{Inspection, MOST_SAID};
use cofferdam_inventory::sbom::Place;
use cofferdam_inventory::{Inventory, Kind, Reason, Unread, attribute, states};

use crate::graph::Layer;

/// What is installed in an image. Taking away set-uid bits changes nothing of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Installed {
    /// The packages.
    pub inventory: Inventory,
    /// For each of them the layer that brought it, counted from zero, the base as one.
    pub layer_of: Vec<usize>,
}

impl Installed {
    /// Puts together what the layers say, and takes it out of the inspection.
    pub(super) fn of(inspection: &mut Inspection) -> Self {
        let layers = std::mem::take(&mut inspection.packages);
        // Most steps bring no package: a state for each would be the same list again and again.
        let (numbers, changed): (Vec<usize>, Vec<_>) =
            layers.iter().enumerate().filter(|(_, layer)| !layer.is_empty()).unzip();
        let states = states(changed);
        let number = |at: usize| numbers.get(at).copied().unwrap_or_default();
        let layer_of = attribute(&states).into_iter().map(number).collect();
        let mut inventory = states.into_iter().next_back().unwrap_or_default();
        if inspection.sum.unsaid > 0 {
            inventory.unread.push(Unread {
                path: format!("{} more files", inspection.sum.unsaid),
                kind: Kind::Npm,
                reason: Reason::TooLarge { limit: MOST_SAID as u64 },
            });
        }
        Self { inventory, layer_of }
    }

    /// Where each package came from, in their order; `layers` are those of the same image.
    pub fn places(&self, layers: &[Layer]) -> Vec<Place> {
        let place = |&number: &usize| {
            let Some(layer) = layers.get(number) else { return Place::default() };
            let line = layer.lines.first().map(|(_, first, _)| *first);
            Place {
                layer: None,
                line: line.and_then(|line| u32::try_from(line).ok()),
                stage: layer.stage.clone(),
                base: layer.image.clone(),
            }
        };
        self.layer_of.iter().map(place).collect()
    }
}
