//! apk: the installed database, one letter a field
//! (<https://wiki.alpinelinux.org/wiki/Apk_spec>, apk-tools `doc/apk-package.5`).

use crate::claims::Claim;
use crate::package::{Ecosystem, Package, Upstream, add};
use crate::reading::Reason;
use crate::text::{field, lines, lossy};

#[derive(Default)]
struct Entry<'a> {
    name: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    architecture: Option<&'a [u8]>,
    origin: Option<&'a [u8]>,
    licence: Option<&'a [u8]>,
    maintainer: Option<&'a [u8]>,
    /// The directory that files stand below.
    directory: &'a [u8],
    files: Vec<(&'a [u8], &'a [u8])>,
    fields: usize,
}

/// Appends the packages of the database and their files; what was read before damage stays.
pub(crate) fn installed(
    text: &[u8],
    origin: &str,
    into: &mut Vec<Package>,
    claims: &mut Vec<Claim>,
) -> Result<(), Reason> {
    let mut entry = Entry::default();
    let mut damage = None;
    let mut number = 0;
    for line in lines(text) {
        number += 1;
        if line.is_empty() {
            finish(&entry, number, origin, into, claims, &mut damage);
            entry = Entry::default();
            continue;
        }
        match field(line) {
            Some((&[key], value)) => entry.take(key, value),
            _ => _ = damage.get_or_insert((number, "no field")),
        }
    }
    finish(&entry, number, origin, into, claims, &mut damage);
    match damage {
        Some((line, what)) => Err(Reason::damaged(format!("line {line}: {what}"))),
        None if !text.is_empty() && !text.ends_with(b"\n") => Err(Reason::Truncated),
        None => Ok(()),
    }
}

impl<'a> Entry<'a> {
    fn take(&mut self, key: u8, value: &'a [u8]) {
        self.fields += 1;
        let text = Some(value).filter(|value| !value.is_empty());
        match key {
            b'P' => self.name = text,
            b'V' => self.version = text,
            b'A' => self.architecture = text,
            b'o' => self.origin = text,
            b'L' => self.licence = text,
            b'm' => self.maintainer = text,
            b'F' => self.directory = value,
            b'R' => self.files.push((self.directory, value)),
            _ => {}
        }
    }
}

fn finish(
    entry: &Entry<'_>,
    line: usize,
    origin: &str,
    into: &mut Vec<Package>,
    claims: &mut Vec<Claim>,
    damage: &mut Option<(usize, &'static str)>,
) {
    if entry.fields == 0 {
        return;
    }
    let (Some(name), Some(version)) = (entry.name, entry.version) else {
        damage.get_or_insert((line, "a package without its name or version"));
        return;
    };
    let text = |value: Option<&[u8]>| value.map(|value| lossy(value).into_owned());
    let mut package = Package::new(Ecosystem::Apk, &lossy(name), &lossy(version), origin);
    package.architecture = text(entry.architecture);
    package.licence = text(entry.licence);
    package.supplier = text(entry.maintainer);
    package.source = Some(Upstream {
        name: text(entry.origin).unwrap_or_else(|| package.name.clone()),
        version: package.version.clone(),
    });
    let mut claim = Claim::new(&package.name);
    for (directory, file) in &entry.files {
        claim.add(&[directory, &b"/"[..], file].concat());
    }
    if !claim.paths.is_empty() {
        claims.push(claim);
    }
    if add(into, package).is_err() {
        damage.get_or_insert((line, "too many packages"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Owners;

    const INSTALLED: &str = "C:Q1sSNCl4MTQ0d1V/0NTAhIjY7Nqo=\nP:musl\nV:1.1.18-r3\nA:x86_64\n\
        S:369000\nI:581632\nT:the musl c library (libc) implementation\nU:http://www.musl-libc.org\n\
        L:MIT\no:musl\nm:Timo <t@alpinelinux.org>\nt:1554911217\nc:abc\np:so:libc.musl-x86_64.so.1=1\n\
        F:lib\nR:libc.musl-x86_64.so.1\na:0:0:777\nZ:Q17yJ3JFNypA4mxhJJr0ou6CzsJVI=\n\
        R:ld-musl-x86_64.so.1\na:0:0:755\n\n\
        P:musl-utils\nV:1.1.18-r3\nA:x86_64\nL:MIT BSD GPL2+\no:musl\nF:usr\nF:usr/bin\nR:getconf\n\n";

    #[test]
    fn packages_have_their_source_licence_and_files() {
        let (mut found, mut claims) = (Vec::new(), Vec::new());
        installed(INSTALLED.as_bytes(), "lib/apk/db/installed", &mut found, &mut claims).unwrap();
        let told: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["musl 1.1.18-r3 (x86_64)", "musl-utils 1.1.18-r3 (x86_64)"]);
        assert_eq!(found[1].source.as_ref().unwrap().name, "musl");
        assert_eq!(found[0].supplier.as_deref(), Some("Timo <t@alpinelinux.org>"));
        assert_eq!(found[1].licence.as_deref(), Some("MIT BSD GPL2+"));
        let owners = Owners::of(claims.iter());
        assert_eq!(owners.of_file("usr/bin/getconf"), Some("musl-utils"));
        assert_eq!(owners.of_file("lib/ld-musl-x86_64.so.1"), Some("musl"));
    }

    #[test]
    fn damage_is_said_and_the_rest_kept() {
        let read = |text: &str| {
            let (mut found, mut claims) = (Vec::new(), Vec::new());
            let result = installed(text.as_bytes(), "x", &mut found, &mut claims);
            (found.len(), result)
        };
        assert_eq!(read(INSTALLED.trim_end()), (2, Err(Reason::Truncated)));
        assert!(matches!(
            read(&INSTALLED.replace("V:1.1.18-r3\nA:x86_64\nL", "L")),
            (1, Err(Reason::Damaged { .. }))
        ));
        assert_eq!(read("").1, Ok(()));
    }
}
