//! CycloneDX 1.6, JSON (<https://cyclonedx.org/docs/1.6/json/>).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Subject, addressed, licence, properties};
use crate::package::{Ecosystem, Package};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compositions: Vec<Composition>,
}

#[derive(Serialize)]
struct Metadata {
    timestamp: String,
    tools: Tools,
    component: Component,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

/// How complete the list is.
#[derive(Serialize)]
struct Composition {
    aggregate: &'static str,
    assemblies: Vec<String>,
}

#[derive(Serialize, Default)]
struct Component {
    r#type: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Organization>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Licence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
}

#[derive(Serialize)]
struct Organization {
    name: String,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Licence {
    Expression(String),
    License(Named),
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Named {
    Id(String),
    Name(String),
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Evidence {
    occurrences: Vec<Occurrence>,
}

#[derive(Serialize)]
struct Occurrence {
    location: String,
}

/// Writes the document, with a line end at its end.
///
/// # Errors
/// None that a writer to memory could meet.
pub fn write(subject: &Subject<'_>) -> Result<String, serde_json::Error> {
    let image = image(subject);
    let reference = image.reference.clone().unwrap_or_default();
    let mut components: Vec<_> = distribution(subject).into_iter().collect();
    let mut used = BTreeMap::new();
    for (package, place, purl) in subject.packages() {
        // Names that a package URL does not tell apart.
        let seen: &mut u32 = used.entry(purl.clone()).or_default();
        *seen += 1;
        let reference = if *seen == 1 { purl.clone() } else { format!("{purl}#{seen}") };
        let (group, name) = grouped(package);
        components.push(Component {
            r#type: match package.ecosystem {
                Ecosystem::Generic => "application",
                _ => "library",
            },
            reference: Some(reference),
            supplier: package
                .supplier
                .as_deref()
                .map(|supplier| Organization { name: addressed(supplier).0.to_string() }),
            group,
            name,
            version: Some(package.version.clone()),
            licenses: package.licence.as_deref().map(licence).into_iter().collect(),
            purl: Some(purl),
            properties: properties(package, place)
                .into_iter()
                .map(|(name, value)| Property { name, value })
                .collect(),
            evidence: Some(Evidence {
                occurrences: package
                    .origins
                    .iter()
                    .map(|origin| Occurrence { location: origin.clone() })
                    .collect(),
            }),
            ..Component::default()
        });
    }
    let incomplete = !subject.inventory.unread.is_empty();
    let composition = Composition { aggregate: "incomplete", assemblies: vec![reference] };
    let tool = Component {
        r#type: "application",
        name: "cofferdam".into(),
        version: Some(subject.version.into()),
        ..Component::default()
    };
    let bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!("urn:uuid:{}", subject.uuid()),
        version: 1,
        metadata: Metadata {
            timestamp: subject.created.into(),
            tools: Tools { components: vec![tool] },
            component: image,
        },
        components,
        compositions: incomplete.then_some(composition).into_iter().collect(),
    };
    serde_json::to_string_pretty(&bom).map(|text| text + "\n")
}

fn image(subject: &Subject<'_>) -> Component {
    let purl = subject.purl();
    let unread = subject.inventory.unread.iter();
    let hash = Hash { alg: "SHA-256", content: subject.digits().to_string() };
    Component {
        r#type: "container",
        reference: Some(purl.clone()),
        name: subject.name.into(),
        version: Some(subject.digest.into()).filter(|digest: &String| !digest.is_empty()),
        hashes: subject.digest.starts_with("sha256:").then_some(hash).into_iter().collect(),
        purl: Some(purl),
        properties: unread
            .map(|unread| Property { name: "cofferdam:unread", value: unread.to_string() })
            .collect(),
        ..Component::default()
    }
}

fn distribution(subject: &Subject<'_>) -> Option<Component> {
    let distro = subject.inventory.distro.as_ref()?;
    Some(Component {
        r#type: "operating-system",
        reference: Some(format!("os:{distro}")),
        name: distro.id.clone(),
        version: distro.version.clone(),
        ..Component::default()
    })
}

/// `@scope/name` and `group:artifact` in two.
fn grouped(package: &Package) -> (Option<String>, String) {
    let split = match package.ecosystem {
        Ecosystem::Npm => package.name.rsplit_once('/'),
        Ecosystem::Maven => package.name.rsplit_once(':'),
        _ => None,
    };
    match split {
        Some((group, name)) => (Some(group.into()), name.into()),
        None => (None, package.name.clone()),
    }
}

fn licence(text: &str) -> Licence {
    if licence::is_identifier(text) {
        Licence::License(Named::Id(text.into()))
    } else if licence::is_expression(text) {
        Licence::Expression(text.into())
    } else {
        Licence::License(Named::Name(text.into()))
    }
}
