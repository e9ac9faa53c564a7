//! What indexes and manifests say: which image is meant, and what it is made of.
//!
//! Source: OCI image specification, image-index.md, manifest.md, descriptor.md and annotations.md;
//! attestations: moby/buildkit, docs/attestations/attestation-storage.md.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::ImageError;
use crate::builders::Platform;

/// Marks a manifest that says something about another one.
const REFERENCE: &str = "vnd.docker.reference.type";
/// The tag of an image in a layout, or its whole name.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The whole name, as containerd writes it beside the tag.
const FULL_NAME: &str = "io.containerd.image.name";
/// Images that a message lists.
const SHOWN: usize = 5;

/// What a digest is of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: String,
    /// In bytes.
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default)]
    platform: Option<Parts>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    /// Whether the digest is none but the name of a member of an archive.
    #[serde(skip)]
    member: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Parts {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

/// An index or a manifest: told apart by what is in them.
#[derive(Debug)]
pub(super) enum Document {
    Index(Vec<Descriptor>),
    Manifest { config: Descriptor, layers: Vec<Descriptor> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(default)]
    media_type: String,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

impl Document {
    /// Reads one that `what` names.
    pub(super) fn parse(what: &str, bytes: &[u8]) -> Result<Self, ImageError> {
        let damaged = |cause: String| ImageError::Damaged { what: what.into(), cause };
        let told: Told =
            serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        match told {
            Told { manifests: Some(manifests), config: None, layers: None, .. } => {
                Ok(Self::Index(manifests))
            }
            Told { manifests: None, config: Some(config), layers: Some(layers), .. } => {
                let known = config.media_type.is_empty() || is_config(&config.media_type);
                match known {
                    true => Ok(Self::Manifest { config, layers }),
                    false => Err(ImageError::Kind {
                        what: what.into(),
                        kind: config.media_type,
                        wanted: "image",
                    }),
                }
            }
            // Whoever reads it as the one and whoever reads it as the other see other images.
            Told { manifests: Some(_), .. } => {
                Err(damaged("it is an index and a manifest at once".into()))
            }
            Told { media_type, .. } if !media_type.is_empty() => {
                Err(ImageError::Kind { what: what.into(), kind: media_type, wanted: "image" })
            }
            Told { .. } => Err(damaged("it is neither an index nor a manifest".into())),
        }
    }
}

fn is_config(kind: &str) -> bool {
    matches!(
        kind,
        "application/vnd.oci.image.config.v1+json"
            | "application/vnd.docker.container.image.v1+json"
    )
}

/// How a layer is kept, as its media type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Here,
    Elsewhere,
}

impl Descriptor {
    /// Something of which nothing but the digest is known.
    pub(super) fn of_digest(digest: String) -> Self {
        Self { digest, ..Self::default() }
    }

    /// A layer that an archive has under a name.
    pub(super) fn of_member(name: &str) -> Self {
        Self { digest: name.into(), member: true, ..Self::default() }
    }

    /// Whether its digest is the name of a member of an archive.
    pub(super) fn is_member(&self) -> bool {
        self.member
    }

    /// The member of an archive that holds it.
    pub(super) fn member(&self) -> String {
        match self.member {
            true => self.digest.clone(),
            false => format!("blobs/{}", self.digest.replacen(':', "/", 1)),
        }
    }

    /// Whether it is a layer that can be read.
    pub(super) fn layer(&self) -> Result<Kept, ImageError> {
        const PLAIN: [&str; 2] = [
            "application/vnd.oci.image.layer.v1.tar",
            "application/vnd.docker.image.rootfs.diff.tar",
        ];
        const FOREIGN: [&str; 2] = [
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
            "application/vnd.docker.image.rootfs.foreign.diff.tar",
        ];
        let kind = self.media_type.as_str();
        let begins = |of: [&str; 2]| {
            let rest = of.iter().find_map(|plain| kind.strip_prefix(plain));
            matches!(rest, Some("" | "+gzip" | "+zstd" | ".gzip" | ".zstd"))
        };
        if kind.is_empty() || begins(PLAIN) {
            Ok(Kept::Here)
        } else if begins(FOREIGN) {
            Ok(Kept::Elsewhere)
        } else {
            let what = format!("the layer {}", self.digest);
            Err(ImageError::Kind { what, kind: kind.into(), wanted: "layer of an image" })
        }
    }

    /// Whether it says something about another image, or is for no platform at all.
    fn is_beside(&self) -> bool {
        let about = self.annotations.as_ref().is_some_and(|notes| notes.contains_key(REFERENCE));
        about || self.platform.as_ref().is_some_and(|parts| parts.os == "unknown")
    }

    /// Its platform, if it names one.
    pub(super) fn platform(&self) -> Option<Platform> {
        let parts = self.platform.as_ref().filter(|parts| !parts.os.is_empty())?;
        Some(Platform::new(&parts.os, &parts.architecture, &parts.variant))
    }

    fn note(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// The name that a layout gives it: the whole one if it knows that.
    pub(super) fn name(&self) -> Option<&str> {
        self.note(FULL_NAME).or_else(|| self.note(REF_NAME))
    }

    /// Whether a layout gives it this name, this tag or this digest.
    fn is_called(&self, name: &str) -> bool {
        let called = |given: &str| {
            given == name || given.rsplit_once(':').is_some_and(|(_, tag)| tag == name)
        };
        self.digest == name
            || [REF_NAME, FULL_NAME].iter().any(|key| self.note(key).is_some_and(called))
    }
}

/// The platform of a configuration.
pub(super) fn platform_of(config: &[u8]) -> Option<Platform> {
    let parts: Parts = serde_json::from_slice(config).ok()?;
    (!parts.os.is_empty()).then(|| Platform::new(&parts.os, &parts.architecture, &parts.variant))
}

/// The one entry of a layout's `index.json` that is meant; `name` is a tag, a name or a digest.
///
/// A layout whose entries are all for platforms is an index itself.
pub(super) fn named<'a>(
    entries: &'a [Descriptor],
    name: Option<&str>,
) -> Result<Vec<&'a Descriptor>, ImageError> {
    let images: Vec<&Descriptor> = entries.iter().filter(|entry| !entry.is_beside()).collect();
    let known = || {
        let names = images.iter().map(|entry| entry.name().unwrap_or(&entry.digest));
        let shown: Vec<&str> = names.take(SHOWN).collect();
        match images.len() {
            0 => "it has none".to_string(),
            count if count > SHOWN => format!("it has {count}: {}, …", shown.join(", ")),
            _ => format!("it has {}", shown.join(", ")),
        }
    };
    let chosen: Vec<&Descriptor> = match name {
        Some(name) => images.iter().copied().filter(|entry| entry.is_called(name)).collect(),
        None => images.clone(),
    };
    let mut different: Vec<&str> = chosen.iter().map(|entry| entry.digest.as_str()).collect();
    different.sort_unstable();
    different.dedup();
    match (different.len(), name) {
        (0, Some(name)) => {
            Err(ImageError::Several(format!("there is no image {name:?}; {}", known())))
        }
        (0, None) => Err(ImageError::Several("there is no image in it".into())),
        (1, _) => Ok(chosen.into_iter().take(1).collect()),
        // Entries of one name, each for a platform of its own.
        (_, _)
            if chosen.iter().all(|entry| entry.platform().is_some())
                && chosen
                    .iter()
                    .all(|entry| entry.name() == chosen.first().and_then(|e| e.name())) =>
        {
            Ok(chosen)
        }
        _ => Err(ImageError::Several(format!("there are several images; {}", known()))),
    }
}

