//! npm: package.json of an installed package.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::package::{Ecosystem, Package};
use crate::reading::Reason;

/// Reads a manifest; one without a name and a version is no package.
pub(crate) fn manifest(text: &[u8], origin: &str) -> Result<Option<Package>, Reason> {
    let found = pick(text, &["name", "version", "license", "licenses"])?;
    let string =
        |key| found.get(key).and_then(Value::as_str).filter(|text: &&str| !text.is_empty());
    let (Some(name), Some(version)) = (string("name"), string("version")) else { return Ok(None) };
    let mut package = Package::new(Ecosystem::Npm, name, version, origin);
    package.licence = found.get("license").or(found.get("licenses")).and_then(licence);
    Ok(Some(package))
}

/// `"MIT"`, and the old `{"type": "MIT"}` and lists of them, any of which holds.
fn licence(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()).filter(|name| !name.is_empty()),
        Value::Object(_) => value.get("type").and_then(licence),
        Value::Array(all) => {
            let all: Vec<_> = all.iter().filter_map(licence).collect();
            Some(all.join(" OR ")).filter(|all| !all.is_empty())
        }
        _ => None,
    }
}

/// Reads some members of a JSON object and skips the others; as in JavaScript the last one counts.
pub(crate) fn pick(
    text: &[u8],
    keys: &'static [&'static str],
) -> Result<BTreeMap<String, Value>, Reason> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let found = Pick(keys).deserialize(&mut reader);
    found
        .and_then(|found| reader.end().map(|()| found))
        .map_err(|error| Reason::damaged(error.to_string()))
}

struct Pick(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Pick {
    type Value = BTreeMap<String, Value>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pick {
    type Value = BTreeMap<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if self.0.contains(&key.as_str()) {
                found.insert(key, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Package> {
        manifest(text.as_bytes(), "x").unwrap()
    }

    #[test]
    fn a_package_has_a_name_and_a_version() {
        let found = read(r#"{"name": "@a/b", "version": "1.0.0", "x": [[{}]], "license": "MIT"}"#);
        let found = found.unwrap();
        assert_eq!(found.to_string(), "@a/b 1.0.0");
        assert_eq!(found.licence.as_deref(), Some("MIT"));
        assert_eq!(read(r#"{"name": "a"}"#), None);
        assert_eq!(read(r#"{"name": ["a"], "version": "1"}"#), None);
        assert_eq!(read("\u{feff}{\"type\": \"module\"}"), None);
        let twice = read(r#"{"name": "a", "version": "1", "version": "2"}"#);
        assert_eq!(twice.unwrap().version, "2");
    }

    #[test]
    fn old_forms_of_licences() {
        let with = |licence: &str| {
            read(&format!(r#"{{"name": "a", "version": "1", {licence}}}"#)).unwrap().licence
        };
        assert_eq!(with(r#""license": {"type": "BSD", "url": "x"}"#).as_deref(), Some("BSD"));
        let both = r#""licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]"#;
        assert_eq!(with(both).as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(with(r#""license": false"#), None);
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(100_000);
        for text in [format!(r#"{{"x": {deep}"#), format!(r#"{{"license": {deep}"#), deep] {
            assert!(matches!(manifest(text.as_bytes(), "x"), Err(Reason::Damaged { .. })));
        }
    }
}
