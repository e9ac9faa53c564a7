//! What was found in an image when it was built, and where each package came from.
//!
//! Nobody can find that out again: an image knows neither lines and stages nor where its base ends.
//! So it is kept beside the record, and whoever asks for an SBOM gets it from there.

use cofferdam_frontend::HardenedPlatform;
use cofferdam_inventory::Inventory;
use cofferdam_inventory::sbom::{self, Place, Subject};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// BuildKit and cosign read statements about images in this version.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v0.1";
/// Source: <https://github.com/in-toto/attestation/blob/main/spec/predicates/spdx.md>.
const PREDICATE_TYPE: &str = "https://spdx.dev/Document";

/// The packages of one platform's image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// `linux/amd64` and the like.
    pub platform: String,
    /// What the image is called.
    pub name: String,
    /// When it was made: RFC 3339, whole seconds.
    pub created: String,
    /// What is installed.
    pub inventory: Inventory,
    /// Where each package came from, in their order.
    pub places: Vec<Place>,
}

/// A form of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CycloneDX 1.6.
    CycloneDx,
    /// SPDX 2.3.
    Spdx,
}

impl Bill {
    /// What was found; `None` where the engine could not look.
    pub fn of(platform: &HardenedPlatform, name: &str, created: &str) -> Option<Self> {
        let inspected = platform.inspected.as_ref()?;
        Some(Self {
            platform: platform.id.clone(),
            name: name.into(),
            created: created.into(),
            inventory: inspected.installed.inventory.clone(),
            places: inspected.installed.places(&inspected.layers),
        })
    }

    /// The document about the image of that name and digest; without a digest while it has none.
    pub fn document(
        &self,
        name: &str,
        digest: &str,
        format: Format,
    ) -> Result<String, serde_json::Error> {
        let subject = Subject {
            name,
            digest,
            created: &self.created,
            version: env!("CARGO_PKG_VERSION"),
            inventory: &self.inventory,
            places: &self.places,
        };
        match format {
            Format::CycloneDx => sbom::cyclonedx(&subject),
            Format::Spdx => sbom::spdx(&subject),
        }
    }

    /// The SPDX document as a statement about an image that is not named yet.
    pub fn statement(&self) -> Result<Vec<u8>, serde_json::Error> {
        let document = self.document(&self.name, "", Format::Spdx)?;
        let document: Value = serde_json::from_str(&document)?;
        // Without the spaces for people: engines take messages of 16 MB.
        serde_json::to_vec(&json!({
            "_type": STATEMENT_TYPE,
            "predicateType": PREDICATE_TYPE,
            "subject": [],
            "predicate": document,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_inventory::{Ecosystem, Package};

    fn bill() -> Bill {
        Bill {
            platform: "linux/amd64".into(),
            name: "app:1".into(),
            created: "2026-01-02T03:04:05Z".into(),
            inventory: Inventory {
                packages: vec![Package::new(Ecosystem::Npm, "lodash", "4.17.21", "package.json")],
                ..Inventory::default()
            },
            places: vec![Place { line: Some(3), stage: Some("build".into()), ..Place::default() }],
        }
    }

    #[test]
    fn the_statement_holds_the_document_and_leaves_the_subject_to_the_engine() {
        let statement: Value = serde_json::from_slice(&bill().statement().unwrap()).unwrap();
        assert_eq!(statement["subject"], json!([]));
        assert_eq!(statement["predicateType"], "https://spdx.dev/Document");
        let predicate = &statement["predicate"];
        assert_eq!(predicate["spdxVersion"], "SPDX-2.3");
        let text = predicate.to_string();
        assert!(text.contains("cofferdam:line=3") && text.contains("cofferdam:stage=build"));
        // Nothing is made up for the digest that there is not yet.
        assert!(!text.contains("sha256") && !text.contains("\"\""), "{text}");
    }

    #[test]
    fn what_is_kept_is_what_comes_back() {
        let text = serde_json::to_vec(&[bill()]).unwrap();
        assert_eq!(serde_json::from_slice::<Vec<Bill>>(&text).unwrap(), [bill()]);
        let one = bill().document("app:1", "sha256:aa", Format::CycloneDx).unwrap();
        assert!(one.contains("pkg:npm/lodash@4.17.21") && one.contains("sha256:aa"));
    }
}
