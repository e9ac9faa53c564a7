//! Debian's copyright files, where they are written for machines
//! (<https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/>).

use std::collections::BTreeSet;

use crate::text::{field, lines, lossy};

/// More licences than any package has.
const MOST: usize = 64;

/// All licences of a package together; `None` when the file is prose.
pub(crate) fn licence(text: &[u8]) -> Option<String> {
    let mut lines = lines(text).filter(|line| !line.is_empty());
    let (key, _) = field(lines.next()?)?;
    if !key.eq_ignore_ascii_case(b"Format") {
        return None;
    }
    let mut found = BTreeSet::new();
    for line in lines.filter(|line| !line.starts_with(b" ")) {
        let Some((key, value)) = field(line) else { continue };
        if key.eq_ignore_ascii_case(b"License") && !value.is_empty() && found.len() < MOST {
            found.insert(expression(&lossy(value)));
        }
    }
    let several = found.len() > 1;
    let part = |licence: &String| match several && licence.contains(" OR ") {
        true => format!("({licence})"),
        false => licence.clone(),
    };
    let all: Vec<_> = found.iter().map(part).collect();
    Some(all.join(" AND ")).filter(|all| !all.is_empty())
}

/// Debian's short names as SPDX's, as far as there are such.
fn expression(text: &str) -> String {
    let words: Vec<_> =
        text.split([' ', '\t', ',']).filter(|word| !word.is_empty()).map(name).collect();
    words.join(" ")
}

fn name(word: &str) -> String {
    match word {
        "or" | "and/or" => return "OR".into(),
        "and" => return "AND".into(),
        "Expat" => return "MIT".into(),
        "BSD-2-clause" => return "BSD-2-Clause".into(),
        "BSD-3-clause" => return "BSD-3-Clause".into(),
        "BSD-4-clause" => return "BSD-4-Clause".into(),
        "zlib" => return "Zlib".into(),
        "Artistic" => return "Artistic-1.0-Perl".into(),
        _ => {}
    }
    // `GPL-2+`, `LGPL-2.1`
    for family in ["GPL", "LGPL", "AGPL", "GFDL"] {
        let version = word.strip_prefix(family).and_then(|rest| rest.strip_prefix('-'));
        let Some(version) = version else { continue };
        let (version, end) = match version.strip_suffix('+') {
            Some(version) => (version, "or-later"),
            None => (version, "only"),
        };
        let version = match version {
            "1" | "2" | "3" => format!("{version}.0"),
            "1.0" | "2.0" | "2.1" | "3.0" | "1.1" | "1.2" | "1.3" => version.to_string(),
            _ => continue,
        };
        return format!("{family}-{version}-{end}");
    }
    word.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_become_an_expression() {
        let text = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
            Source: x\n\nFiles: *\nCopyright: me\nLicense: GPL-2+ or Artistic\n text of it\n\n\
            Files: a\nCopyright: me\nLicense: Expat\n\nLicense: LGPL-2.1\n text\n\
            \nLicense: LGPL-2.1\n";
        let expected = "(GPL-2.0-or-later OR Artistic-1.0-Perl) AND LGPL-2.1-only AND MIT";
        assert_eq!(licence(text).as_deref(), Some(expected));
    }

    #[test]
    fn prose_says_nothing() {
        assert_eq!(licence(b"This package was debianized by me.\n\nLicense: MIT\n"), None);
        assert_eq!(licence(b""), None);
        assert_eq!(licence(b"Format: x\n\nFiles: *\n"), None);
    }
}
