//! rpm: the headers of installed packages, and the databases that keep them.

mod bdb;
mod ndb;
mod sqlite;
mod wal;

pub(crate) use self::bdb::read as bdb;
pub(crate) use self::ndb::read as ndb;
pub(crate) use self::sqlite::read as sqlite;
use crate::claims::Claim;
use crate::numbers::{Order, index};
use crate::package::{Ecosystem, Package, Upstream, add};
use crate::reading::Reason;
use crate::text::lossy;

/// The longest header: rpm's own limit for what it reads.
const LONGEST: usize = 256 << 20;

/// What databases find.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub packages: Vec<Package>,
    pub claims: Vec<Claim>,
}

// Tags and types of rpm's headers, <https://rpm-software-management.github.io/rpm/manual/tags.html>.
const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const VENDOR: u32 = 1011;
const LICENSE: u32 = 1014;
const ARCH: u32 = 1022;
const SOURCE: u32 = 1044;
const DIRECTORY_OF: u32 = 1116;
const NAMES: u32 = 1117;
const DIRECTORIES: u32 = 1118;

/// One header: a table of tags, and their values.
struct Header<'a> {
    table: &'a [u8],
    values: &'a [u8],
}

impl<'a> Header<'a> {
    fn open(blob: &'a [u8]) -> Option<Self> {
        let length = index(Order::Big.u32(blob, 0)?).checked_mul(16)?;
        let (table, values) = blob.get(8..)?.split_at_checked(length)?;
        Some(Self { table, values: values.get(..index(Order::Big.u32(blob, 4)?))? })
    }

    /// Where the values of a tag begin, and how many there are.
    fn find(&self, tag: u32, kinds: &[u32]) -> Option<(&'a [u8], usize)> {
        let (entries, _) = self.table.as_chunks::<16>();
        let number = |entry: &[u8; 16], at| Order::Big.u32(entry, at);
        let entry = entries.iter().find(|entry| number(entry, 0) == Some(tag))?;
        if !kinds.contains(&number(entry, 4)?) {
            return None;
        }
        let values = self.values.get(index(number(entry, 8)?)..)?;
        Some((values, index(number(entry, 12)?)))
    }

    fn strings(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        // A string, several of them, a translated one.
        let (mut rest, count) = self.find(tag, &[6, 8, 9]).unwrap_or_default();
        (0..count).map_while(move |_| {
            let end = memchr::memchr(0, rest)?;
            let (string, after) = (rest.get(..end)?, rest.get(end + 1..)?);
            rest = after;
            Some(string)
        })
    }

    fn text(&self, tag: u32) -> Option<String> {
        let text = lossy(self.strings(tag).next()?).into_owned();
        Some(text).filter(|text| !text.is_empty())
    }

    fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> + use<'a> {
        let (values, count) = self.find(tag, &[4]).unwrap_or_default();
        (0..count).map_while(|at| Order::Big.u32(values, at.checked_mul(4)?))
    }
}

/// Takes one header.
fn header(blob: &[u8], origin: &str, into: &mut Found) -> Result<(), Reason> {
    let damaged = || Reason::damaged("the header of a package");
    let header = Header::open(blob).ok_or_else(damaged)?;
    let (name, version) = (header.text(NAME), header.text(VERSION));
    let (Some(name), Some(version)) = (name, version) else { return Err(damaged()) };
    let release = header.text(RELEASE).map(|release| format!("-{release}")).unwrap_or_default();
    let epoch = header.numbers(EPOCH).next().filter(|&epoch| epoch != 0);
    let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let version = format!("{epoch}{version}{release}");
    let mut package = Package::new(Ecosystem::Rpm, &name, &version, origin);
    package.architecture = header.text(ARCH);
    package.licence = header.text(LICENSE);
    package.supplier = header.text(VENDOR);
    package.source = header.text(SOURCE).and_then(|file| source(&file));
    let mut claim = Claim::new(&name);
    let directories: Vec<_> = header.strings(DIRECTORIES).collect();
    for (file, directory) in header.strings(NAMES).zip(header.numbers(DIRECTORY_OF)) {
        if let Some(directory) = directories.get(index(directory)) {
            claim.add(&[directory, file].concat());
        }
    }
    if !claim.paths.is_empty() {
        into.claims.push(claim);
    }
    add(&mut into.packages, package)
}

/// `bash-5.1.8-6.el9.src.rpm`
fn source(file: &str) -> Option<Upstream> {
    let file = file.strip_suffix(".rpm")?;
    let file = file.strip_suffix(".src").or_else(|| file.strip_suffix(".nosrc"))?;
    let mut parts = file.rsplitn(3, '-');
    let (release, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Upstream { name: name.to_string(), version: format!("{version}-{release}") })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A header with these tags: strings, or one number.
    pub(crate) fn blob(tags: &[(u32, &str)], numbers: &[(u32, u32)], names: &[&str]) -> Vec<u8> {
        let (mut table, mut values) = (Vec::new(), Vec::new());
        let mut add = |tag: u32, kind: u32, count: usize, value: &[u8]| {
            let count = u32::try_from(count).unwrap();
            for number in [tag, kind, u32::try_from(values.len()).unwrap(), count] {
                table.extend(number.to_be_bytes());
            }
            values.extend(value);
        };
        for (tag, number) in numbers {
            add(*tag, 4, 1, &number.to_be_bytes());
        }
        add(DIRECTORY_OF, 4, names.len(), &vec![0; 4 * names.len()]);
        for (tag, value) in tags {
            add(*tag, 6, 1, format!("{value}\0").as_bytes());
        }
        add(
            NAMES,
            8,
            names.len(),
            names.iter().map(|n| format!("{n}\0")).collect::<String>().as_bytes(),
        );
        add(DIRECTORIES, 8, 1, b"/usr/bin/\0");
        let length = |bytes: usize| u32::try_from(bytes).unwrap().to_be_bytes();
        [&length(table.len() / 16)[..], &length(values.len()), &table, &values].concat()
    }

    /// A small package.
    pub(crate) fn package(name: &str) -> Vec<u8> {
        blob(&[(NAME, name), (VERSION, "1.0"), (RELEASE, "1"), (ARCH, "noarch")], &[], &[])
    }

    #[test]
    fn a_header_has_all_of_a_package() {
        let tags = [
            (NAME, "bash"),
            (VERSION, "5.1.8"),
            (RELEASE, "6.el9"),
            (VENDOR, "Red Hat, Inc."),
            (LICENSE, "GPLv3+"),
            (ARCH, "x86_64"),
            (SOURCE, "bash-5.1.8-6.el9.src.rpm"),
        ];
        let mut found = Found::default();
        header(&blob(&tags, &[(EPOCH, 2)], &["bash", "sh"]), "x", &mut found).unwrap();
        let package = &found.packages[0];
        assert_eq!(package.to_string(), "bash 2:5.1.8-6.el9 (x86_64)");
        let source = package.source.as_ref().unwrap();
        assert_eq!((&*source.name, &*source.version), ("bash", "5.1.8-6.el9"));
        assert_eq!(package.licence.as_deref(), Some("GPLv3+"));
        assert_eq!(package.supplier.as_deref(), Some("Red Hat, Inc."));
        assert_eq!(found.claims[0].paths.len(), 2);
        for cut in 0..40 {
            assert!(header(&package_cut(cut), "x", &mut Found::default()).is_err());
        }
    }

    fn package_cut(length: usize) -> Vec<u8> {
        let mut bytes = package("a");
        bytes.truncate(length);
        bytes
    }
}
