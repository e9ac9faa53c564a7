//! Which files matter, by their names and first bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::elf;
use crate::jar;
use crate::text::{file_name, relative};

/// What a file is to the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `etc/os-release`, `usr/lib/os-release`.
    OsRelease,
    /// `var/lib/dpkg/status`, and one file for each package where there is no dpkg.
    DpkgStatus,
    /// The files of one dpkg package.
    DpkgFiles,
    /// The licences of one dpkg package.
    DpkgCopyright,
    /// apk's database.
    Apk,
    /// Metadata of an installed Python distribution.
    Python,
    /// `package.json` of a package in `node_modules`.
    Npm,
    /// rpm's database as SQLite file. What was not written back to it yet stands in the log beside
    /// it: see [`Kind::companion`].
    RpmSqlite,
    /// That log.
    RpmLog,
    /// rpm's database of SUSE.
    RpmNdb,
    /// rpm's database until 2020.
    RpmBdb,
    /// A program or library: Go's modules, crates, a version inside of it.
    Elf,
    /// The specification of an installed gem.
    Gem,
    /// A Java archive.
    Jar,
    /// The libraries of a .NET application.
    DotNet,
    /// The `release` file of a Java runtime.
    JavaRelease,
}

impl Kind {
    /// Whether it is the database of a package manager: unread, it leaves a hole in the inventory.
    #[must_use]
    pub fn is_database(self) -> bool {
        matches!(
            self,
            Self::DpkgStatus
                | Self::Apk
                | Self::RpmSqlite
                | Self::RpmLog
                | Self::RpmNdb
                | Self::RpmBdb
        )
    }

    /// What to append to the path of such a file for the name of one that belongs to it; a caller
    /// that has both gives them to [`read_pair`](crate::read_pair), and reads the other no more.
    #[must_use]
    pub fn companion(self) -> Option<&'static str> {
        (self == Self::RpmSqlite).then_some("-wal")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OsRelease => "name of the distribution",
            Self::DpkgStatus => "dpkg database",
            Self::DpkgFiles => "dpkg file list",
            Self::DpkgCopyright => "copyright file",
            Self::Apk => "apk database",
            Self::Python => "Python metadata",
            Self::Npm => "package.json",
            Self::RpmSqlite | Self::RpmNdb | Self::RpmBdb => "rpm database",
            Self::RpmLog => "log of the rpm database",
            Self::Elf => "program",
            Self::Gem => "gem specification",
            Self::Jar => "Java archive",
            Self::DotNet => ".NET dependencies",
            Self::JavaRelease => "release of a Java runtime",
        })
    }
}

/// What a path says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Nothing to see: the file need not be opened.
    No,
    /// Its first [`HEAD`] bytes decide: ask [`wants`].
    Look,
    /// It matters.
    Yes(Kind),
}

/// How many first bytes of a file [`wants`] needs at most.
pub const HEAD: usize = 4;

/// The largest `release` file, in bytes.
const SMALL: u64 = 1 << 16;

/// Decides by path, relative to the root, and mode of a regular file.
#[must_use]
pub fn by_name(path: &[u8], mode: u32) -> Interest {
    let path = relative(path);
    match named(path) {
        Some(kind) => Interest::Yes(kind),
        None if file_name(path) == b"release" => Interest::Look,
        None if mode & 0o111 != 0 || is_library(file_name(path)) => Interest::Look,
        None => Interest::No,
    }
}

/// Decides about a regular file of which the first bytes are known; `head` may be shorter than
/// [`HEAD`] when the file is, or when [`by_name`] did not ask for them.
#[must_use]
pub fn wants(path: &[u8], size: u64, mode: u32, head: &[u8]) -> Option<Kind> {
    match by_name(path, mode) {
        // Every transaction empties the log in the end.
        Interest::Yes(Kind::RpmLog) if size == 0 => None,
        Interest::Yes(kind) => Some(kind),
        Interest::Look if head.starts_with(elf::MAGIC) => Some(Kind::Elf),
        // Their first lines, in any order.
        Interest::Look if size < SMALL && file_name(path) == b"release" => {
            let starts: [&[u8]; 6] = [b"JAVA", b"IMPL", b"BUIL", b"FULL", b"OS_A", b"SOUR"];
            starts.contains(&head).then_some(Kind::JavaRelease)
        }
        Interest::Look | Interest::No => None,
    }
}

