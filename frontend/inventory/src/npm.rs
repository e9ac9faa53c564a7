//! npm: package.json of an installed package.

use serde_json::Value;

use crate::json::pick;
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
