//! Flags that stand before a command, as the Docker CLI reads them.
//!
//! Source: docker/cli, cli/flags/options.go (which flags) and cli/cobra.go `HandleGlobalFlags` (they
//! end with the first word that is no flag).

use std::ffi::{OsStr, OsString};

/// Which flags there are.
pub(super) struct Flags {
    /// Those with a value: long names, and the short ones as letters.
    values: &'static [&'static str],
    short_values: &'static str,
    switches: &'static [&'static str],
    short_switches: &'static str,
}

/// Docker's own. `--help` and `--version` are left to it.
pub(super) const DOCKER: Flags = Flags {
    values: &["config", "context", "host", "log-level", "tlscacert", "tlscert", "tlskey"],
    short_values: "cHl",
    switches: &["debug", "tls", "tlsverify"],
    short_switches: "D",
};

/// Those of buildx, between its name and its commands.
pub(super) const BUILDX: Flags =
    Flags { values: &["builder"], short_values: "", switches: &["debug"], short_switches: "D" };

impl Flags {
    /// Parts flags and what follows them; `None` when a flag is not one of these.
    pub(super) fn split<'a>(
        &self,
        args: &'a [OsString],
    ) -> Option<(&'a [OsString], &'a [OsString])> {
        let mut end = 0;
        while let Some(arg) = args.get(end) {
            let text = arg.to_string_lossy();
            let takes_next = match text.strip_prefix("--") {
                Some("") => return None,
                Some(long) => self.long(long)?,
                None => match text.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                    Some(letters) => self.short(letters)?,
                    None => break,
                },
            };
            end += if takes_next { 2 } else { 1 };
        }
        args.split_at_checked(end)
    }

    /// Whether the value of a long flag is the next word.
    fn long(&self, text: &str) -> Option<bool> {
        let (name, has_value) = match text.split_once('=') {
            Some((name, _)) => (name, true),
            None => (text, false),
        };
        match (self.values.contains(&name), self.switches.contains(&name)) {
            (true, _) => Some(!has_value),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// The same for letters, where `-DH x`, `-Hx` and `-H=x` are known.
    fn short(&self, letters: &str) -> Option<bool> {
        for (at, letter) in letters.char_indices() {
            let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            if self.short_values.contains(letter) {
                return Some(rest.is_empty());
            }
            if !self.short_switches.contains(letter) {
                return None;
            }
            if rest.starts_with('=') {
                return Some(false);
            }
        }
        Some(false)
    }
}

/// The value of a long flag among flags that were split off; the last one counts.
pub(super) fn value<'a>(flags: &'a [OsString], name: &str) -> Option<&'a OsStr> {
    let mut found = None;
    let mut words = flags.iter();
    while let Some(word) = words.next() {
        let Some(long) = word.to_str().and_then(|word| word.strip_prefix("--")) else { continue };
        match long.split_once('=') {
            Some((key, value)) if key == name => found = Some(OsStr::new(value)),
            None if long == name => found = words.next().map(OsString::as_os_str),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(flags: &Flags, line: &str) -> Option<(usize, usize)> {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        flags.split(&args).map(|(flags, rest)| (flags.len(), rest.len()))
    }

    #[test]
    fn flags_end_with_the_first_word() {
        for (line, expected) in [
            ("build .", Some((0, 2))),
            ("--context x build -c 5 .", Some((2, 4))),
            ("--context=x -D build", Some((2, 1))),
            ("-H tcp://h:1 -Dc x -lerror build", Some((5, 1))),
            ("-H=tcp://h:1 -D=true --tls=false build", Some((3, 1))),
            ("--config build build", Some((2, 1))),
            ("", Some((0, 0))),
            ("--context", None),
            ("--version", None),
            ("-v", None),
            ("-Dx build", None),
            ("-- build", None),
        ] {
            assert_eq!(split(&DOCKER, line), expected, "{line}");
        }
        assert_eq!(split(&BUILDX, "--builder b -D build ."), Some((3, 2)));
    }

    #[test]
    fn the_last_value_counts() {
        let args = ["--config", "a", "--tls", "--config=b", "-c", "x"].map(OsString::from);
        assert_eq!(value(&args, "config"), Some(OsStr::new("b")));
        assert_eq!(value(&args, "context"), None);
    }
}
