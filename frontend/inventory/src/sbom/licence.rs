//! Whether what an author declared is an SPDX licence expression.

/// Identifiers of the SPDX list that are common; others are passed on as text, which says the same.
const KNOWN: &[&str] = &[
    "0BSD",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "AFL-2.1",
    "Apache-1.1",
    "Apache-2.0",
    "Artistic-1.0",
    "Artistic-1.0-Perl",
    "Artistic-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-2-Clause-Patent",
    "BSD-3-Clause",
    "BSD-4-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "CDDL-1.0",
    "CDDL-1.1",
    "CPL-1.0",
    "EPL-1.0",
    "EPL-2.0",
    "EUPL-1.2",
    "FTL",
    "GFDL-1.3-only",
    "GFDL-1.3-or-later",
    "GPL-1.0-only",
    "GPL-1.0-or-later",
    "GPL-2.0",
    "GPL-2.0+",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0",
    "GPL-3.0+",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "HPND",
    "ICU",
    "IJG",
    "ISC",
    "LGPL-2.0-only",
    "LGPL-2.0-or-later",
    "LGPL-2.1",
    "LGPL-2.1+",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-1.1",
    "MPL-2.0",
    "MS-PL",
    "NCSA",
    "OFL-1.1",
    "OLDAP-2.8",
    "OpenSSL",
    "PHP-3.01",
    "PSF-2.0",
    "PostgreSQL",
    "Python-2.0",
    "Python-2.0.1",
    "Ruby",
    "Sleepycat",
    "TCL",
    "UPL-1.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Vim",
    "W3C",
    "WTFPL",
    "X11",
    "ZPL-2.1",
    "Zlib",
    "curl",
    "libtiff",
    "zlib-acknowledgement",
];

/// Exceptions that may follow `WITH`.
const EXCEPTIONS: &[&str] = &[
    "Autoconf-exception-3.0",
    "Bison-exception-2.2",
    "Classpath-exception-2.0",
    "GCC-exception-2.0",
    "GCC-exception-3.1",
    "LLVM-exception",
    "Linux-syscall-note",
    "u-boot-exception-2.0",
];

/// Whether it is one identifier.
pub(super) fn is_identifier(text: &str) -> bool {
    KNOWN.contains(&text)
}

/// Whether it is an expression of known identifiers.
pub(super) fn is_expression(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut depth = 0i32;
    // Whether a licence may follow, or else an operator.
    let mut open = true;
    let mut words = spaced.split_whitespace();
    while let Some(word) = words.next() {
        open = match word {
            "(" if open => {
                depth += 1;
                true
            }
            ")" if !open && depth > 0 => {
                depth -= 1;
                false
            }
            "AND" | "OR" if !open => true,
            "WITH" if !open && words.next().is_some_and(|word| EXCEPTIONS.contains(&word)) => false,
            word if open && is_identifier(word) => false,
            _ => return false,
        };
    }
    !open && depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_told_from_other_texts() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "(MIT AND (Zlib OR 0BSD))",
            "Apache-2.0 WITH LLVM-exception OR MIT",
        ] {
            assert!(is_expression(good), "{good}");
        }
        for bad in [
            "",
            "GPLv3+",
            "MIT and BSD",
            "MIT OR",
            "(MIT",
            "MIT)",
            "MIT Zlib",
            "MIT WITH",
            "BSD",
            "MIT WITH MIT",
            "see LICENSE",
        ] {
            assert!(!is_expression(bad), "{bad}");
        }
    }
}
