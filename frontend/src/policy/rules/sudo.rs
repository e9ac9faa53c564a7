//! `sudo` in a build: a step is root already, and the image keeps a door to root.

use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct Sudo;

static ABOUT: About = About {
    id: "sudo",
    title: "sudo used by a step",
    severity: Severity::Medium,
    also: &["DL3004", "DS-0010"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/sudo.md"),
};

impl Rule for Sudo {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for run in view.runs() {
            for command in &run.script.commands {
                let Some(word) = command.words.first() else { continue };
                if word.literal().is_some_and(|name| name == "sudo" || name.ends_with("/sudo")) {
                    let span = run.body.span(word.span.clone());
                    found
                        .report(&ABOUT, span, "the step calls sudo")
                        .help("put USER root before the step and USER <name> behind it");
                }
            }
        }
    }
}
