//! SPDX 2.3, JSON (<https://spdx.github.io/spdx-spec/v2.3/>).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Subject, addressed, licence, properties};
use crate::claims::hash;
use crate::package::Ecosystem;

const UNKNOWN: &str = "NOASSERTION";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: CreationInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    packages: Vec<Package>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<Extracted>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct CreationInfo {
    created: String,
    creators: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    name: String,
    #[serde(rename = "SPDXID")]
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version_info: String,
    supplier: String,
    download_location: &'static str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    license_concluded: &'static str,
    license_declared: String,
    copyright_text: &'static str,
    external_refs: Vec<ExternalRef>,
    primary_package_purpose: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotation {
    annotation_date: String,
    annotation_type: &'static str,
    annotator: String,
    comment: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extracted {
    license_id: String,
    extracted_text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: &'static str,
    relationship_type: &'static str,
    related_spdx_element: String,
}

/// Writes the document, with a line end at its end.
///
/// # Errors
/// None that a writer to memory could meet.
pub fn write(subject: &Subject<'_>) -> Result<String, serde_json::Error> {
    let mut extracted = BTreeMap::new();
    let mut packages = vec![image(subject)];
    let mut relationships = vec![relation(DOCUMENT, "DESCRIBES", IMAGE.into())];
    if let Some(distro) = distribution(subject) {
        relationships.push(relation(IMAGE, "CONTAINS", distro.id.clone()));
        packages.push(distro);
    }
    let mut used = BTreeMap::new();
    for (package, place, purl) in subject.packages() {
        let seen: &mut u32 = used.entry(purl.clone()).or_default();
        *seen += 1;
        let number = hash(format!("{purl}#{seen}").as_bytes());
        let id = format!(
            "SPDXRef-Package-{}-{}-{number:016x}",
            package.ecosystem,
            identifier(&package.name)
        );
        relationships.push(relation(IMAGE, "CONTAINS", id.clone()));
        let comments = properties(package, place).into_iter();
        let origins: Vec<_> = package.origins.iter().map(String::as_str).collect();
        let purpose = match package.ecosystem {
            Ecosystem::Generic => "APPLICATION",
            _ => "LIBRARY",
        };
        packages.push(Package {
            supplier: package.supplier.as_deref().map_or(UNKNOWN.into(), organization),
            source_info: Some(format!("found in {}", origins.join(", "))),
            license_declared: declared(package.licence.as_deref(), &mut extracted),
            external_refs: vec![external(purl)],
            annotations: comments
                .map(|(name, value)| Annotation {
                    annotation_date: subject.created.into(),
                    annotation_type: "OTHER",
                    annotator: tool(subject),
                    comment: format!("{name}={value}"),
                })
                .collect(),
            ..plain(&id, &package.name, &package.version, purpose)
        });
    }
    let unread: Vec<_> =
        subject.inventory.unread.iter().map(|unread| format!("unread: {unread}")).collect();
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: subject.name.into(),
        document_namespace: format!(
            "https://github.com/cofferdam/cofferdam/sbom/{}-{}",
            identifier(subject.name),
            subject.uuid()
        ),
        creation_info: CreationInfo {
            created: subject.created.into(),
            creators: vec![tool(subject)],
        },
        comment: Some(unread.join("\n")).filter(|unread| !unread.is_empty()),
        packages,
        has_extracted_licensing_infos: extracted
            .into_iter()
            .map(|(license_id, extracted_text)| Extracted { license_id, extracted_text })
            .collect(),
        relationships,
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

fn image(subject: &Subject<'_>) -> Package {
    let checksum = Checksum { algorithm: "SHA256", checksum_value: subject.digits().to_string() };
    Package {
        checksums: subject.digest.starts_with("sha256:").then_some(checksum).into_iter().collect(),
        external_refs: vec![external(subject.purl())],
        ..plain(IMAGE, subject.name, subject.digest, "CONTAINER")
    }
}

/// Scanners choose advisories by it.
fn distribution(subject: &Subject<'_>) -> Option<Package> {
    let distro = subject.inventory.distro.as_ref()?;
    let version = distro.version.as_deref().unwrap_or(UNKNOWN);
    Some(plain("SPDXRef-OperatingSystem", &distro.id, version, "OPERATING_SYSTEM"))
}

/// A package about which only this is known.
fn plain(id: &str, name: &str, version: &str, purpose: &'static str) -> Package {
    Package {
        name: name.into(),
        id: id.into(),
        version_info: version.into(),
        supplier: UNKNOWN.into(),
        download_location: UNKNOWN,
        files_analyzed: false,
        checksums: Vec::new(),
        source_info: None,
        license_concluded: UNKNOWN,
        license_declared: UNKNOWN.into(),
        copyright_text: UNKNOWN,
        external_refs: Vec::new(),
        primary_package_purpose: purpose,
        annotations: Vec::new(),
    }
}

fn tool(subject: &Subject<'_>) -> String {
    format!("Tool: cofferdam-{}", subject.version)
}

fn relation(from: &'static str, kind: &'static str, to: String) -> Relationship {
    Relationship { spdx_element_id: from, relationship_type: kind, related_spdx_element: to }
}

fn external(purl: String) -> ExternalRef {
    ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl,
    }
}

/// `Organization: NAME (ADDRESS)`
fn organization(supplier: &str) -> String {
    match addressed(supplier) {
        (name, Some(address)) => format!("Organization: {name} ({address})"),
        (name, None) => format!("Organization: {name}"),
    }
}

/// Letters, digits, dots and dashes.
fn identifier(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    text.chars().take(60).map(plain).collect()
}

/// An expression, or a reference to the text that was declared instead.
fn declared(text: Option<&str>, extracted: &mut BTreeMap<String, String>) -> String {
    let Some(text) = text else { return UNKNOWN.into() };
    if licence::is_expression(text) {
        return text.into();
    }
    let id = format!("LicenseRef-{}-{:016x}", identifier(text), hash(text.as_bytes()));
    extracted.insert(id.clone(), text.into());
    id
}