/// `libx.so`, `libx.so.1`, `x.cpython-311.so`
fn is_library(name: &[u8]) -> bool {
    name.ends_with(b".so") || memchr::memmem::find(name, b".so.").is_some()
}

fn named(path: &[u8]) -> Option<Kind> {
    let name = file_name(path);
    let directory = path.strip_suffix(name).unwrap_or_default();
    match name {
        b"os-release" => matches!(directory, b"etc/" | b"usr/lib/").then_some(Kind::OsRelease),
        b"status" => (directory == b"var/lib/dpkg/").then_some(Kind::DpkgStatus),
        b"installed" => {
            matches!(directory, b"lib/apk/db/" | b"usr/lib/apk/db/").then_some(Kind::Apk)
        }
        b"package.json" => is_node_package(directory).then_some(Kind::Npm),
        b"METADATA" => directory.ends_with(b".dist-info/").then_some(Kind::Python),
        b"PKG-INFO" => {
            let parent = directory.strip_suffix(b"/").unwrap_or_default();
            (parent.ends_with(b".egg-info") || file_name(parent) == b"EGG-INFO")
                .then_some(Kind::Python)
        }
        b"copyright" => is_documentation(directory).then_some(Kind::DpkgCopyright),
        b"rpmdb.sqlite" => is_rpm(directory).then_some(Kind::RpmSqlite),
        b"rpmdb.sqlite-wal" => is_rpm(directory).then_some(Kind::RpmLog),
        b"Packages.db" => is_rpm(directory).then_some(Kind::RpmNdb),
        b"Packages" => is_rpm(directory).then_some(Kind::RpmBdb),
        _ if directory == b"var/lib/dpkg/status.d/" => match name.ends_with(b".md5sums") {
            true => Some(Kind::DpkgFiles),
            false => Some(Kind::DpkgStatus),
        },
        _ if directory == b"var/lib/dpkg/info/" => {
            name.ends_with(b".list").then_some(Kind::DpkgFiles)
        }
        _ if name.ends_with(b".egg-info") => Some(Kind::Python),
        _ if name.ends_with(b".deps.json") => Some(Kind::DotNet),
        _ if name.ends_with(b".gemspec") => is_gem(directory).then_some(Kind::Gem),
        _ => jar::is_archive(name).then_some(Kind::Jar),
    }
}

/// `usr/share/doc/NAME/`
fn is_documentation(directory: &[u8]) -> bool {
    let name = directory.strip_prefix(b"usr/share/doc/").and_then(|name| name.strip_suffix(b"/"));
    name.is_some_and(|name| memchr::memchr(b'/', name).is_none())
}

/// `…/specifications/` and `…/specifications/default/`: what is installed, not what could be.
fn is_gem(directory: &[u8]) -> bool {
    let directory = directory.strip_suffix(b"default/").unwrap_or(directory);
    directory.ends_with(b"/specifications/")
}

/// Where rpm keeps its database: always, on immutable systems, on those of SUSE and Fedora.
fn is_rpm(directory: &[u8]) -> bool {
    matches!(directory, b"var/lib/rpm/" | b"usr/share/rpm/" | b"usr/lib/sysimage/rpm/")
}

