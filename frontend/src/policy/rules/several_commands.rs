//! CMD, ENTRYPOINT or HEALTHCHECK that a later one replaces.

use std::collections::BTreeMap;

use crate::dockerfile::{ItemKind, Keyword};
use crate::policy::{About, Edit, Findings, Node, Place, Rule, Severity, View};

pub struct SeveralCommands;

static ABOUT: About = About {
    id: "several-commands",
    title: "a CMD, ENTRYPOINT or HEALTHCHECK that a later one replaces",
    severity: Severity::Low,
    also: &[
        "DL3012",
        "DL4003",
        "DL4004",
        "MultipleInstructionsDisallowed",
        "DS-0007",
        "DS-0016",
        "DS-0023",
    ],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/several-commands.md"),
};

impl Rule for SeveralCommands {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut before: BTreeMap<(usize, Keyword), Node<'_>> = BTreeMap::new();
        for node in view.nodes().filter(|node| !node.onbuild) {
            let keyword = node.instruction.keyword;
            let counted =
                matches!(keyword, Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck);
            let Some(stage) = node.stage.filter(|_| counted) else { continue };
            let Some(replaced) = before.insert((stage, keyword), node) else { continue };
            let message =
                format!("this {} counts for nothing: only the last one does", keyword.name());
            let finding = found.report(&ABOUT, replaced.instruction.span, message);
            finding.note(node.instruction.keyword_word.span, "replaced here");
            finding.help("remove it");
            let is_it = ItemKind::Instruction(replaced.index);
            let item = view.file.item_at(replaced.instruction.span.start);
            if let Some(item) = item.filter(|item| item.kind == is_it) {
                finding.safe_fix("remove it", vec![Edit::replace(item.span, "")]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, fixed, silent};

    #[test]
    fn replaced() {
        fires(
            &SeveralCommands,
            &[
                "FROM a\nCMD a\nUSER b\nCMD [\"b\"]\n",
                "FROM a\nENTRYPOINT a\nENTRYPOINT b\n",
                "FROM a\nHEALTHCHECK CMD a\nHEALTHCHECK NONE\n",
            ],
        );
        silent(
            &SeveralCommands,
            &[
                "FROM a\nCMD a\nENTRYPOINT b\nHEALTHCHECK CMD c\n",
                "FROM a\nCMD a\nFROM b\nCMD b\n",
                "FROM a\nCMD a\nONBUILD CMD b\n",
            ],
        );
        assert_eq!(
            fixed(&SeveralCommands, "FROM a\nCMD a \\\n  b\nCMD c\nCMD d\n"),
            "FROM a\nCMD d\n"
        );
    }
}
