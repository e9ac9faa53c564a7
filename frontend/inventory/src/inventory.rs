//! The readings of one file system become one list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::claims::Owners;
use crate::kind::Kind;
use crate::os_release::Distro;
use crate::package::{Ecosystem, Package};
use crate::reading::{Reading, Reason};
use crate::text::Shown;

/// A file that matters and could not be read, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unread {
    /// The file, relative to the root.
    pub path: String,
    /// What it should have been.
    pub kind: Kind,
    /// What is wrong with it.
    #[serde(flatten)]
    pub reason: Reason,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", Shown(&self.path), self.kind, self.reason)
    }
}

/// Everything that is installed in one file system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The distribution, when a file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distro: Option<Distro>,
    /// Package databases that are there, empty ones and unreadable ones included.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub databases: BTreeSet<String>,
    /// The packages, sorted; each once, with all files that speak of it.
    pub packages: Vec<Package>,
    /// What could not be read: the list may be too short by that much.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
}

impl Inventory {
    /// Merges the readings of all files of a file system, by their paths in any order.
    #[must_use]
    pub fn of<'a>(readings: impl IntoIterator<Item = (&'a str, &'a Reading)>) -> Self {
        let readings: BTreeMap<_, _> = readings.into_iter().collect();
        let owners = Owners::of(readings.values().flat_map(|reading| &reading.claims));
        let licences: BTreeMap<_, _> =
            readings.values().filter_map(|reading| reading.licence.as_ref()).cloned().collect();
        let mut found = Self::default();
        let mut packages = BTreeMap::new();
        for (&path, &reading) in &readings {
            if reading.kind.is_database() {
                found.databases.insert(path.to_string());
            }
            // `etc/os-release` comes first, and is the one that counts.
            if found.distro.is_none() {
                found.distro.clone_from(&reading.distro);
            }
            if let Some(reason) = &reading.unread {
                let reason = reason.clone();
                found.unread.push(Unread { path: path.to_string(), kind: reading.kind, reason });
            }
            for package in &reading.packages {
                let owner = match package.ecosystem.is_distribution() {
                    true => None,
                    false => package.origins.iter().find_map(|origin| owners.of_file(origin)),
                };
                // The owner's version says more than a string inside of its program.
                if package.ecosystem == Ecosystem::Generic && owner.is_some() {
                    continue;
                }
                add(&mut packages, package, owner);
            }
        }
        found.packages = packages.into_values().collect();
        for package in found.packages.iter_mut().filter(|p| p.ecosystem == Ecosystem::Deb) {
            package.licence =
                package.licence.take().or_else(|| licences.get(&package.name).cloned());
        }
        found.packages.sort();
        found
    }
}

/// What makes a package itself, owned.
type Identity<'a> = (Ecosystem, &'a str, &'a str, Option<&'a str>);

fn add<'a>(
    packages: &mut BTreeMap<Identity<'a>, Package>,
    package: &'a Package,
    owner: Option<&str>,
) {
    let known = packages.entry(package.identity()).or_insert_with(|| {
        let owner = owner.map(str::to_string);
        Package { owner, ..package.clone() }
    });
    // Owned only when each of its places is.
    if owner.is_none() {
        known.owner = None;
    }
    known.origins.extend(package.origins.iter().cloned());
    if known.licence.is_none() {
        known.licence.clone_from(&package.licence);
    }
    if known.supplier.is_none() {
        known.supplier.clone_from(&package.supplier);
    }
    if known.source.is_none() {
        known.source.clone_from(&package.source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::read;

    fn reading(path: &str, text: &str) -> (String, Reading) {
        let kind = crate::wants(path.as_bytes(), text.len() as u64, 0o644, b"").unwrap();
        (path.to_string(), read(kind, path.as_bytes(), &mut text.as_bytes()))
    }

    fn inventory(files: &[(&str, &str)]) -> Inventory {
        let readings: Vec<_> = files.iter().map(|(path, text)| reading(path, text)).collect();
        Inventory::of(readings.iter().map(|(path, reading)| (path.as_str(), reading)))
    }

    #[test]
    fn a_package_in_two_places_is_listed_once() {
        let lodash = r#"{"name": "lodash", "version": "4.17.21"}"#;
        let found = inventory(&[
            ("b/node_modules/lodash/package.json", lodash),
            ("a/node_modules/lodash/package.json", lodash),
            ("usr/lib/os-release", "ID=other\n"),
            ("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
            ("var/lib/dpkg/status", ""),
        ]);
        assert_eq!(found.packages.len(), 1);
        let origins: Vec<_> = found.packages[0].origins.iter().map(String::as_str).collect();
        let expected = ["a/node_modules/lodash/package.json", "b/node_modules/lodash/package.json"];
        assert_eq!(origins, expected);
        assert_eq!(found.distro.unwrap().to_string(), "debian-12");
        assert_eq!(found.databases, BTreeSet::from(["var/lib/dpkg/status".to_string()]));
    }

    #[test]
    fn packages_of_the_distribution_own_what_they_brought() {
        let yaml = "usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/PKG-INFO";
        let files = [
            (yaml, "Name: PyYAML\nVersion: 6.0\n"),
            ("var/lib/dpkg/info/python3-yaml.list", &format!("/{yaml}\n")),
        ];
        assert_eq!(inventory(&files).packages[0].owner.as_deref(), Some("python3-yaml"));
        let twice = [files[0], files[1], ("v/PyYAML-6.0.dist-info/METADATA", files[0].1)];
        assert_eq!(inventory(&twice).packages[0].owner, None);
    }

    #[test]
    fn copyright_files_have_the_licences_of_packages() {
        let found = inventory(&[
            ("var/lib/dpkg/status", "Package: zlib1g\nVersion: 1\n\n"),
            ("usr/share/doc/zlib1g/copyright", "Format: x\n\nFiles: *\nLicense: Zlib\n"),
            ("usr/share/doc/other/copyright", "Format: x\n\nFiles: *\nLicense: MIT\n"),
        ]);
        assert_eq!(found.packages[0].licence.as_deref(), Some("Zlib"));
    }

    #[test]
    fn what_is_unread_is_listed_with_its_reason() {
        let found = inventory(&[("lib/apk/db/installed", "P:musl\nV:1")]);
        assert_eq!(found.packages.len(), 1);
        assert_eq!(
            found.unread[0].to_string(),
            "lib/apk/db/installed (apk database): it ends too early"
        );
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Inventory>(&text).unwrap(), found);
    }
}
