//! Python: metadata of installed distributions
//! (<https://packaging.python.org/en/latest/specifications/core-metadata/>).

use crate::package::{Ecosystem, Package};
use crate::reading::Reason;
use crate::text::{field, lines, lossy};

/// Reads METADATA, PKG-INFO or an egg-info file.
pub(crate) fn metadata(text: &[u8], origin: &str) -> Result<Package, Reason> {
    let (mut name, mut version, mut licence) = (None, None, None);
    let (mut expression, mut classifiers) = (None, Vec::new());
    // The description follows the first empty line.
    for line in lines(text).take_while(|line| !line.is_empty()) {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let Some((key, value)) = field(line) else { continue };
        let value = lossy(value);
        let value = value.trim();
        if value.is_empty() || value == "UNKNOWN" {
            continue;
        }
        match key.to_ascii_lowercase().as_slice() {
            b"name" => _ = name.get_or_insert_with(|| value.to_string()),
            b"version" => _ = version.get_or_insert_with(|| value.to_string()),
            b"license" => _ = licence.get_or_insert_with(|| value.to_string()),
            b"license-expression" => _ = expression.get_or_insert_with(|| value.to_string()),
            b"classifier" if value.starts_with("License ::") => {
                let last = value.rsplit("::").next().unwrap_or_default().trim();
                if last != "OSI Approved" {
                    classifiers.push(last.to_string());
                }
            }
            _ => {}
        }
    }
    let (Some(name), Some(version)) = (name, version) else {
        return Err(Reason::damaged("it has no name or no version"));
    };
    let mut package = Package::new(Ecosystem::PyPi, &name, &version, origin);
    let classified = Some(classifiers.join(" AND ")).filter(|all| !all.is_empty());
    package.licence = expression.or(licence).or(classified);
    Ok(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_name_version_and_licence() {
        let text = b"Metadata-Version: 2.1\r\nName: PyYAML\r\nVersion: 6.0.1\r\nLicense: MIT\r\n\
                     Classifier: License :: OSI Approved :: BSD License\r\n\r\nName: other\r\n";
        let found = metadata(text, "x").unwrap();
        assert_eq!(found.to_string(), "PyYAML 6.0.1");
        assert_eq!(found.licence.as_deref(), Some("MIT"));
        let text = b"Name: a\nVersion: 1\nLicense: UNKNOWN\n\
                     Classifier: License :: OSI Approved :: BSD License\n";
        assert_eq!(metadata(text, "x").unwrap().licence.as_deref(), Some("BSD License"));
        let text =
            b"Name: a\nVersion: 1\nLicense: long text\n more\nLicense-Expression: MIT OR 0BSD\n";
        assert_eq!(metadata(text, "x").unwrap().licence.as_deref(), Some("MIT OR 0BSD"));
    }

    #[test]
    fn without_a_version_it_is_damaged() {
        assert!(metadata(b"Name: a\n\nVersion: 1\n", "x").is_err());
        assert!(metadata(b"", "x").is_err());
    }
}
