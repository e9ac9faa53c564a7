//! One file that matters becomes what it says.

use serde::{Deserialize, Serialize};

use crate::claims::Claim;
use crate::elf::Elf;
use crate::kind::Kind;
use crate::os_release::Distro;
use crate::package::Package;
use crate::source::{Source, whole};
use crate::text::{lossy, relative};
use crate::{
    apk, auditable, copyright, deb, dotnet, gem, go, jar, npm, os_release, programs, python, rpm,
};

const MIB: usize = 1 << 20;

/// Why a file could not be read, or not to its end.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error,
)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum Reason {
    /// It ends too early.
    #[error("it ends too early")]
    Truncated,
    /// It is longer than anything sensible.
    #[error("it is longer than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: u64,
    },
    /// It speaks of more packages than anything sensible.
    #[error("it has more than {limit} packages")]
    TooMany {
        /// The most that are read.
        limit: usize,
    },
    /// It contradicts its own format.
    #[error("it is damaged: {what}")]
    Damaged {
        /// Where.
        what: String,
    },
    /// A variant of the format that is not known here.
    #[error("it cannot be read here: {what}")]
    Unsupported {
        /// Which.
        what: String,
    },
    /// The medium failed.
    #[error("it cannot be read: {cause}")]
    Io {
        /// The system's words.
        cause: String,
    },
}

impl Reason {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}

/// What one file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What it was read as.
    pub kind: Kind,
    /// The packages it speaks of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Package>,
    /// The distribution it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distro: Option<Distro>,
    /// The files it gives to packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<Claim>,
    /// The licence it gives to a package of the distribution, and the package's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) licence: Option<(String, String)>,
    /// Why there may be more than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

impl Reading {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            packages: Vec::new(),
            distro: None,
            claims: Vec::new(),
            licence: None,
            unread: None,
        }
    }

    /// Whether the file turned out to say nothing, and that without being damaged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { kind, packages, distro, claims, licence, unread } = self;
        !kind.is_database()
            && packages.is_empty()
            && distro.is_none()
            && claims.is_empty()
            && licence.is_none()
            && unread.is_none()
    }
}

/// Reads a file that [`wants`](crate::wants) asked for; `path` is relative to the root.
#[must_use]
pub fn read(kind: Kind, path: &[u8], source: &mut dyn Source) -> Reading {
    reading(kind, path, source, None)
}

/// Reads a file together with its [`companion`](Kind::companion).
#[must_use]
pub fn read_pair(
    kind: Kind,
    path: &[u8],
    source: &mut dyn Source,
    companion: &mut dyn Source,
) -> Reading {
    reading(kind, path, source, Some(companion))
}

fn reading(
    kind: Kind,
    path: &[u8],
    source: &mut dyn Source,
    companion: Option<&mut dyn Source>,
) -> Reading {
    let mut reading = Reading::new(kind);
    if let Err(reason) = fill(&mut reading, relative(path), source, companion) {
        reading.unread = Some(reason);
    }
    reading
}

fn fill(
    reading: &mut Reading,
    path: &[u8],
    source: &mut dyn Source,
    companion: Option<&mut dyn Source>,
) -> Result<(), Reason> {
    let origin = lossy(path);
    let Reading { kind, packages, distro, claims, licence, .. } = reading;
    match kind {
        Kind::OsRelease => *distro = Some(os_release::read(&whole(source, MIB)?)),
        Kind::DpkgStatus => deb::status(&whole(source, 64 * MIB)?, &origin, packages)?,
        Kind::DpkgFiles => claims.push(deb::files(path, &whole(source, 16 * MIB)?)),
        Kind::DpkgCopyright => {
            let name = origin.rsplit('/').nth(1).unwrap_or_default().to_string();
            *licence = copyright::licence(&whole(source, 4 * MIB)?).map(|licence| (name, licence));
        }
        Kind::Apk => apk::installed(&whole(source, 64 * MIB)?, &origin, packages, claims)?,
        Kind::Python => packages.push(python::metadata(&whole(source, 4 * MIB)?, &origin)?),
        Kind::Npm => packages.extend(npm::manifest(&whole(source, 8 * MIB)?, &origin)?),
        Kind::RpmSqlite | Kind::RpmNdb | Kind::RpmBdb => {
            let mut found = rpm::Found::default();
            let result = match kind {
                Kind::RpmSqlite => rpm::sqlite(source, companion, &origin, &mut found),
                Kind::RpmNdb => rpm::ndb(source, &origin, &mut found),
                _ => rpm::bdb(source, &origin, &mut found),
            };
            (*packages, *claims) = (found.packages, found.claims);
            result?;
        }
        Kind::RpmLog => {
            let what = "the database that it belongs to is in another layer".into();
            return Err(Reason::Unsupported { what });
        }
        Kind::Elf => {
            let Some(mut elf) = Elf::open(source) else { return Ok(()) };
            packages.extend(programs::version(&mut elf, &origin)?);
            go::modules(&mut elf, &origin, packages)?;
            auditable::crates(&mut elf, &origin, packages)?;
        }
        Kind::Gem => packages.push(gem::specification(&whole(source, 4 * MIB)?, &origin)?),
        Kind::Jar => jar::archive(source, &origin, packages)?,
        Kind::DotNet => dotnet::libraries(&whole(source, 64 * MIB)?, &origin, packages)?,
        Kind::JavaRelease => packages.extend(programs::java(&whole(source, MIB)?, &origin)),
    }
    Ok(())
}
