//! No bytes make a reader panic or hang, whatever they claim to be.

#![expect(clippy::unwrap_used, reason = "a test that gets nothing has failed")]

use cofferdam_inventory::{Inventory, Kind, read, read_pair, wants};
use proptest::prelude::*;

/// A path for each kind, and a good beginning.
const FILES: &[(&str, &[u8])] = &[
    ("etc/os-release", b"ID=\"debian\"\nVERSION_ID='12'\n"),
    (
        "var/lib/dpkg/status",
        b"Package: a\nVersion: 1\nSource: b (2)\nStatus: install ok installed\n\n",
    ),
    ("var/lib/dpkg/info/a.list", b"/.\n/usr\n"),
    ("var/lib/dpkg/status.d/a.md5sums", b"d41d8cd98f00b204e9800998ecf8427e  lib/ld.so\n"),
    ("lib/apk/db/installed", b"P:musl\nV:1\nF:lib\nR:a\n\n"),
    ("a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n\n"),
    ("var/lib/rpm/rpmdb.sqlite", include_bytes!("fixtures/rpmdb.sqlite")),
    ("var/lib/rpm/Packages.db", b"RpmP\0\0\0\0\0\0\0\0\x01\0\0\0"),
    ("var/lib/rpm/Packages", b"\0\0\0\0\0\0\0\0\0\0\0\0\x61\x15\x06\0"),
    ("a/specifications/a-1.gemspec", b"# stub: a 1 ruby lib\ns.license = \"MIT\"\n"),
    ("a.jar", b"PK\x03\x04PK\x01\x02PK\x05\x06"),
    ("a.deps.json", br#"{"libraries": {"A/1": {"type": "package"}}}"#),
    ("node_modules/a/package.json", br#"{"name": "a", "version": "1", "license": ["MIT"]}"#),
];

fn all(bytes: &[u8]) {
    for (path, _) in FILES {
        let kind: Kind = wants(path.as_bytes(), bytes.len() as u64, 0o755, bytes).unwrap();
        let reading = read_pair(kind, path.as_bytes(), &mut &bytes[..], &mut &bytes[..]);
        let inventory = Inventory::of([(*path, &reading)]);
        for package in &inventory.packages {
            assert!(package.purl(inventory.distro.as_ref()).is_ascii());
        }
    }
}

/// Programs are read as such whatever they are.
fn program(bytes: &[u8]) {
    let bytes = [b"\x7fELF", bytes].concat();
    _ = read(Kind::Elf, b"x", &mut bytes.as_slice());
}

proptest! {
    #[test]
    fn changed_programs(
        changes in proptest::collection::vec((0..400usize, any::<u8>()), 1..12),
    ) {
        let mut bytes = vec![0; 400];
        bytes[..2].copy_from_slice(&[2, 1]);
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        program(&bytes);
    }

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        all(&bytes);
    }

    #[test]
    fn changed_files(
        which in 0..FILES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = FILES[which].1.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        all(&bytes);
        all(&bytes[..cut.index(bytes.len())]);
    }
}
