//! Layers: what each of them changes, and which of them brought a package.
//!
//! The layer that last wrote a package database says nothing about the packages in it: every
//! `apt-get` rewrites all of dpkg's. So the sets of packages after each layer are compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::inventory::Inventory;
use crate::reading::Reading;
use crate::text::{lossy, relative};

/// What one layer changes. It depends on the layer alone, and may be kept by its digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    readings: BTreeMap<String, Reading>,
    /// Names that are no directories and no readings: they hide what lower layers have there. A
    /// layer has up to millions of them, so only digests are kept.
    covered: BTreeSet<u128>,
    removed: BTreeSet<String>,
    opaque: BTreeSet<String>,
}

impl Layer {
    /// A file that was read; `path` as everywhere relative to the root. A hard link is a file as any
    /// other, with the bytes of the one it is linked to.
    pub fn read(&mut self, path: &[u8], reading: Reading) {
        if reading.is_empty() {
            self.cover(path);
        } else {
            self.readings.insert(plain(path), reading);
        }
    }

    /// Anything else that is no directory: a file that nobody wants, a link, a device. An archive
    /// may name a path twice, and the last one counts.
    pub fn cover(&mut self, path: &[u8]) {
        let path = plain(path);
        self.readings.remove(&path);
        self.covered.insert(digest(&path));
    }

    /// What a whiteout removes from the layers below.
    pub fn remove(&mut self, path: &[u8]) {
        self.removed.insert(plain(path));
    }

    /// A directory that shows nothing of the layers below.
    pub fn opaque(&mut self, path: &[u8]) {
        self.opaque.insert(plain(path));
    }

    /// Whether it changes nothing that matters here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { readings, covered, removed, opaque } = self;
        readings.is_empty() && covered.is_empty() && removed.is_empty() && opaque.is_empty()
    }

    /// Takes what another walk over the same layer saw.
    pub fn absorb(&mut self, other: Self) {
        let Self { readings, covered, removed, opaque } = other;
        self.readings.extend(readings);
        self.covered.extend(covered);
        self.removed.extend(removed);
        self.opaque.extend(opaque);
    }

    /// Whether something that lower layers have at this path cannot be seen any more.
    fn hides(&self, path: &str) -> bool {
        let above = |path: &str| {
            self.removed.contains(path)
                || self.readings.contains_key(path)
                || self.covered.contains(&digest(path))
        };
        let parents = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        above(path)
            || self.opaque.contains("")
            || parents.into_iter().any(|parent| above(parent) || self.opaque.contains(parent))
    }
}

/// The first half of a SHA-256.
fn digest(path: &str) -> u128 {
    let digest: [u8; 32] = Sha256::digest(path).into();
    let half = digest.first_chunk().copied().unwrap_or_default();
    u128::from_be_bytes(half)
}

/// As text, without a slash at the end.
fn plain(path: &[u8]) -> String {
    let path = relative(path);
    lossy(path.strip_suffix(b"/").unwrap_or(path)).into_owned()
}

/// The file system that some layers make.
#[derive(Debug, Clone, Default)]
pub struct View(BTreeMap<String, Reading>);

impl View {
    /// Puts the next layer on top.
    pub fn apply(&mut self, layer: &Layer) {
        self.0.retain(|path, _| !layer.hides(path));
        let readings = layer.readings.iter();
        self.0.extend(readings.map(|(path, reading)| (path.clone(), reading.clone())));
    }

    /// The files that were read and are still there: a caller that sees whole file systems, and no
    /// layers, finds out with them what the next one has removed.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What is installed now.
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        Inventory::of(self.0.iter().map(|(path, reading)| (path.as_str(), reading)))
    }
}

/// What is installed after each layer, the lowest first.
pub fn states<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Vec<Inventory> {
    let mut view = View::default();
    let after = |layer| {
        view.apply(layer);
        view.inventory()
    };
    layers.into_iter().map(after).collect()
}

