//! One package: what it is called, by whom, and where that is written down.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::reading::Reason;
use crate::text::Shown;

/// More packages than any one file has that was not made to be a burden.
const MOST: usize = 200_000;

/// Takes one more package of a file.
pub(crate) fn add(into: &mut Vec<Package>, package: Package) -> Result<(), Reason> {
    if into.len() >= MOST {
        return Err(Reason::TooMany { limit: MOST });
    }
    into.push(package);
    Ok(())
}

/// Who gave a package its name, and so what its version means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Debian and its relatives: dpkg.
    Deb,
    /// Alpine and its relatives: apk.
    Apk,
    /// Red Hat, SUSE and their relatives: rpm.
    Rpm,
    /// Modules inside of Go binaries, the standard library included.
    Golang,
    /// Crates inside of binaries that `cargo auditable` built.
    Cargo,
    /// npm.
    Npm,
    /// The Python Package Index.
    PyPi,
    /// RubyGems.
    Gem,
    /// Java archives; names are `group:artifact`, or the artifact alone.
    Maven,
    /// .NET.
    NuGet,
    /// Programs that no package manager put there, known by the version string inside.
    Generic,
}

impl Ecosystem {
    /// The type of a package URL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Golang => "golang",
            Self::Cargo => "cargo",
            Self::Npm => "npm",
            Self::PyPi => "pypi",
            Self::Gem => "gem",
            Self::Maven => "maven",
            Self::NuGet => "nuget",
            Self::Generic => "generic",
        }
    }

    /// Whether its packages are those of the distribution, with versions of the distribution's.
    #[must_use]
    pub fn is_distribution(self) -> bool {
        matches!(self, Self::Deb | Self::Apk | Self::Rpm)
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The source package that advisories of a distribution speak of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// Its version, which may lack the epoch of the binary package.
    pub version: String,
}

/// An installed package.
///
/// The order is that of lists: by ecosystem, name, version and architecture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Who named it.
    pub ecosystem: Ecosystem,
    /// Its name, as its ecosystem writes it.
    pub name: String,
    /// Its version, as its ecosystem writes it; with epoch and revision where there are any.
    pub version: String,
    /// What it was built for: Debian's, Alpine's or rpm's name, or the platform of a gem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The source package, for distributions that have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Upstream>,
    /// The licence as its author declared it; often an SPDX expression, but nobody checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Who distributes it, for packages of a distribution: Debian's and Alpine's maintainer, rpm's
    /// vendor. It tells packages of other origin from the distribution's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// Files that say so, relative to the root; members of archives behind `!/`.
    pub origins: BTreeSet<String>,
    /// The package of the distribution that these files belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

impl Package {
    /// A package about which only this is known yet.
    #[must_use]
    pub fn new(ecosystem: Ecosystem, name: &str, version: &str, origin: &str) -> Self {
        Self {
            ecosystem,
            name: name.to_string(),
            version: version.to_string(),
            architecture: None,
            source: None,
            licence: None,
            supplier: None,
            origins: BTreeSet::from([origin.to_string()]),
            owner: None,
        }
    }

    /// What makes it this package and no other, wherever it lies.
    #[must_use]
    pub fn identity(&self) -> (Ecosystem, &str, &str, Option<&str>) {
        (self.ecosystem, &self.name, &self.version, self.architecture.as_deref())
    }
}

/// `name version`, with the architecture where it says something; safe to print.
impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Shown(&self.name), Shown(&self.version))?;
        match &self.architecture {
            Some(architecture) => write!(f, " ({})", Shown(architecture)),
            None => Ok(()),
        }
    }
}
