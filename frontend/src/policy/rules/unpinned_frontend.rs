//! `# syntax=` without a digest: whoever can move that name decides what is built.

use crate::dockerfile::ImageInputKind;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct UnpinnedFrontend;

static ABOUT: About = About {
    id: "unpinned-frontend",
    title: "a # syntax= frontend without a digest",
    severity: Severity::High,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/unpinned-frontend.md"),
};

impl Rule for UnpinnedFrontend {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn decided_by_build(&self) -> bool {
        true
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for input in &view.images().inputs {
            let Ok(reference) = input.parsed() else { continue };
            if input.kind == ImageInputKind::Syntax && reference.digest.is_none() {
                let name = reference.familiar();
                found
                    .report(&ABOUT, input.span, format!("the frontend {name} has no digest"))
                    .help(
                        "leave the line out where the engine's own frontend will do, or have \
                         cofferdam lock --write-dockerfile write the digest",
                    );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{places, silent};

    #[test]
    fn every_form_of_the_line() {
        let place = |source| places(&UnpinnedFrontend, source);
        assert_eq!(place("# syntax=docker/dockerfile:1\nFROM x\n"), ["docker/dockerfile:1"]);
        assert_eq!(place("#syntax = docker/dockerfile\nFROM x\n"), ["docker/dockerfile"]);
        assert_eq!(place("// syntax=a/b:1\nFROM x\n"), ["a/b:1"]);
    }

    #[test]
    fn what_is_no_frontend_or_pinned() {
        silent(
            &UnpinnedFrontend,
            &[
                "FROM debian\n# syntax=docker/dockerfile:1\n",
                "# a comment\n\n# syntax=docker/dockerfile:1\nFROM debian\n",
                "# escape=`\nFROM debian\n",
                "# syntax=docker/dockerfile:1@sha256:\
                 2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\nFROM x\n",
            ],
        );
    }
}
