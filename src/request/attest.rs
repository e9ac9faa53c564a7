//! `--attest`, `--provenance`, `--sbom`: statements that BuildKit adds to an image.

use std::collections::BTreeMap;

use cofferdam_frontend::pins::Reference;

use super::{boolean, csv};
use crate::error::Error;

/// What is asked of one kind of statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attest {
    /// It is not wanted.
    Off,
    /// It is wanted; the options as BuildKit's frontend attribute `attest:KIND` takes them.
    On(String),
}

/// By kind, `provenance` or `sbom`; a kind that is not there was not mentioned.
pub type Attests = BTreeMap<String, Attest>;

/// The statements that BuildKit knows.
///
/// Source: moby/buildkit, frontend/attestations/parse.go.
const KINDS: [&str; 2] = ["provenance", "sbom"];

/// Reads the flags; the first mention of a kind counts, as with buildx.
pub(super) fn read(
    attests: &[String],
    provenance: Option<&str>,
    sbom: Option<&str>,
) -> Result<Attests, Error> {
    let mut read = Attests::new();
    let short =
        [("provenance", provenance), ("sbom", sbom)].into_iter().filter_map(|(kind, text)| {
            let text = text.filter(|text| !text.is_empty())?;
            Some(match boolean::parse(text) {
                Ok(wanted) => format!("type={kind},disabled={}", !wanted),
                Err(_) => format!("type={kind},{text}"),
            })
        });
    for text in attests.iter().cloned().chain(short) {
        let (kind, attest) = one(&text).map_err(|reason| {
            Error::usage_hint(
                format!("attestation {text:?}: {reason}"),
                "write --attest type=provenance,mode=max or --attest type=sbom",
            )
        })?;
        read.entry(kind).or_insert(attest);
    }
    Ok(read)
}

fn one(text: &str) -> Result<(String, Attest), String> {
    let (mut kind, mut disabled) = (String::new(), false);
    let mut attrs = BTreeMap::new();
    for field in csv::fields(text).map_err(|error| error.to_string())? {
        let (key, value) = field.split_once('=').ok_or_else(|| format!("invalid value {field}"))?;
        match key.trim().to_ascii_lowercase().as_str() {
            "type" => kind = value.to_ascii_lowercase(),
            "disabled" => {
                disabled = boolean::parse(value).map_err(|why| format!("{field}: {why}"))?
            }
            _ => drop(attrs.insert(key.to_string(), value.to_string())),
        }
    }
    if kind.is_empty() {
        return Err("attestation type not specified".into());
    }
    // An engine would only say so when everything was built.
    if !KINDS.contains(&kind.as_str()) {
        return Err(format!("unknown attestation type {kind:?}"));
    }
    if disabled {
        return Ok((kind, Attest::Off));
    }
    check(&attrs)?;
    let pairs = std::iter::once(format!("type={kind}"))
        .chain(attrs.iter().map(|(key, value)| format!("{key}={value}")));
    let options = pairs.map(|pair| csv::quote(&pair)).collect::<Vec<_>>().join(",");
    Ok((kind, Attest::On(options)))
}

/// The parts of an [`Attest::On`].
pub fn parameters(options: &str) -> BTreeMap<String, String> {
    let fields = csv::fields(options).unwrap_or_default();
    let pairs = fields.iter().filter_map(|field| field.split_once('='));
    pairs.map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

/// The values that engines read when everything was built.
///
/// Source: moby/buildkit, solver/llbsolver/provenance.go.
fn check(attrs: &BTreeMap<String, String>) -> Result<(), String> {
    if let Some(mode) =
        attrs.get("mode").filter(|mode| !["min", "max", "full"].contains(&mode.as_str()))
    {
        return Err(format!("invalid mode {mode:?}: it is min or max"));
    }
    if let Some(name) = attrs.get("generator").filter(|name| !name.is_empty()) {
        Reference::parse_normalized(name).map_err(|why| format!("generator={name}: {why}"))?;
    }
    if let Some(value) = attrs.get("reproducible") {
        boolean::parse(value).map_err(|why| format!("reproducible={value}: {why}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_buildx_is_read() {
        let on = |text: &str| Attest::On(text.to_string());
        let provenance = |text: &str| read(&[], Some(text), None).unwrap()["provenance"].clone();
        assert_eq!(provenance("false"), Attest::Off);
        assert_eq!(provenance("true"), on("type=provenance"));
        assert_eq!(provenance("mode=max,version=v1"), on("type=provenance,mode=max,version=v1"));
        assert_eq!(provenance("mode=max,disabled=true"), Attest::Off);
        let both = read(&["type=sbom,generator=x".into()], None, Some("false")).unwrap();
        assert_eq!(both["sbom"], on("type=sbom,generator=x"));
        assert!(read(&[], None, Some("")).unwrap().is_empty());
        assert_eq!(provenance("mode=max,disabled=false"), on("type=provenance,mode=max"));
        for bad in [
            "",
            "mode=max",
            "type=",
            "type=sbom,disabled=x",
            "sbom",
            "type=other",
            "type=provenance,mode=huge",
            "type=provenance,reproducible=perhaps",
            "type=sbom,generator=::",
        ] {
            assert!(read(&[bad.to_string()], None, None).is_err(), "{bad}");
        }
    }
}
