//! Which package of the distribution a file belongs to.
//!
//! Package managers list hundreds of thousands of paths, and few of them are ever asked for: only
//! their hashes are kept. Whoever could make two paths of the same hash could write into the lists.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::text::relative;

/// The files of one package, as its package manager lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The package's name.
    pub owner: String,
    /// Hashes of paths.
    pub paths: Vec<u64>,
}

impl Claim {
    pub(crate) fn new(owner: &str) -> Self {
        Self { owner: owner.to_string(), paths: Vec::new() }
    }

    /// Takes a path, with or without a leading slash; documentation is never asked for.
    pub(crate) fn add(&mut self, path: &[u8]) {
        let path = canonical(path);
        let dull = [&b"usr/share/doc/"[..], b"usr/share/man/", b"usr/share/locale/"];
        if !path.is_empty() && !dull.iter().any(|dull| path.starts_with(dull)) {
            self.paths.push(hash(path));
        }
    }
}

/// Every file that some package claims.
#[derive(Debug, Default)]
pub(crate) struct Owners<'a>(BTreeMap<u64, &'a str>);

impl<'a> Owners<'a> {
    pub(crate) fn of(claims: impl Iterator<Item = &'a Claim>) -> Self {
        let mut all = Vec::new();
        for claim in claims {
            all.extend(claim.paths.iter().map(|&path| (path, claim.owner.as_str())));
        }
        Self(all.into_iter().collect())
    }

    /// The owner of a file, or of the archive that a member `archive!/member` is in.
    pub(crate) fn of_file(&self, origin: &str) -> Option<&'a str> {
        let file = origin.split_once("!/").map_or(origin, |(file, _)| file);
        self.0.get(&hash(canonical(file.as_bytes()))).copied()
    }
}

/// The same file under `/bin` and `/usr/bin`: on all distributions that still list both, one is a
/// link to the other.
fn canonical(path: &[u8]) -> &[u8] {
    let path = relative(path);
    let merged = path.strip_prefix(b"usr/").filter(|rest| {
        [&b"bin/"[..], b"sbin/", b"lib"].iter().any(|start| rest.starts_with(start))
    });
    merged.unwrap_or(path)
}

/// FNV-1a, 64 bits: stable across versions, as results are kept.
pub(crate) fn hash(path: &[u8]) -> u64 {
    path.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_under_each_of_its_names() {
        let mut claim = Claim::new("openssl");
        claim.add(b"/bin/openssl");
        claim.add(b"./usr/share/java/a.jar");
        claim.add(b"/usr/share/doc/openssl/copyright");
        assert_eq!(claim.paths.len(), 2);
        let owners = Owners::of(std::iter::once(&claim));
        assert_eq!(owners.of_file("usr/bin/openssl"), Some("openssl"));
        assert_eq!(owners.of_file("usr/share/java/a.jar!/b.jar"), Some("openssl"));
        assert_eq!(owners.of_file("usr/local/bin/openssl"), None);
    }
}
