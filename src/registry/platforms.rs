//! Which manifest an index has for each platform.
//!
//! Source: opencontainers/image-spec, image-index.md and config.md; attestations:
//! moby/buildkit, docs/attestations/attestation-storage.md.

use std::collections::BTreeMap;

use cofferdam_frontend::dockerfile::Platform;
use cofferdam_frontend::pins::Digest;
use serde::Deserialize;

use super::Manifest;

/// Marks a manifest that says something about another one.
const REFERENCE: &str = "vnd.docker.reference.type";

/// What a manifest or index leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The manifests of an index, by platform; those that are no images are left out.
    Index(BTreeMap<String, Digest>),
    /// The configuration of a single image.
    Image(Digest),
}

#[derive(Deserialize)]
struct Told {
    manifests: Option<Vec<Listed>>,
    config: Option<Blob>,
}

#[derive(Deserialize)]
struct Blob {
    digest: String,
}

#[derive(Deserialize)]
struct Listed {
    digest: String,
    platform: Option<Parts>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
    #[serde(rename = "os.version")]
    os_version: Option<String>,
}

impl Parts {
    /// The platform in normal form; `None` for what is none.
    fn name(&self) -> Option<String> {
        let Self { os, architecture, variant, os_version } = self;
        if os == "unknown" || architecture == "unknown" {
            return None;
        }
        let version = os_version.as_deref().filter(|text| !text.is_empty() && os == "windows");
        let version = version.map(|version| format!("({version})")).unwrap_or_default();
        let variant = variant.as_deref().filter(|variant| !variant.is_empty());
        let variant = variant.map(|variant| format!("/{variant}")).unwrap_or_default();
        let platform = Platform::parse(&format!("{os}{version}/{architecture}{variant}"))?;
        Some(platform.to_string())
    }
}

impl Manifest {
    /// What it leads to; the error is a reason.
    pub fn content(&self) -> Result<Content, String> {
        let wrong = |what: &str| format!("what it sent as {:?} {what}", self.media_type);
        let told: Told =
            serde_json::from_slice(&self.bytes).map_err(|_| wrong("is no manifest"))?;
        let digest = |text: &str| text.parse::<Digest>().map_err(|error| wrong(&error.to_string()));
        if let Some(manifests) = told.manifests {
            let mut found = BTreeMap::new();
            for listed in manifests {
                let about = listed.annotations.is_some_and(|notes| notes.contains_key(REFERENCE));
                let Some(name) = listed.platform.as_ref().and_then(Parts::name) else { continue };
                if !about {
                    // The first of a platform is the one that engines take.
                    found.entry(name).or_insert(digest(&listed.digest)?);
                }
            }
            return Ok(Content::Index(found));
        }
        match told.config {
            Some(config) => Ok(Content::Image(digest(&config.digest)?)),
            None => Err(wrong("is neither an image nor an index")),
        }
    }
}

/// The platform that an image's configuration names.
pub fn platform_of_config(config: &[u8]) -> Option<String> {
    serde_json::from_slice::<Parts>(config).ok()?.name()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Result<Content, String> {
        Manifest::new("application/json", text.to_string().into()).content()
    }

    #[test]
    fn an_index_is_its_images() {
        let d = |letter: char| format!("sha256:{}", letter.to_string().repeat(64));
        let listed = |letter: char, platform: &str, more: &str| {
            format!(r#"{{"digest":"{}","platform":{{{platform}}}{more}}}"#, d(letter))
        };
        let text = [
            listed('a', r#""os":"linux","architecture":"amd64""#, ""),
            listed('b', r#""os":"linux","architecture":"arm64","variant":"v8""#, ""),
            listed('c', r#""os":"linux","architecture":"arm","variant":"v7""#, ""),
            listed('d', r#""os":"windows","architecture":"amd64","os.version":"10.0.1""#, ""),
            listed('e', r#""os":"unknown","architecture":"unknown""#, ""),
            listed(
                'f',
                r#""os":"linux","architecture":"s390x""#,
                r#","annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#,
            ),
            listed('9', r#""os":"linux","architecture":"amd64""#, ""),
        ];
        let text = format!(r#"{{"manifests":[{}]}}"#, text.join(","));
        let Content::Index(found) = content(&text).unwrap() else { panic!("no index") };
        let expected = [
            ("linux/amd64", d('a')),
            ("linux/arm/v7", d('c')),
            ("linux/arm64", d('b')),
            ("windows(10.0.1)/amd64", d('d')),
        ];
        let expected =
            expected.map(|(name, digest)| (name.to_string(), digest.parse::<Digest>().unwrap()));
        assert_eq!(found, BTreeMap::from(expected));
    }

    #[test]
    fn anything_else_is_an_image_or_an_error() {
        let config = format!(r#"{{"config":{{"digest":"sha256:{}"}}}}"#, "a".repeat(64));
        assert!(matches!(content(&config), Ok(Content::Image(_))));
        let odd = r#"{"manifests":[{"digest":"x","platform":{"os":"linux","architecture":"a"}}]}"#;
        for bad in ["", "{}", "[]", odd] {
            assert!(content(bad).is_err(), "{bad}");
        }
        let config = br#"{"os":"linux","architecture":"arm64","variant":"v8","config":{}}"#;
        assert_eq!(platform_of_config(config).as_deref(), Some("linux/arm64"));
        assert_eq!(platform_of_config(b"{}"), None);
    }
}
