//! Caches of package managers that nobody needs any more.

use std::collections::BTreeMap;

use super::Case;
use crate::finding::{Finding, shown};

pub(super) const RULE: &str = "package-cache";

/// Bytes in one layer that are not worth a word.
const LITTLE: u64 = 256 * 1024;

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut layers: BTreeMap<usize, (u64, Vec<String>)> = BTreeMap::new();
    for (layer, path, cache) in &case.view.caches {
        if case.is_new(*layer) {
            let (bytes, paths) = layers.entry(*layer).or_default();
            *bytes = bytes.saturating_add(cache.bytes);
            paths.push(shown(path));
        }
    }
    let worth = layers.into_iter().filter(|(_, (bytes, _))| *bytes >= LITTLE);
    worth
        .map(|(layer, (bytes, paths))| {
            let message = format!("{} MB of a package manager's cache", megabytes(bytes));
            let fix = "RUN --mount=type=cache keeps it out of the image, and so does deleting it \
                       in the same step";
            Finding::new(RULE, message, fix).at(layer).paths(paths)
        })
        .collect()
}

/// With one digit behind the point.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn caches_of_new_layers_are_told_with_their_size() {
        let mut image = Image { base: 1, ..Image::default() };
        image.layer().sized("var/lib/apt/lists/old", 9_000_000);
        image.layer().sized("var/lib/apt/lists/x", 1_200_000).sized("root/.cache/pip/y", 350_000);
        let found = image.found(RULE);
        assert_eq!(found[0].message, "1.6 MB of a package manager's cache");
        assert_eq!(found[0].paths, ["/root/.cache/pip", "/var/lib/apt/lists"]);
        image.layer().remove("var/lib/apt/lists/x").remove("root/.cache");
        assert_eq!(image.found(RULE), []);
    }

    #[test]
    fn little_is_silent() {
        let mut image = Image::default();
        image.layer().sized("var/cache/apt/pkgcache.bin", 1000).sized("var/lib/apt/lists/lock", 0);
        assert_eq!(image.found(RULE), []);
    }
}
