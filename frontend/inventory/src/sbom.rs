//! Bills of materials: the same inventory for other people's tools.
//!
//! The same subject always gives the same bytes: nothing here asks for the time or for chance.

mod cyclonedx;
mod licence;
mod spdx;

use serde::{Deserialize, Serialize};

pub use self::cyclonedx::write as cyclonedx;
pub use self::spdx::write as spdx;
use crate::claims::hash;
use crate::inventory::Inventory;
use crate::package::{Ecosystem, Package};

/// Which image it is, and what is in it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The image's name, as people know it: `registry.example/app:1.2`.
    pub name: &'a str,
    /// Its digest: `sha256:` and 64 hexadecimal digits; empty while it has none.
    pub digest: &'a str,
    /// When the document was made, RFC 3339 in UTC with whole seconds.
    pub created: &'a str,
    /// The version of the program that made it.
    pub version: &'a str,
    /// What is installed.
    pub inventory: &'a Inventory,
    /// Where each package of the inventory came from, in its order; may be shorter, or empty.
    pub places: &'a [Place],
}

/// Where a package came from; what is not known stays out of the document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The digest of the layer (`diff_id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The Dockerfile's line, 1-based.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The stage of the Dockerfile, by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The base image, if it was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

impl Subject<'_> {
    /// Each package with its place and its package URL.
    fn packages(&self) -> impl Iterator<Item = (&Package, Option<&Place>, String)> {
        let distro = self.inventory.distro.as_ref();
        self.inventory
            .packages
            .iter()
            .enumerate()
            .map(move |(at, package)| (package, self.places.get(at), package.purl(distro)))
    }

    /// The digest's digits.
    fn digits(&self) -> &str {
        self.digest.split_once(':').map_or(self.digest, |(_, digits)| digits)
    }

    /// The image's package URL.
    fn purl(&self) -> String {
        let name = self.name.split('@').next().unwrap_or_default();
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        let last = repository.rsplit('/').next().unwrap_or_default().to_lowercase();
        let mut image = Package::new(Ecosystem::Generic, &last, self.digest, "").purl(None);
        image.replace_range(.."pkg:generic".len(), "pkg:oci");
        let mut separator = '?';
        let located = Some(repository).filter(|repository| repository.contains('/'));
        for (key, value) in [("repository_url", located), ("tag", tag)] {
            if let Some(value) = value {
                image.push(separator);
                image.push_str(key);
                image.push('=');
                crate::purl::encode(&mut image, value);
                separator = '&';
            }
        }
        image
    }

    /// A UUID that belongs to the image: version 8, from its digest.
    fn uuid(&self) -> String {
        let mut digits = self.digits().to_ascii_lowercase();
        if digits.len() < 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // Two images without a digest differ in their packages or in when they were made.
            let purls: Vec<_> = self.packages().map(|(_, _, purl)| purl).collect();
            let all = [self.name, self.created, self.digest, &purls.join("\n")].join("\n");
            let all = all.as_bytes();
            digits = format!("{:016x}{:016x}", hash(all), hash(&[all, b"/"].concat()));
        }
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        format!(
            "{}-{}-8{}-a{}-{}",
            part(0, 8),
            part(8, 12),
            part(13, 16),
            part(17, 20),
            part(20, 32)
        )
    }
}

/// What else is known of a package, as pairs for formats that have no place of their own for it.
fn properties(package: &Package, place: Option<&Place>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut add = |name, value: Option<String>| found.extend(value.map(|value| (name, value)));
    if let Some(Place { layer, line, stage, base }) = place {
        add("cofferdam:base", base.clone());
        add("cofferdam:layer", layer.clone());
        add("cofferdam:line", line.map(|line| line.to_string()));
        add("cofferdam:stage", stage.clone());
    }
    add("cofferdam:architecture", package.architecture.clone());
    add("cofferdam:owner", package.owner.clone());
    if let Some(source) = &package.source {
        add("cofferdam:source", Some(source.name.clone()));
        add("cofferdam:source-version", Some(source.version.clone()));
    }
    found.sort();
    found
}

/// A supplier's name and address, as `NAME <ADDRESS>` has them.
fn addressed(supplier: &str) -> (&str, Option<&str>) {
    match supplier.split_once('<') {
        Some((name, address)) if !name.trim().is_empty() => {
            let address = address.trim_end_matches('>').trim();
            (name.trim(), Some(address).filter(|address| !address.is_empty()))
        }
        _ => (supplier.trim(), None),
    }
}

#[cfg(test)]
mod tests;
