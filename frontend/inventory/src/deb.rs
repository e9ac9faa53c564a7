//! dpkg: the status file, and the files of its packages.

use crate::claims::Claim;
use crate::package::{Ecosystem, Package, Upstream, add};
use crate::reading::Reason;
use crate::text::{field, file_name, lines, lossy};

/// The fields of a stanza that matter.
#[derive(Debug, Default)]
struct Stanza<'a> {
    package: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    architecture: Option<&'a [u8]>,
    source: Option<&'a [u8]>,
    maintainer: Option<&'a [u8]>,
    fields: usize,
}

/// Appends the installed packages of a status file; what was read before damage stays.
///
/// A package counts as installed when its files are there: also half configured or with triggers
/// that wait, but not when it is removed and only its configuration is left.
pub(crate) fn status(text: &[u8], origin: &str, into: &mut Vec<Package>) -> Result<(), Reason> {
    let mut stanza = Stanza::default();
    let mut damage = None;
    let mut number = 0;
    for line in lines(text) {
        number += 1;
        match line.first() {
            None => finish(std::mem::take(&mut stanza), number, origin, into, &mut damage),
            // The rest of the field before.
            Some(b' ' | b'\t') if stanza.fields > 0 => {}
            Some(_) => match field(line) {
                Some((key, value)) => stanza.take(key, value),
                None => _ = damage.get_or_insert((number, "no field")),
            },
        }
    }
    finish(stanza, number, origin, into, &mut damage);
    // dpkg ends every stanza, and so the file, with an empty line.
    let whole = text.is_empty() || text.ends_with(b"\n") || origin.contains("status.d/");
    match damage {
        Some((line, what)) => Err(Reason::damaged(format!("line {line}: {what}"))),
        None if !whole => Err(Reason::Truncated),
        None => Ok(()),
    }
}

impl<'a> Stanza<'a> {
    fn take(&mut self, key: &[u8], value: &'a [u8]) {
        self.fields += 1;
        // dpkg ignores the case of field names.
        let place = match key.len() {
            7 if key.eq_ignore_ascii_case(b"package") => &mut self.package,
            7 if key.eq_ignore_ascii_case(b"version") => &mut self.version,
            6 if key.eq_ignore_ascii_case(b"status") => &mut self.status,
            6 if key.eq_ignore_ascii_case(b"source") => &mut self.source,
            10 if key.eq_ignore_ascii_case(b"maintainer") => &mut self.maintainer,
            12 if key.eq_ignore_ascii_case(b"architecture") => &mut self.architecture,
            _ => return,
        };
        *place = Some(value).filter(|value| !value.is_empty());
    }

    /// Whether its files are in the image; distroless images have no status.
    fn is_installed(&self) -> bool {
        let Some(status) = self.status else { return true };
        let state = status.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
        !matches!(state, b"not-installed" | b"config-files")
    }
}

