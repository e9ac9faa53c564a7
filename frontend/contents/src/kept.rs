//! Lists that are bounded whatever is put into them, and the same in whatever order it comes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Bytes of names that one list keeps.
const BUDGET: usize = 128 * 1024;
/// What an item takes besides its name, in bytes, about.
const ITEM: usize = 64;

/// A path; those of fewer parts come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) struct Place {
    /// Counted once: places are compared far more often than they are made.
    depth: usize,
    path: String,
}

impl Place {
    pub(crate) fn of(path: &str) -> Self {
        path.to_string().into()
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl From<String> for Place {
    fn from(path: String) -> Self {
        Self { depth: path.bytes().filter(|&byte| byte == b'/').count(), path }
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.path
    }
}

/// The first places that fit, and how many did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept<T> {
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    items: BTreeMap<Place, T>,
    #[serde(default, skip_serializing_if = "is_zero")]
    dropped: u64,
    /// The first place that did not fit: nothing from there on is kept, or what is would depend on
    /// the order in which it came.
    #[serde(skip)]
    beyond: Option<Place>,
    #[serde(skip)]
    bytes: usize,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), dropped: 0, beyond: None, bytes: 0 }
    }
}

impl<T> Kept<T> {
    pub(crate) fn insert(&mut self, path: &str, item: T) {
        self.insert_at(Place::of(path), item);
    }

    fn insert_at(&mut self, place: Place, item: T) {
        if self.beyond.as_ref().is_some_and(|beyond| place >= *beyond) {
            self.dropped += 1;
            return;
        }
        let bytes = place.path.len() + ITEM;
        if self.items.insert(place, item).is_none() {
            self.bytes += bytes;
        }
        while self.bytes > BUDGET {
            self.drop_last();
        }
    }

    fn drop_last(&mut self) {
        let Some((place, _)) = self.items.pop_last() else {
            self.bytes = 0;
            return;
        };
        self.bytes = self.bytes.saturating_sub(place.path.len() + ITEM);
        self.dropped += 1;
        self.beyond = Some(place);
    }

    /// Takes what another walk over the same layer kept.
    pub(crate) fn absorb(&mut self, other: Self) {
        if let Some(beyond) = other.beyond {
            while self.items.last_key_value().is_some_and(|(last, _)| *last >= beyond) {
                self.drop_last();
            }
            if self.beyond.as_ref().is_none_or(|own| beyond < *own) {
                self.beyond = Some(beyond);
            }
        }
        self.dropped += other.dropped;
        for (place, item) in other.items {
            self.insert_at(place, item);
        }
    }

    /// Forgets what only insertion needs, so that equal lists are equal however they came about.
    pub(crate) fn finish(&mut self) {
        (self.beyond, self.bytes) = (None, 0);
    }

    pub(crate) fn get(&self, place: &Place) -> Option<&T> {
        self.items.get(place)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Place, &T)> {
        self.items.iter()
    }

    /// How many were not kept.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(kept: &Kept<u32>) -> Vec<String> {
        kept.iter().map(|(place, _)| place.path.clone()).collect()
    }

    #[test]
    fn few_parts_come_first() {
        let mut kept = Kept::default();
        for path in ["a/b/c", "z", "a/b", "b"] {
            kept.insert(path, 0);
        }
        assert_eq!(paths(&kept), ["b", "z", "a/b", "a/b/c"]);
    }

    #[test]
    fn what_is_kept_depends_on_no_order_and_no_division() {
        let names: Vec<String> =
            (0..9_000_u32).map(|n| format!("{}/{n}", n.wrapping_mul(7919) % 1000)).collect();
        let mut forth = Kept::default();
        names.iter().for_each(|name| forth.insert(name, 0));
        let mut back = Kept::default();
        names.iter().rev().for_each(|name| back.insert(name, 0));
        let mut parts = [Kept::default(), Kept::default(), Kept::default()];
        for (at, name) in names.iter().enumerate() {
            parts[at % 3].insert(name, 0);
        }
        let mut joined = Kept::default();
        parts.into_iter().for_each(|part| joined.absorb(part));
        for kept in [&mut forth, &mut back, &mut joined] {
            kept.finish();
        }
        assert!(forth.dropped() > 0);
        assert_eq!(forth, back);
        assert_eq!(forth, joined);
    }

    #[test]
    fn it_can_be_written_and_read() {
        let mut kept = Kept::default();
        kept.insert("a/b", 7_u32);
        kept.finish();
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(text, r#"{"items":{"a/b":7}}"#);
        assert_eq!(serde_json::from_str::<Kept<u32>>(&text).unwrap(), kept);
    }
}
