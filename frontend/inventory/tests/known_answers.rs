//! Images that other programs get wrong, and what is right.

#![expect(clippy::unwrap_used, reason = "a test that gets nothing has failed")]

use cofferdam_inventory::{Inventory, Layer, Package, attribute, read, states, wants};

/// A layer with these files; what starts with `-` is removed.
fn layer(files: &[(&str, &str)]) -> Layer {
    let mut layer = Layer::default();
    for (path, text) in files {
        match path.strip_prefix('-') {
            Some(path) => layer.remove(path.as_bytes()),
            None => {
                let (path, mut bytes) = (path.as_bytes(), text.as_bytes());
                let kind = wants(path, bytes.len() as u64, 0o644, bytes).unwrap();
                layer.read(path, read(kind, path, &mut bytes));
            }
        }
    }
    layer
}

fn find<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a Package> {
    inventory.packages.iter().find(|package| package.name == name)
}

fn stanza(name: &str, status: &str, version: &str, source: &str) -> String {
    let source = if source.is_empty() { String::new() } else { format!("Source: {source}\n") };
    format!(
        "Package: {name}\nStatus: {status}\nArchitecture: amd64\nVersion: {version}\n{source}\n"
    )
}

const INSTALLED: &str = "install ok installed";
const STATUS: &str = "var/lib/dpkg/status";

#[test]
fn the_source_of_bsdutils_has_no_epoch() {
    let version = "1:2.38.1-5+deb12u3";
    let status = stanza("bsdutils", INSTALLED, version, "util-linux (2.38.1-5+deb12u3)");
    let found = states(&[layer(&[(STATUS, &status)])]).remove(0);
    let package = find(&found, "bsdutils").unwrap();
    assert_eq!(package.version, version);
    let source = package.source.as_ref().unwrap();
    assert_eq!((&*source.name, &*source.version), ("util-linux", "2.38.1-5+deb12u3"));
}

#[test]
fn a_removed_package_with_configuration_is_absent() {
    let status = stanza("apt", "deinstall ok config-files", "2.6.1", "")
        + &stanza("libapt-pkg6.0", INSTALLED, "2.6.1", "apt");
    let found = states(&[layer(&[(STATUS, &status)])]).remove(0);
    assert_eq!(find(&found, "apt"), None);
    assert_eq!(find(&found, "libapt-pkg6.0").unwrap().source.as_ref().unwrap().name, "apt");
}

#[test]
fn what_a_later_layer_deletes_is_absent() {
    let manifest = |name| format!(r#"{{"name": "{name}", "version": "1.2.5"}}"#);
    let found = states(&[
        layer(&[
            ("app/node_modules/lodash/package.json", &manifest("lodash")),
            ("app/node_modules/minimist/package.json", &manifest("minimist")),
        ]),
        layer(&[("-app/node_modules/minimist", "")]),
    ]);
    assert!(find(&found[0], "minimist").is_some());
    assert_eq!(find(&found[1], "minimist"), None);
    assert!(find(&found[1], "lodash").is_some());
}

#[test]
fn libc6_is_the_bases_though_the_last_layer_rewrote_the_database() {
    let base = stanza("libc6", INSTALLED, "2.36-9", "glibc");
    let last = base.clone() + &stanza("curl", INSTALLED, "7.88.1", "");
    let states = states(&[layer(&[(STATUS, &base)]), layer(&[]), layer(&[(STATUS, &last)])]);
    let first = attribute(&states);
    let of = |name| states[2].packages.iter().position(|p| p.name == name).map(|at| first[at]);
    assert_eq!((of("libc6"), of("curl")), (Some(0), Some(2)));
}

#[test]
fn a_distroless_image_has_a_file_for_each_package() {
    let text = "Package: libc6\nVersion: 2.36-9+deb12u4\nArchitecture: amd64\nSource: glibc\n";
    let found = states(&[layer(&[("var/lib/dpkg/status.d/libc6", text)])]).remove(0);
    assert_eq!(find(&found, "libc6").unwrap().source.as_ref().unwrap().name, "glibc");
    assert_eq!(found.databases.len(), 1);
}
