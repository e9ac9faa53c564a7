#![no_main]
//! Any bytes are read as anything without a panic, and what comes out can be written down.
//!
//! The first byte chooses what the rest is read as.

use cofferdam_inventory::sbom::{Subject, cyclonedx, spdx};
use cofferdam_inventory::{Inventory, read_pair, wants};
use libfuzzer_sys::fuzz_target;

const PATHS: &[&str] = &[
    "etc/os-release",
    "var/lib/dpkg/status",
    "var/lib/dpkg/info/a.list",
    "usr/share/doc/a/copyright",
    "lib/apk/db/installed",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
    "a.dist-info/METADATA",
    "node_modules/a/package.json",
    "a/specifications/a.gemspec",
    "a.jar",
    "a.deps.json",
    "jdk/release",
    "usr/bin/node",
];

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let path = PATHS[usize::from(choice) % PATHS.len()];
    let Some(kind) =
        wants(path.as_bytes(), bytes.len() as u64, 0o755, &bytes[..bytes.len().min(4)])
    else {
        return;
    };
    // The log of a database in the second half.
    let (mut first, mut second) = bytes.split_at(bytes.len() / 2);
    let alone = read_pair(kind, path.as_bytes(), &mut &*bytes, &mut &b""[..]);
    let both = read_pair(kind, path.as_bytes(), &mut first, &mut second);
    let inventory = Inventory::of([(path, &alone), ("other", &both)]);
    let subject = Subject {
        name: "a",
        digest: "sha256:0",
        created: "1970-01-01T00:00:00Z",
        version: "0",
        inventory: &inventory,
        places: &[],
    };
    cyclonedx(&subject).unwrap();
    spdx(&subject).unwrap();
});
