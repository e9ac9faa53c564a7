//! Images from a registry that the project does not trust.

use crate::dockerfile::ImageInputKind;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct RegistryNotAllowed;

/// Its id.
pub const RULE: &str = "registry-not-allowed";

static ABOUT: About = About {
    id: RULE,
    title: "an image from a registry that is not on the project's list",
    severity: Severity::High,
    also: &["DL3026"],
    places: &[Place::Text, Place::Graph],
    strict_only: false,
    page: include_str!("../../../../docs/rules/registry-not-allowed.md"),
};

impl Rule for RegistryNotAllowed {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let allowed = &view.settings.registries;
        if allowed.is_empty() {
            return;
        }
        // Frontends too: they decide everything that follows.
        for input in &view.images().inputs {
            let Ok(reference) = input.parsed() else { continue };
            if reference.is_listed(allowed) {
                continue;
            }
            let what = match input.kind {
                ImageInputKind::Syntax | ImageInputKind::SyntaxArg => "the frontend",
                _ => "the image",
            };
            found
                .report(
                    &ABOUT,
                    input.span,
                    format!("{what} comes from {}, which is not allowed", reference.name()),
                )
                .help(format!("allowed are {}", allowed.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Settings;
    use crate::policy::testing::{findings_with, silent};

    fn count(allowed: &[&str], source: &str) -> usize {
        let registries = allowed.iter().map(ToString::to_string).collect();
        let settings = Settings { registries, ..Settings::default() };
        findings_with(&RegistryNotAllowed, source, &settings).len()
    }

    #[test]
    fn an_empty_list_allows_all() {
        silent(&RegistryNotAllowed, &["FROM evil.example/debian:12\n"]);
    }

    #[test]
    fn entries_end_at_slashes() {
        assert_eq!(count(&["docker.io/library"], "FROM debian:12\n"), 0);
        assert_eq!(count(&["docker.io/library/*"], "FROM debian:12\n"), 0);
        assert_eq!(count(&["docker.io/library/debian"], "FROM debian:12\n"), 0);
        assert_eq!(count(&["docker.io/library/deb"], "FROM debian:12\n"), 1);
        assert_eq!(count(&["docker.io/library"], "FROM evil/debian:12\n"), 1);
        assert_eq!(count(&["example.com"], "FROM example.com.evil.example/a:1\n"), 1);
        assert_eq!(count(&["example.com:5000"], "FROM example.com:5000/a:1\n"), 0);
        assert_eq!(count(&["example.com"], "FROM example.com:5000/a:1\n"), 1);
        assert_eq!(count(&["*.example.com"], "FROM eu.example.com/a:1\n"), 0);
        assert_eq!(count(&["*.example.com"], "FROM evilexample.com/a:1\n"), 1);
    }

    #[test]
    fn every_kind_of_image() {
        let source = "# syntax=evil.example/f:1\nFROM debian:12 AS a\nFROM a\n\
            COPY --from=evil.example/b:1 /a /b\nCOPY --from=a /a /b\n";
        assert_eq!(count(&["docker.io/library"], source), 2);
        assert_eq!(count(&["docker.io/library"], "FROM scratch\n"), 0);
    }
}
