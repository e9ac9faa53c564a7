//! What a build here kept about an image, for those who ask the image.
//!
//! Packages and layers are read from the image itself, whoever built it; of an image that was built
//! here the record adds what no image knows: lines and stages of the Dockerfile, and the base.

use std::collections::BTreeMap;

use cofferdam_inventory::sbom::Place;

use crate::attest::Bill;
use crate::image::Image;
use crate::record::Store;
use crate::request::Environment;

/// Where each package of the image came from, in their order.
pub(super) fn places(image: &Image, environment: &Environment) -> Vec<Place> {
    let kept = bill(image, environment);
    let known: BTreeMap<_, _> = kept
        .iter()
        .flat_map(|bill| bill.inventory.packages.iter().zip(&bill.places))
        .map(|(package, place)| (package.identity(), place))
        .collect();
    let place = |found: crate::image::Found<'_>| {
        let place = known.get(&found.package.identity()).copied().cloned();
        let layer = image.diff_ids.get(found.layer).cloned();
        Place { layer, ..place.unwrap_or_default() }
    };
    image.packages().map(place).collect()
}

/// The bill of that image: of several platforms the one with its packages.
fn bill(image: &Image, environment: &Environment) -> Option<Bill> {
    let store = Store::of_bills(environment.data_dir().ok()?);
    let mut names = std::iter::once(&image.id).chain(&image.manifest);
    let kept = names.find_map(|name| store.read(name).ok()?)?;
    let bills: Vec<Bill> = serde_json::from_slice(&kept).ok()?;
    let of = |packages: &[cofferdam_inventory::Package]| {
        packages.iter().map(|one| (one.ecosystem, one.to_string())).collect::<Vec<_>>()
    };
    let wanted = of(&image.inventory.packages);
    bills.into_iter().find(|bill| of(&bill.inventory.packages) == wanted)
}
