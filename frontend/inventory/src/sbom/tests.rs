//! Both documents of one made-up image.

use serde_json::Value;

use super::*;
use crate::os_release::Distro;
use crate::package::Upstream;

const DIGEST: &str = "sha256:7cc4b5aefd1d0cadf8d97d4350462ba51c694ebca145b08d7d41b41acc8db5aa";

fn inventory() -> Inventory {
    let mut libc = Package::new(Ecosystem::Deb, "libc6", "2.36-9", "var/lib/dpkg/status");
    libc.architecture = Some("amd64".into());
    libc.supplier = Some("GNU Libc Maintainers <glibc@example.org>".into());
    libc.source = Some(Upstream { name: "glibc".into(), version: "2.36-9".into() });
    let mut core = Package::new(Ecosystem::Npm, "@babel/core", "7.0.0", "app/package.json");
    core.licence = Some("MIT".into());
    let mut yaml = Package::new(Ecosystem::PyPi, "PyYAML", "6.0", "a");
    yaml.licence = Some("MIT OR Apache-2.0".into());
    let mut other = Package::new(Ecosystem::PyPi, "pyyaml", "6.0", "b");
    other.licence = Some("as you like".into());
    Inventory {
        distro: Some(Distro {
            id: "debian".into(),
            version: Some("12".into()),
            ..Distro::default()
        }),
        packages: vec![libc, core, yaml, other],
        ..Inventory::default()
    }
}

fn documents(inventory: &Inventory) -> [(String, Value); 2] {
    let places = [Place { layer: Some("sha256:aa".into()), line: Some(3), ..Place::default() }];
    let subject = Subject {
        name: "registry.example:5000/team/App:1.2",
        digest: DIGEST,
        created: "2025-01-02T03:04:05Z",
        version: "0.1.0",
        inventory,
        places: &places,
    };
    [cyclonedx(&subject).unwrap(), spdx(&subject).unwrap()]
        .map(|text| (text.clone(), serde_json::from_str(&text).unwrap()))
}

#[test]
fn the_same_image_has_the_same_bytes() {
    let first = documents(&inventory());
    assert_eq!(first, documents(&inventory()));
    assert!(first.iter().all(|(text, _)| text.ends_with("}\n")));
}

#[test]
fn cyclonedx_names_packages_and_their_places() {
    let [(_, found), _] = documents(&inventory());
    assert_eq!(found["serialNumber"], "urn:uuid:7cc4b5ae-fd1d-8cad-a8d9-7d4350462ba5");
    let image = &found["metadata"]["component"];
    assert_eq!(
        image["purl"],
        format!("pkg:oci/app@{DIGEST}?repository_url=registry.example:5000%2Fteam%2FApp&tag=1.2")
    );
    assert_eq!(image["hashes"][0]["content"], DIGEST[7..]);
    let packages = found["components"].as_array().unwrap();
    assert_eq!(packages[0]["type"], "operating-system");
    let libc = &packages[1];
    assert_eq!(
        libc["purl"],
        "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc"
    );
    assert_eq!(libc["supplier"]["name"], "GNU Libc Maintainers");
    let properties: Vec<_> = libc["properties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            format!("{}={}", pair["name"].as_str().unwrap(), pair["value"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        properties,
        [
            "cofferdam:architecture=amd64",
            "cofferdam:layer=sha256:aa",
            "cofferdam:line=3",
            "cofferdam:source=glibc",
            "cofferdam:source-version=2.36-9",
        ]
    );
    assert_eq!((&packages[2]["group"], &packages[2]["name"]), (&"@babel".into(), &"core".into()));
    assert_eq!(packages[2]["licenses"][0]["license"]["id"], "MIT");
    assert_eq!(packages[3]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(packages[4]["licenses"][0]["license"]["name"], "as you like");
    let references = |at: usize| packages[at]["bom-ref"].as_str().unwrap();
    assert_ne!(references(3), references(4));
    assert_eq!(found.get("compositions"), None);
}

#[test]
fn spdx_names_packages_and_their_places() {
    let [_, (_, found)] = documents(&inventory());
    let packages = found["packages"].as_array().unwrap();
    assert_eq!(packages[0]["checksums"][0]["checksumValue"], DIGEST[7..]);
    assert_eq!(packages[1]["primaryPackagePurpose"], "OPERATING_SYSTEM");
    assert_eq!(
        (&packages[1]["name"], &packages[1]["versionInfo"]),
        (&"debian".into(), &"12".into())
    );
    assert_eq!(packages[2]["annotations"][1]["comment"], "cofferdam:layer=sha256:aa");
    let supplier = "Organization: GNU Libc Maintainers (glibc@example.org)";
    assert_eq!(packages[2]["supplier"], supplier);
    assert_eq!(packages[3]["supplier"], "NOASSERTION");
    assert_eq!(packages[4]["licenseDeclared"], "MIT OR Apache-2.0");
    let text = &found["hasExtractedLicensingInfos"][0];
    assert_eq!(text["extractedText"], "as you like");
    assert_eq!(packages[5]["licenseDeclared"], text["licenseId"]);
    let related = found["relationships"].as_array().unwrap();
    assert_eq!(related.len(), 6);
    for (package, relation) in packages.iter().zip(related) {
        assert_eq!(package["SPDXID"], relation["relatedSpdxElement"]);
    }
}

#[test]
fn what_is_unread_makes_the_list_incomplete() {
    let mut inventory = inventory();
    inventory.unread.push(crate::Unread {
        path: "var/lib/rpm/rpmdb.sqlite".into(),
        kind: crate::Kind::RpmSqlite,
        reason: crate::Reason::Truncated,
    });
    let [(_, cyclonedx), (_, spdx)] = documents(&inventory);
    assert_eq!(cyclonedx["compositions"][0]["aggregate"], "incomplete");
    let comment = spdx["comment"].as_str().unwrap();
    assert_eq!(comment, "unread: var/lib/rpm/rpmdb.sqlite (rpm database): it ends too early");
}
