//! Bills of materials against the schemas of their formats.

use cofferdam_inventory::sbom::{self, Place, Subject};
use cofferdam_inventory::{Distro, Ecosystem, Inventory, Kind, Package, Reason, Unread, Upstream};
use serde_json::{Value, json};

use crate::json_schema::hold;

/// A package of each ecosystem, and everything that may be known of one.
fn inventory() -> Inventory {
    let ecosystems = [
        Ecosystem::Deb,
        Ecosystem::Apk,
        Ecosystem::Rpm,
        Ecosystem::Golang,
        Ecosystem::Cargo,
        Ecosystem::Npm,
        Ecosystem::PyPi,
        Ecosystem::Gem,
        Ecosystem::Maven,
        Ecosystem::NuGet,
        Ecosystem::Generic,
    ];
    let licences = ["MIT", "MIT OR Apache-2.0", "as you \"like\" <it>\n\u{e9}", ""];
    let mut packages = Vec::new();
    for (at, ecosystem) in ecosystems.into_iter().enumerate() {
        for (licence, name) in licences.iter().zip(["a", "@s/b", "g:a", "\u{202e}x y%"]) {
            let mut package = Package::new(ecosystem, name, "1:2.0~rc+1", "opt/a b/\u{1b}x");
            package.licence = Some(licence.to_string()).filter(|text| !text.is_empty());
            package.architecture = (at % 2 == 0).then(|| "amd64".into());
            package.supplier = (at % 3 == 0).then(|| "A B <a@example.org>".into());
            package.source =
                (at % 4 == 0).then(|| Upstream { name: "source".into(), version: "3".into() });
            package.owner = (at % 5 == 0).then(|| "owner".into());
            packages.push(package);
        }
    }
    let reason = Reason::Unsupported { what: "odd".into() };
    Inventory {
        distro: Some(Distro { id: "debian".into(), ..Distro::default() }),
        packages,
        unread: vec![Unread { path: "a\nb".into(), kind: Kind::Jar, reason }],
        ..Inventory::default()
    }
}

/// Both documents, of an image with a digest or without.
fn documents(inventory: &Inventory, digest: &str) -> [Value; 2] {
    let place = Place {
        layer: Some("sha256:aa".into()),
        line: Some(3),
        stage: Some("build".into()),
        base: Some("docker.io/library/debian:12@sha256:bb".into()),
    };
    let subject = Subject {
        name: "registry.example:5000/team/App:1.2",
        digest,
        created: "2026-01-02T03:04:05Z",
        version: "0.1.0",
        inventory,
        places: &[place, Place::default()],
    };
    [sbom::cyclonedx(&subject), sbom::spdx(&subject)]
        .map(|text| serde_json::from_str(&text.unwrap()).unwrap())
}

fn held(schema: &str, document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let mut wrong = Vec::new();
    hold(&schema, &schema, document, "", &mut wrong);
    wrong
}

const CYCLONEDX: &str = include_str!("schemas/cyclonedx-1.6.json");
const SPDX: &str = include_str!("schemas/spdx-2.3.json");

#[test]
fn both_documents_hold_to_their_schemas() {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    for inventory in [inventory(), Inventory::default()] {
        for digest in [digest.as_str(), ""] {
            let [cyclonedx, spdx] = documents(&inventory, digest);
            assert_eq!(held(CYCLONEDX, &cyclonedx), Vec::<String>::new());
            assert_eq!(held(SPDX, &spdx), Vec::<String>::new());
        }
    }
}

#[test]
fn the_schemas_are_no_sieves() {
    let [mut cyclonedx, mut spdx] = documents(&inventory(), "");
    cyclonedx["serialNumber"] = json!("no uuid");
    cyclonedx["components"][1]["type"] = json!("thing");
    cyclonedx["components"][2]["more"] = json!(1);
    cyclonedx["components"][3]["licenses"] = json!([{ "license": { "id": "not-on-the-list" } }]);
    assert_eq!(held(CYCLONEDX, &cyclonedx).len(), 4, "{:#?}", held(CYCLONEDX, &cyclonedx));
    spdx["packages"][3]["externalRefs"][0]["referenceCategory"] = json!("ELSEWHERE");
    spdx["packages"][2]["more"] = json!(1);
    spdx["creationInfo"] = json!({ "created": "2026-01-02T03:04:05Z" });
    assert_eq!(held(SPDX, &spdx).len(), 3, "{:#?}", held(SPDX, &spdx));
}