/// Tells for each package of the last inventory, in its order, which inventory has it first.
///
/// `states` are the inventories after the base (or after each layer of it) and after each
/// instruction. A package that was removed and came back counts from its return; one in a new
/// version or for another architecture is another package.
#[must_use]
pub fn attribute(states: &[Inventory]) -> Vec<usize> {
    let Some((last, before)) = states.split_last() else { return Vec::new() };
    let mut first = vec![before.len(); last.packages.len()];
    // Going back, until a state does not have it.
    let mut open: Vec<usize> = (0..last.packages.len()).collect();
    for (at, state) in before.iter().enumerate().rev() {
        let has: BTreeSet<_> = state.packages.iter().map(|package| package.identity()).collect();
        open.retain(|&package| {
            last.packages.get(package).is_some_and(|package| has.contains(&package.identity()))
        });
        for &package in &open {
            if let Some(first) = first.get_mut(package) {
                *first = at;
            }
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::read;

    fn file(layer: &mut Layer, path: &str, text: &str) {
        let kind = crate::wants(path.as_bytes(), text.len() as u64, 0o644, b"").unwrap();
        layer.read(path.as_bytes(), read(kind, path.as_bytes(), &mut text.as_bytes()));
    }

    fn npm(layer: &mut Layer, name: &str) {
        let text = format!(r#"{{"name": "{name}", "version": "1.0.0"}}"#);
        file(layer, &format!("app/node_modules/{name}/package.json"), &text);
    }

    fn names(inventory: &Inventory) -> Vec<&str> {
        inventory.packages.iter().map(|package| package.name.as_str()).collect()
    }

    fn status(packages: &[(&str, &str)]) -> String {
        let stanza = |(name, version): &(&str, &str)| {
            format!("Package: {name}\nStatus: install ok installed\nVersion: {version}\n\n")
        };
        packages.iter().map(stanza).collect()
    }

    #[test]
    fn the_layer_that_rewrote_the_database_did_not_bring_all_of_it() {
        let mut layers = vec![Layer::default(); 4];
        file(&mut layers[0], "var/lib/dpkg/status", &status(&[("libc6", "1"), ("zlib1g", "1")]));
        layers[1].cover(b"app/main.py");
        let second = [("curl", "1"), ("libc6", "1"), ("zlib1g", "2")];
        file(&mut layers[2], "./var/lib/dpkg/status", &status(&second));
        file(&mut layers[3], "/var/lib/dpkg/status", &status(&[("curl", "1"), ("libc6", "1")]));
        let states = states(&layers);
        assert_eq!(names(&states[3]), ["curl", "libc6"]);
        assert_eq!(attribute(&states), [2, 0]);
        assert_eq!(names(&states[2]), ["curl", "libc6", "zlib1g"]);
        assert_eq!(attribute(&states[..3]), [2, 0, 2]);
        assert_eq!(attribute(&[]), [0; 0]);
    }

    #[test]
    fn what_a_later_layer_deletes_is_absent() {
        let mut layers = vec![Layer::default(); 3];
        npm(&mut layers[0], "lodash");
        npm(&mut layers[0], "minimist");
        layers[1].remove(b"app/node_modules/minimist");
        npm(&mut layers[2], "minimist");
        let states = states(&layers);
        assert_eq!(names(&states[1]), ["lodash"]);
        assert_eq!(attribute(&states), [0, 2]);
    }

    #[test]
    fn parts_of_a_layer_make_a_whole() {
        let (mut whole, mut parts) = (Layer::default(), vec![Layer::default(); 2]);
        for (part, name) in [(0, "lodash"), (1, "minimist")] {
            npm(&mut whole, name);
            npm(&mut parts[part], name);
        }
        whole.remove(b"a");
        parts[1].remove(b"a");
        let mut joined = Layer::default();
        parts.into_iter().for_each(|part| joined.absorb(part));
        assert_eq!(joined, whole);
        let mut view = View::default();
        view.apply(&joined);
        assert_eq!(view.paths().count(), 2);
    }

    #[test]
    fn a_layer_can_be_kept() {
        let mut layer = Layer::default();
        npm(&mut layer, "lodash");
        let list = "/bin/sh\n";
        file(&mut layer, "var/lib/dpkg/info/dash.list", list);
        file(&mut layer, "var/lib/dpkg/status", "damaged");
        layer.cover(b"usr/bin/tool");
        layer.remove(b"a");
        layer.opaque(b"b/");
        let text = serde_json::to_string(&layer).unwrap();
        assert_eq!(serde_json::from_str::<Layer>(&text).unwrap(), layer);
    }

    #[test]
    fn what_a_later_layer_hides_is_absent() {
        let below = |change: &dyn Fn(&mut Layer)| {
            let mut layers = vec![Layer::default(); 2];
            npm(&mut layers[0], "lodash");
            change(&mut layers[1]);
            names(&states(&layers)[1]).len()
        };
        let path = "app/node_modules/lodash/package.json";
        assert_eq!(below(&|layer| layer.cover(path.as_bytes())), 0);
        assert_eq!(below(&|layer| layer.cover(b"app/node_modules")), 0);
        assert_eq!(below(&|layer| layer.remove(b"app")), 0);
        assert_eq!(below(&|layer| layer.opaque(b"app")), 0);
        assert_eq!(below(&|layer| layer.opaque(b"")), 0);
        assert_eq!(below(&|layer| file(layer, path, "{}")), 0);
        assert_eq!(below(&|layer| layer.opaque(b"ap")), 1);
        assert_eq!(below(&|layer| layer.remove(b"app/node_modules/lodash/index.js")), 1);
        // An opaque directory hides what is below, not what comes with it.
        assert_eq!(
            below(&|layer| {
                layer.opaque(b"app");
                npm(layer, "other");
            }),
            1
        );
    }
}