fn finish(
    stanza: Stanza<'_>,
    line: usize,
    origin: &str,
    into: &mut Vec<Package>,
    damage: &mut Option<(usize, &'static str)>,
) {
    if stanza.fields == 0 || (stanza.package.is_some() && !stanza.is_installed()) {
        return;
    }
    let (Some(name), Some(version)) = (stanza.package, stanza.version) else {
        damage.get_or_insert((line, "a package without its name or version"));
        return;
    };
    let mut package = Package::new(Ecosystem::Deb, &lossy(name), &lossy(version), origin);
    package.architecture = stanza.architecture.map(|name| lossy(name).into_owned());
    package.supplier = stanza.maintainer.map(|name| lossy(name).into_owned());
    package.source = Some(upstream(stanza.source, &package));
    if add(into, package).is_err() {
        damage.get_or_insert((line, "too many packages"));
    }
}

/// `Source: NAME (VERSION)`; what it leaves out is as in the package.
fn upstream(source: Option<&[u8]>, package: &Package) -> Upstream {
    let source = source.map(lossy).unwrap_or_default();
    let (name, version) = match source.split_once('(') {
        Some((name, version)) => (name.trim(), version.trim_end_matches(')').trim()),
        None => (source.trim(), ""),
    };
    let or = |value: &str, other: &str| if value.is_empty() { other } else { value }.to_string();
    Upstream { name: or(name, &package.name), version: or(version, &package.version) }
}

/// Reads `info/NAME[:ARCH].list`, or `status.d/NAME.md5sums` of distroless images.
pub(crate) fn files(path: &[u8], text: &[u8]) -> Claim {
    let name = lossy(file_name(path));
    let sums = name.strip_suffix(".md5sums");
    let name = sums.or_else(|| name.strip_suffix(".list")).unwrap_or(&name);
    let mut claim = Claim::new(name.split(':').next().unwrap_or(name));
    for line in lines(text) {
        match sums {
            None => claim.add(line),
            // A digest, two spaces, a path.
            Some(_) => claim.add(line.get(34..).unwrap_or_default()),
        }
    }
    claim
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Package: apt\nStatus: deinstall ok config-files\nVersion: 2.6.1\n\
        Architecture: amd64\nConffiles:\n /etc/apt 123\n\n\
        Package: bsdutils\nEssential: yes\nStatus: install ok installed\nArchitecture: amd64\n\
        Source: util-linux (2.38.1-5+deb12u3)\nVersion: 1:2.38.1-5+deb12u3\n\
        Description: basic utilities\n Package: not-a-field\n .\n\n\
        Package: libapt-pkg6.0\nMaintainer: APT Team <apt@example.org>\nStatus: install ok triggers-pending\nArchitecture: amd64\n\
        Source: apt\nVersion: 2.6.1\n\n\
        Package: gone\nStatus: unknown ok not-installed\nArchitecture: amd64\n\n\
        Package: tzdata\nStatus: hold ok half-configured\nArchitecture: all\nVersion: 2024a-0\n\n";

    fn read(text: &str, origin: &str) -> (Vec<Package>, Result<(), Reason>) {
        let mut found = Vec::new();
        let result = status(text.as_bytes(), origin, &mut found);
        (found, result)
    }

    #[test]
    fn packages_are_installed_when_their_files_are_there() {
        let (found, result) = read(STATUS, "var/lib/dpkg/status");
        result.unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|package| {
                let source = package.source.as_ref().unwrap();
                format!("{package} from {} {}", source.name, source.version)
            })
            .collect();
        assert_eq!(
            told,
            [
                "bsdutils 1:2.38.1-5+deb12u3 (amd64) from util-linux 2.38.1-5+deb12u3",
                "libapt-pkg6.0 2.6.1 (amd64) from apt 2.6.1",
                "tzdata 2024a-0 (all) from tzdata 2024a-0",
            ]
        );
    }

    #[test]
    fn the_maintainer_is_kept() {
        let (found, _) = read(STATUS, "var/lib/dpkg/status");
        assert_eq!(found[1].supplier.as_deref(), Some("APT Team <apt@example.org>"));
        assert_eq!(found[0].supplier, None);
    }

    #[test]
    fn distroless_packages_have_no_status() {
        let stanza = "Package: libc6\nVersion: 2.36-9\nArchitecture: amd64\nSource: glibc";
        let (found, result) = read(stanza, "var/lib/dpkg/status.d/libc6");
        result.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].source.as_ref().unwrap().name, "glibc");
    }

    #[test]
    fn damage_is_said_and_the_rest_kept() {
        let (found, result) = read(STATUS.trim_end(), "var/lib/dpkg/status");
        assert_eq!((found.len(), result), (3, Err(Reason::Truncated)));
        let torn = STATUS.replace("Version: 2.6.1\n\nPackage: gone", "\0\0\0\n\nPackage: gone");
        let (found, result) = read(&torn, "var/lib/dpkg/status");
        assert_eq!(found.len(), 2);
        assert!(matches!(result, Err(Reason::Damaged { .. })));
        assert_eq!(read("", "var/lib/dpkg/status"), (vec![], Ok(())));
    }

    #[test]
    fn files_are_claimed_by_name() {
        let list = files(b"var/lib/dpkg/info/libc6:amd64.list", b"/.\n/lib\n/lib/ld.so\n");
        let sums = files(
            b"var/lib/dpkg/status.d/libc6.md5sums",
            b"d41d8cd98f00b204e9800998ecf8427e  lib/ld.so\n",
        );
        assert_eq!((&*list.owner, &*sums.owner), ("libc6", "libc6"));
        assert_eq!(list.paths.last(), sums.paths.last());
    }
}
