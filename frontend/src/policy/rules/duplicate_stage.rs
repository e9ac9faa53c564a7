//! Stages whose names say two things.

use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct DuplicateStage;

static ABOUT: About = About {
    id: "duplicate-stage",
    title: "two stages of one name, or a reserved name",
    severity: Severity::Medium,
    also: &["DL3024", "DuplicateStageName", "ReservedStageName"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/duplicate-stage.md"),
};

impl Rule for DuplicateStage {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut seen = std::collections::BTreeMap::new();
        for stage in &view.stages {
            let (Some(name), Some(word)) = (&stage.name, &stage.name_word) else { continue };
            if matches!(name.as_str(), "scratch" | "context") {
                found
                    .report(&ABOUT, word.span, format!("{name} is a reserved name"))
                    .help("--from would not find the stage: give it another name");
            }
            if let Some(first) = seen.insert(name, word.span) {
                found
                    .report(&ABOUT, word.span, format!("a second stage {name}"))
                    .note(first, "the first, which nothing behind this line can use")
                    .help("give one of them another name");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{places, silent};

    #[test]
    fn names_in_any_case() {
        let source = "FROM a:1 AS x\nFROM a:1 AS X\nFROM a:1 AS scratch\nFROM a:1 AS x\n";
        assert_eq!(places(&DuplicateStage, source), ["X", "scratch", "x"]);
    }

    #[test]
    fn different_names() {
        silent(
            &DuplicateStage,
            &[
                "FROM a:1 AS x\nFROM x AS y\nFROM scratch\n",
                "FROM a:1\nFROM a:1\n",
                "FROM scratch AS scratch2\nFROM x:1 AS x\n",
            ],
        );
    }
}
