//! Paths that may follow each other: sorted, each below a directory that came before, none of them
//! leading anywhere else.
//!
//! Source: tonistiigi/fsutil, validator.go.

use super::super::ReceiveError;

/// Longest path, in bytes, as Linux has it.
const LONGEST: usize = 4095;
/// Deepest nesting: every level costs an open directory when trees are merged.
const DEEPEST: usize = 300;

/// A directory that may still get entries.
#[derive(Debug)]
struct Open {
    /// Its number among the directories.
    index: u32,
    /// Length of its path.
    length: usize,
    /// Its entry that came last.
    last: Vec<u8>,
}

/// Where the next entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot<'p> {
    /// Number of the directory that it is in.
    pub parent: u32,
    /// Its name there.
    pub name: &'p [u8],
}

/// The place in the listing; directory 0 is the root.
#[derive(Debug)]
pub(super) struct Order {
    /// Path of the innermost open directory.
    path: Vec<u8>,
    open: Vec<Open>,
}

impl Default for Order {
    fn default() -> Self {
        let root = Open { index: 0, length: 0, last: Vec::new() };
        Self { path: Vec::new(), open: vec![root] }
    }
}

impl Order {
    /// Takes the next path; everything behind it in the list must sort after it.
    pub(super) fn next<'p>(&mut self, path: &'p [u8]) -> Result<Spot<'p>, ReceiveError> {
        check(path)?;
        let (parent, name) = split(path);
        while self.path != parent {
            self.open.pop();
            let Some(above) = self.open.last() else { return Err(unordered(path)) };
            self.path.truncate(above.length);
        }
        let Some(directory) = self.open.last_mut() else { return Err(unordered(path)) };
        if directory.last.as_slice() >= name {
            return Err(unordered(path));
        }
        directory.last.clear();
        directory.last.extend_from_slice(name);
        Ok(Spot { parent: directory.index, name })
    }

    /// Says that the path that was taken last is a directory with a number.
    pub(super) fn enter(&mut self, path: &[u8], index: u32) -> Result<(), ReceiveError> {
        if self.open.len() > DEEPEST {
            return Err(ReceiveError::damaged("directories nested too deeply", path));
        }
        self.path.clear();
        self.path.extend_from_slice(path);
        self.open.push(Open { index, length: path.len(), last: Vec::new() });
        Ok(())
    }
}

fn unordered(path: &[u8]) -> ReceiveError {
    ReceiveError::damaged("an entry out of order", path)
}

/// The directory and the name in it.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
        None => (&[], path),
    }
}

/// Refuses every path that is not plainly one below the root.
pub(super) fn check(path: &[u8]) -> Result<(), ReceiveError> {
    if path.len() > LONGEST {
        return Err(ReceiveError::damaged("a path that is too long", path));
    }
    let plain = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && !part.contains(&0);
    if !path.split(|byte| *byte == b'/').all(plain) {
        return Err(ReceiveError::damaged("a path that leads elsewhere", path));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes a list; names that end in `/` are directories.
    fn take(paths: &[&str]) -> Result<Vec<(u32, String)>, String> {
        let mut order = Order::default();
        let mut directories = 0;
        let mut spots = Vec::new();
        for path in paths {
            let plain = path.trim_end_matches('/').as_bytes();
            let spot = order.next(plain).map_err(|error| error.to_string())?;
            spots.push((spot.parent, String::from_utf8(spot.name.to_vec()).unwrap()));
            if path.ends_with('/') {
                directories += 1;
                order.enter(plain, directories).map_err(|error| error.to_string())?;
            }
        }
        Ok(spots)
    }

    #[test]
    fn a_walk_in_order_is_taken() {
        let spots = take(&["a/", "a/b/", "a/b/c", "a/d", "a-b", "b"]).unwrap();
        let parents: Vec<u32> = spots.iter().map(|(parent, _)| *parent).collect();
        assert_eq!(parents, [0, 1, 2, 1, 0, 0]);
    }

    #[test]
    fn what_leads_elsewhere_or_comes_out_of_order_is_refused() {
        for path in ["", "/a", "a/../b", "..", ".", "a//b", "a/", "./a", "a\0b", &"a/".repeat(3000)]
        {
            assert!(check(path.as_bytes()).is_err(), "{path:?}");
        }
        for list in [
            &["a", "a"][..],
            &["b", "a"],
            &["a", "a/b"],
            &["a/b"],
            &["a/", "b", "a/c"],
            &["a/", "a/b", "a/b/c"],
        ] {
            assert!(take(list).unwrap_err().contains("out of order"), "{list:?}");
        }
        let deep: Vec<String> = (1..400).map(|n| "d/".repeat(n)).collect();
        let deep: Vec<&str> = deep.iter().map(String::as_str).collect();
        assert!(take(&deep).unwrap_err().contains("too deeply"));
    }

    proptest! {
        #[test]
        fn a_spot_is_always_one_name(paths in prop::collection::vec("[a-c./]{0,6}", 0..20)) {
            let mut order = Order::default();
            for (index, path) in (1..).zip(&paths) {
                let path = path.as_bytes();
                if let Ok(spot) = order.next(path) {
                    prop_assert!(!spot.name.is_empty() && !spot.name.contains(&b'/'));
                    prop_assert!(spot.name != b"." && spot.name != b"..");
                    let _ = order.enter(path, index);
                }
            }
        }
    }
}