/// Which platform is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The platform.
    pub platform: Platform,
    /// Whether somebody asked for it: then no other does.
    pub asked: bool,
}

impl Wanted {
    /// The entry of an index for the platform: the exact one, else one whose programs run there,
    /// else, when nobody asked, the only one.
    pub(super) fn choose<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a Descriptor>,
    ) -> Result<&'a Descriptor, ImageError> {
        let images: Vec<&Descriptor> =
            entries.into_iter().filter(|entry| !entry.is_beside()).collect();
        // Without a word about platforms it is an index in between.
        if let ([only], false) = (images.as_slice(), self.asked) {
            return Ok(only);
        }
        if let [only] = images.as_slice()
            && only.platform().is_none()
        {
            return Ok(only);
        }
        let runs = self.platform.runs();
        let fits = |platform: &Platform| {
            images.iter().find(|entry| entry.platform().as_ref() == Some(platform)).copied()
        };
        let mut known: Vec<String> =
            images.iter().filter_map(|entry| entry.platform()).map(|it| it.to_string()).collect();
        known.sort();
        known.dedup();
        runs.iter().find_map(fits).ok_or_else(|| self.absent(&known))
    }

    /// Whether an image of this platform is the one that was asked for.
    pub(super) fn check(&self, found: Option<&Platform>) -> Result<(), ImageError> {
        match found {
            Some(found) if self.asked && !self.platform.runs().contains(found) => {
                Err(self.absent(&[found.to_string()]))
            }
            _ => Ok(()),
        }
    }

    fn absent(&self, known: &[String]) -> ImageError {
        let known = if known.is_empty() { "none".to_string() } else { known.join(", ") };
        ImageError::Platform { wanted: self.platform.to_string(), known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(digest: &str, platform: &str, notes: &[(&str, &str)]) -> Descriptor {
        let mut parts = platform.split('/').map(String::from);
        let mut next = || parts.next().unwrap_or_default();
        let platform = Some(Parts { os: next(), architecture: next(), variant: next() });
        let notes = notes.iter().map(|(key, value)| (key.to_string(), value.to_string()));
        Descriptor {
            digest: digest.into(),
            platform,
            annotations: Some(notes.collect()),
            ..Descriptor::default()
        }
    }

    fn wanted(platform: &str, asked: bool) -> Wanted {
        Wanted { platform: Platform::parse(platform), asked }
    }

    #[test]
    fn a_platform_gets_its_image_and_attestations_are_none() {
        let entries = [
            entry("att", "unknown/unknown", &[(REFERENCE, "attestation-manifest")]),
            entry("arm", "linux/arm64/v8", &[]),
            entry("amd", "linux/amd64", &[]),
            entry("old", "linux/386", &[]),
        ];
        let of = |platform: &str, asked| {
            wanted(platform, asked).choose(&entries).map(|found| found.digest.clone())
        };
        assert_eq!(of("linux/amd64", false).unwrap(), "amd");
        assert_eq!(of("linux/arm64", true).unwrap(), "arm");
        let error = of("linux/s390x", false).unwrap_err().to_string();
        assert!(error.contains("linux/386, linux/amd64, linux/arm64"), "{error}");
        // The only image is meant, unless another was asked for.
        let only = &entries[..2];
        assert_eq!(wanted("linux/amd64", false).choose(only).unwrap().digest, "arm");
        assert!(wanted("linux/amd64", true).choose(only).is_err());
        assert!(wanted("linux/amd64", false).choose(&entries[..1]).is_err());
    }

    #[test]
    fn names_of_a_layout_are_tags_names_and_digests() {
        let entries = [
            entry("sha256:a", "", &[(REF_NAME, "1"), (FULL_NAME, "docker.io/library/app:1")]),
            entry("sha256:b", "", &[(REF_NAME, "reg/app:2")]),
        ];
        let of = |name| named(&entries, name).map(|found| found[0].digest.clone());
        for name in ["1", "docker.io/library/app:1", "sha256:a"] {
            assert_eq!(of(Some(name)).unwrap(), "sha256:a", "{name}");
        }
        assert_eq!(of(Some("2")).unwrap(), "sha256:b");
        assert!(of(Some("3")).unwrap_err().to_string().contains("docker.io/library/app:1"));
        assert!(of(None).unwrap_err().to_string().contains("several"));
        assert_eq!(named(&entries[1..], None).unwrap()[0].digest, "sha256:b");
        let platforms = [entry("x", "linux/amd64", &[]), entry("y", "linux/arm64", &[])];
        assert_eq!(named(&platforms, None).unwrap().len(), 2);
        assert!(named(&[], None).is_err());
    }

    #[test]
    fn what_is_no_image_is_told_by_its_kind() {
        let helm = br#"{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json",
            "digest":"x"},"layers":[]}"#;
        let old = br#"{"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}"#;
        for (bytes, words) in [
            (helm.as_slice(), "helm"),
            (old.as_slice(), "prettyjws"),
            (br#"{"manifests":[],"layers":[]}"#, "at once"),
            (b"{}", "neither"),
            (b"[", "damaged"),
        ] {
            let error = Document::parse("it", bytes).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let layer =
            |kind: &str| Descriptor { media_type: kind.into(), ..Descriptor::default() }.layer();
        for kind in [
            "",
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ] {
            assert_eq!(layer(kind).unwrap(), Kept::Here, "{kind}");
        }
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        assert_eq!(layer(foreign).unwrap(), Kept::Elsewhere);
        assert!(layer("application/vnd.oci.image.layer.v1.tar+gzip+encrypted").is_err());
    }
}
