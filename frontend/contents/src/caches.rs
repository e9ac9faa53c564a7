//! Caches of package managers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::hidden::Hidden;

/// Caches of one layer; only hostile images have more.
const MOST: usize = 64;
/// Names of files that are kept of a cache, to know later whether it is still there.
const NAMES: usize = 16;

/// Directories from the root.
const ROOTED: [&str; 9] = [
    "var/lib/apt/lists",
    "var/cache/apt",
    "var/cache/apk",
    "etc/apk/cache",
    "var/cache/yum",
    "var/cache/dnf",
    "var/cache/libdnf5",
    "var/cache/zypp",
    "var/cache/pacman/pkg",
];

/// Directories anywhere, mostly of homes.
const ANYWHERE: [&str; 12] = [
    ".cache/pip",
    ".cache/uv",
    ".cache/pypoetry",
    ".cache/go-build",
    ".cache/yarn",
    ".cache/composer",
    ".composer/cache",
    ".npm/_cacache",
    ".yarn/cache",
    "share/.cache/yarn",
    ".cargo/registry/cache",
    ".gradle/caches",
];

/// The cache that a file belongs to.
pub(crate) fn cache_of(path: &str) -> Option<&str> {
    // Every file of an image comes here, and nearly none is in a hidden directory.
    let hidden = path.starts_with('.') || path.as_bytes().windows(2).any(|pair| pair == b"/.");
    let anywhere = ANYWHERE.iter().filter(|_| hidden);
    let within = |directory: &str, at: usize| {
        let end = at + directory.len();
        let begins = at == 0 || path.as_bytes().get(at - 1) == Some(&b'/');
        (begins && path.as_bytes().get(end) == Some(&b'/')).then(|| path.get(..end)).flatten()
    };
    let rooted = ROOTED.iter().filter(|directory| path.starts_with(**directory));
    rooted
        .map(|directory| (*directory, 0))
        .chain(anywhere.filter_map(|directory| Some((*directory, path.find(directory)?))))
        .find_map(|(directory, at)| within(directory, at))
}

/// How much one cache holds in one layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cache {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    names: BTreeSet<String>,
}

impl Cache {
    fn name(&mut self, name: String) {
        self.names.insert(name);
        if self.names.len() > NAMES {
            self.names.pop_last();
        }
    }

    /// Takes away what a layer hides; whether anything is left, as far as names were kept.
    pub(crate) fn outlives(&mut self, hidden: &Hidden) -> bool {
        self.names.retain(|name| !hidden.hides(name));
        !self.names.is_empty()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// The caches of one layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Caches(BTreeMap<String, Cache>);

impl Caches {
    /// Counts a file that holds something.
    pub(crate) fn file(&mut self, path: &str, size: u64) {
        let Some(directory) = cache_of(path).filter(|_| size > 0) else { return };
        self.cache(directory, |cache| {
            cache.files += 1;
            cache.bytes = cache.bytes.saturating_add(size);
            cache.name(path.to_string());
        });
    }

    fn cache(&mut self, directory: &str, change: impl FnOnce(&mut Cache)) {
        if self.0.len() < MOST || self.0.contains_key(directory) {
            change(self.0.entry(directory.to_string()).or_default());
        }
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        for (directory, Cache { files, bytes, names }) in other.0 {
            self.cache(&directory, |cache| {
                cache.files += files;
                cache.bytes = cache.bytes.saturating_add(bytes);
                names.into_iter().for_each(|name| cache.name(name));
            });
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Cache)> {
        self.0.iter().map(|(directory, cache)| (directory.as_str(), cache))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_caches() {
        let of = |path| cache_of(path);
        assert_eq!(of("var/lib/apt/lists/deb_dists_x_Packages"), Some("var/lib/apt/lists"));
        assert_eq!(of("root/.cache/pip/http/a/b"), Some("root/.cache/pip"));
        assert_eq!(of("home/x/.npm/_cacache/index"), Some("home/x/.npm/_cacache"));
        assert_eq!(of("usr/local/share/.cache/yarn/v6/x"), Some("usr/local/share/.cache/yarn"));
        for other in
            ["var/lib/apt/lists", "x/var/lib/apt/lists/y", "a.cache/pip/x", "var/cache/aptx/y"]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn caches_that_may_be_anywhere_are_hidden() {
        assert!(ANYWHERE.iter().all(|path| path.starts_with('.') || path.contains("/.")));
    }

    #[test]
    fn a_cache_is_there_as_long_as_a_file_of_it_is() {
        let mut caches = Caches::default();
        for n in 0..100 {
            caches.file(&format!("root/.cache/pip/{n:03}"), 10);
        }
        let (_, cache) = caches.iter().next().unwrap();
        assert_eq!((cache.files, cache.bytes, cache.names.len()), (100, 1000, NAMES));
        let mut hidden = Hidden::default();
        hidden.remove("root/.cache/pip/000".into());
        assert!(cache.clone().outlives(&hidden));
        hidden.remove("root/.cache".into());
        assert!(!cache.clone().outlives(&hidden));
    }
}