/// `…/node_modules/NAME/` or `…/node_modules/@SCOPE/NAME/`: the root of a package, not some
/// directory inside of it.
fn is_node_package(directory: &[u8]) -> bool {
    let mut parts = directory.rsplit(|&byte| byte == b'/').skip(1);
    let (name, parent) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let plain = |name: &[u8]| !name.is_empty() && !name.starts_with(b".");
    if parent.starts_with(b"@") {
        return plain(name) && parts.next() == Some(b"node_modules");
    }
    plain(name) && !name.starts_with(b"@") && parent == b"node_modules"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide() {
        for (path, expected) in [
            ("var/lib/dpkg/status", Some(Kind::DpkgStatus)),
            ("srv/var/lib/dpkg/status", None),
            ("var/lib/dpkg/status-old", None),
            ("var/lib/dpkg/status.d/libc6", Some(Kind::DpkgStatus)),
            ("var/lib/dpkg/status.d/libc6.md5sums", Some(Kind::DpkgFiles)),
            ("var/lib/dpkg/info/libc6:amd64.list", Some(Kind::DpkgFiles)),
            ("usr/share/doc/libc6/copyright", Some(Kind::DpkgCopyright)),
            ("usr/share/doc/a/b/copyright", None),
            ("lib/apk/db/installed", Some(Kind::Apk)),
            ("usr/lib/apk/db/installed", Some(Kind::Apk)),
            ("etc/os-release", Some(Kind::OsRelease)),
            ("app/node_modules/lodash/package.json", Some(Kind::Npm)),
            ("app/node_modules/@babel/core/package.json", Some(Kind::Npm)),
            ("node_modules/a/node_modules/b/package.json", Some(Kind::Npm)),
            ("app/node_modules/lodash/test/package.json", None),
            ("app/node_modules/@babel/package.json", None),
            ("app/node_modules/.cache/package.json", None),
            ("app/package.json", None),
            ("package.json", None),
            ("v/lib/site-packages/PyYAML-6.0.dist-info/METADATA", Some(Kind::Python)),
            ("x/docs.egg-info/PKG-INFO", Some(Kind::Python)),
            ("x/docs.egg/EGG-INFO/PKG-INFO", Some(Kind::Python)),
            ("x/docs-1.0.egg-info", Some(Kind::Python)),
            ("var/lib/rpm/rpmdb.sqlite", Some(Kind::RpmSqlite)),
            ("var/lib/rpm/rpmdb.sqlite-wal", Some(Kind::RpmLog)),
            ("usr/lib/sysimage/rpm/Packages.db", Some(Kind::RpmNdb)),
            ("var/lib/rpm/Packages", Some(Kind::RpmBdb)),
            ("home/Packages", None),
            ("usr/share/java/a-1.jar", Some(Kind::Jar)),
            ("app/web.war", Some(Kind::Jar)),
            ("app/app.deps.json", Some(Kind::DotNet)),
            ("g/specifications/rake-13.gemspec", Some(Kind::Gem)),
            ("g/specifications/default/json-2.gemspec", Some(Kind::Gem)),
            ("g/gems/rake-13/rake.gemspec", None),
            ("x/METADATA", None),
            ("x/PKG-INFO", None),
            ("", None),
        ] {
            assert_eq!(wants(path.as_bytes(), 1, 0o644, b""), expected, "{path}");
        }
        assert_eq!(wants(b"var/lib/rpm/rpmdb.sqlite-wal", 0, 0o644, b""), None);
    }

    #[test]
    fn programs_and_libraries_are_known_by_their_first_bytes() {
        assert_eq!(by_name(b"usr/bin/tool", 0o755), Interest::Look);
        assert_eq!(by_name(b"usr/share/tool", 0o644), Interest::No);
        assert_eq!(by_name(b"usr/lib/libx.so.1.2", 0o644), Interest::Look);
        assert_eq!(wants(b"usr/bin/tool", 9, 0o755, elf::MAGIC), Some(Kind::Elf));
        assert_eq!(wants(b"usr/bin/tool", 9, 0o755, b"#!/b"), None);
        assert_eq!(wants(b"jdk/release", 9, 0o644, b"JAVA"), Some(Kind::JavaRelease));
        assert_eq!(wants(b"jdk/release", 9, 0o644, b"Rele"), None);
    }
}
