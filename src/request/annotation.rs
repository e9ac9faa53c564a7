//! `--annotation [type[platform]:]key=value`.

use super::platform;
use crate::error::Error;

/// Which part of an image carries the annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnotationKind {
    /// The manifest of each platform.
    Manifest,
    /// Where the index describes a manifest.
    ManifestDescriptor,
    /// The index.
    Index,
    /// Where something describes the index.
    IndexDescriptor,
}

/// One annotation of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Which part carries it; the manifest when nothing is said.
    pub kind: Option<AnnotationKind>,
    /// For this platform alone.
    pub platform: Option<String>,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl AnnotationKind {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "manifest" => Self::Manifest,
            "manifest-descriptor" => Self::ManifestDescriptor,
            "index" => Self::Index,
            "index-descriptor" => Self::IndexDescriptor,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::ManifestDescriptor => "manifest-descriptor",
            Self::Index => "index",
            Self::IndexDescriptor => "index-descriptor",
        }
    }

    /// Whether it needs an index to stand in.
    pub fn is_of_index(self) -> bool {
        matches!(self, Self::Index | Self::IndexDescriptor)
    }
}

impl Annotation {
    /// The attribute by which an exporter knows it.
    pub fn exporter_key(&self) -> String {
        let Self { kind, platform, key, value: _ } = self;
        let kind_part = kind.map_or(String::new(), |kind| format!("-{}", kind.name()));
        let platform = match (kind, platform) {
            (
                Some(AnnotationKind::Manifest | AnnotationKind::ManifestDescriptor),
                Some(platform),
            ) => {
                format!("[{platform}]")
            }
            _ => String::new(),
        };
        format!("annotation{kind_part}{platform}.{key}")
    }
}

/// Reads all of them; one flag may name several types.
pub(super) fn read(typed: &[String]) -> Result<Vec<Annotation>, Error> {
    let mut annotations = Vec::new();
    for text in typed.iter().filter(|text| !text.is_empty()) {
        annotations.extend(one(text).map_err(|reason| {
            Error::usage_hint(
                format!("--annotation {text:?}: {reason}"),
                "write --annotation KEY=VALUE, or manifest:KEY=VALUE, index:KEY=VALUE, \
                 manifest[linux/amd64]:KEY=VALUE",
            )
        })?);
    }
    Ok(annotations)
}

fn one(text: &str) -> Result<Vec<Annotation>, String> {
    let (key, value) = text.split_once('=').ok_or("expected key=value")?;
    let of = |kind, platform, key: &str| {
        // The engine's exporter looks for a key without blanks and drops all others.
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err("the key is empty or has blanks in it".to_string());
        }
        Ok(Annotation { kind, platform, key: key.into(), value: value.into() })
    };
    let Some((types, key)) = key.split_once(':') else { return Ok(vec![of(None, None, key)?]) };
    types
        .split(',')
        .map(|text| {
            let (kind, platform) = match text.strip_suffix(']').and_then(|t| t.split_once('[')) {
                Some((kind, platform)) => (kind, Some(platform::normalize(platform)?)),
                None => (text, None),
            };
            let known = AnnotationKind::read(kind).ok_or_else(|| {
                format!("unknown annotation type {kind:?}; known are manifest, manifest-descriptor, index and index-descriptor")
            })?;
            of(Some(known), platform, key)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(text: &str) -> Option<Vec<String>> {
        let annotations = read(&[text.to_string()]).ok()?;
        Some(annotations.iter().map(|a| format!("{}={}", a.exporter_key(), a.value)).collect())
    }

    #[test]
    fn every_form_of_buildx_becomes_the_attribute_of_buildkit() {
        for (text, expected) in [
            ("a=b", vec!["annotation.a=b"]),
            ("a=b=c", vec!["annotation.a=b=c"]),
            ("org.x.y=", vec!["annotation.org.x.y="]),
            ("index:a=b", vec!["annotation-index.a=b"]),
            ("index,manifest:a=b", vec!["annotation-index.a=b", "annotation-manifest.a=b"]),
            ("manifest[linux/x86_64]:a=b", vec!["annotation-manifest[linux/amd64].a=b"]),
            ("index-descriptor:a=b:c", vec!["annotation-index-descriptor.a=b:c"]),
        ] {
            assert_eq!(
                keys(text),
                Some(expected.into_iter().map(String::from).collect()),
                "{text}"
            );
        }
        for bad in
            ["a", "=b", "x:a=b", "manifest[oops]:a=b", "manifest[:a=b", ":a=b", "index:=b", "a b=c"]
        {
            assert_eq!(keys(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = one(&text);
        }
    }
}
