//! Directories that depend on a base image, and `cd` that no later step sees.

use crate::dockerfile::Keyword;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct RelativeWorkdir;

static ABOUT: About = About {
    id: "relative-workdir",
    title: "a directory that is relative to nobody knows what",
    severity: Severity::Low,
    also: &["DL3000", "DL3003", "WorkdirRelativePath", "DS-0009", "DS-0013", "CKV_DOCKER_10"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/relative-workdir.md"),
};

impl Rule for RelativeWorkdir {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut known = vec![false; view.stages.len()];
        for node in view.nodes().filter(|node| !node.onbuild) {
            let Some(stage) = node.stage else { continue };
            match node.instruction.keyword {
                Keyword::From => {
                    let parent = view.stages.get(stage).and_then(|stage| view.parent(stage));
                    let inherited = parent.and_then(|parent| known.get(parent.index).copied());
                    if let (Some(own), Some(true)) = (known.get_mut(stage), inherited) {
                        *own = true;
                    }
                }
                Keyword::Workdir => {
                    let crate::dockerfile::Args::Text(word) = &node.instruction.args else {
                        continue;
                    };
                    let Some(own) = known.get_mut(stage).filter(|own| !**own) else { continue };
                    // One is enough: the next ones are relative to it.
                    *own = true;
                    let path = view.expand(node, word);
                    let path = path.as_deref().map(|path| path.trim_matches(['"', '\'']));
                    if path.is_some_and(is_relative) {
                        found
                            .report(
                                &ABOUT,
                                word.span,
                                "relative to whatever directory the base image has",
                            )
                            .help("write the whole path");
                    }
                }
                _ => {}
            }
        }
        for run in view.runs() {
            let [command] = run.script.commands.as_slice() else { continue };
            let changes = command.call().filter(|call| call.name == "cd" && !call.args.is_empty());
            if let Some(call) = changes.filter(|_| !run.script.incomplete) {
                let span = run.body.span(call.command.span.clone());
                found
                    .report(&ABOUT, span, "the next step does not begin in this directory")
                    .help("use WORKDIR");
            }
        }
    }
}

fn is_relative(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':');
    !path.is_empty() && !path.starts_with(['/', '\\', '$', '%', '~']) && !drive
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn directories() {
        fires(
            &RelativeWorkdir,
            &[
                "FROM a\nWORKDIR app\n",
                "FROM a\nARG X=app\nWORKDIR $X\n",
                "FROM a\nWORKDIR app\nWORKDIR x\n",
                "cd /app",
            ],
        );
        silent(
            &RelativeWorkdir,
            &[
                "FROM a\nWORKDIR /app\nWORKDIR x\n",
                "FROM a\nWORKDIR \"/app\"\n",
                "FROM a AS b\nWORKDIR /app\nFROM b\nWORKDIR x\n",
                "FROM a\nWORKDIR $HOME/x\n",
                "FROM a\nARG X=/app\nWORKDIR ${X}/y\n",
                "FROM a\nWORKDIR C:\\\\app\n",
                "cd /app && make",
                "(cd /app; make)",
            ],
        );
    }
}
