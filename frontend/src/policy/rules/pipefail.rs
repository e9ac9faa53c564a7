//! A pipe whose first half may fail unseen.

use std::collections::{BTreeMap, BTreeSet};

use crate::dockerfile::Keyword;
use crate::policy::commands::verifies_call;
use crate::policy::{About, Edit, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Command, Joint};

pub struct Pipefail;

static ABOUT: About = About {
    id: "pipefail",
    title: "a pipe whose first half may fail unseen",
    severity: Severity::Low,
    also: &["DL4006"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/pipefail.md"),
};

impl Rule for Pipefail {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let careful = careful(view);
        let mut settled = None;
        let mut fixed = BTreeSet::new();
        for run in view.runs() {
            let node = run.node;
            let Some(stage) = node.stage.filter(|_| !node.onbuild) else { continue };
            let set = careful.get(&stage).is_some_and(|from| *from < node.index);
            if set || settled == Some(node.index) {
                continue;
            }
            let Some(command) = unseen(run) else { continue };
            settled = Some(node.index);
            let mentions = |text: &[u8]| text.windows(8).any(|it| it == b"pipefail");
            let source = view.file.source();
            if mentions(node.instruction.logical.bytes())
                || node.instruction.heredocs.iter().any(|it| mentions(it.body.of(source)))
            {
                continue;
            }
            let span = run.body.span(command.span.clone());
            let finding =
                found.report(&ABOUT, span, "if this fails, the step goes on all the same");
            let shell = shell(view, stage);
            let line = format!("SHELL {}", shell.unwrap_or(BASH));
            finding.help(format!("{line} before the step, or `set -o pipefail` in it"));
            if shell.is_some() && fixed.insert(stage) {
                let edit = Edit::insert(node.instruction.span.start, format!("{line}\n"));
                finding.unsafe_fix("let failures in pipes end the step", vec![edit]);
            }
        }
    }
}

const BASH: &str = "[\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]";

/// The stages whose shell looks at pipes, and from which instruction on.
fn careful(view: &View<'_>) -> BTreeMap<usize, usize> {
    let mut found = BTreeMap::new();
    for node in view.nodes().filter(|node| !node.onbuild) {
        let Some(stage) = node.stage else { continue };
        match node.instruction.keyword {
            Keyword::From => {
                let parent = view.stages.get(stage).and_then(|stage| view.parent(stage));
                if parent.is_some_and(|parent| found.contains_key(&parent.index)) {
                    found.insert(stage, node.index);
                }
            }
            Keyword::Shell => {
                let words = node.instruction.words();
                if words.iter().any(|word| word.text.contains("pipefail")) {
                    found.entry(stage).or_insert(node.index);
                }
            }
            _ => {}
        }
    }
    found
}

/// The first command whose failure a pipe hides.
fn unseen<'a>(run: &'a Run<'_>) -> Option<&'a Command> {
    let commands = run.script.commands.iter().enumerate();
    let hidden = |(index, command): &(usize, &Command)| {
        if command.joint != Joint::Pipe || command.substituted {
            return false;
        }
        let Some(call) = command.call() else { return false };
        // What cannot fail, and what a closed pipe may end.
        let harmless = matches!(
            call.name,
            "echo" | "printf" | "yes" | "true" | ":" | "env" | "id" | "date" | "[" | "test" | "ls"
        );
        // `a | b || true` wants no failure; `head` closes the pipe early.
        let mut end = None;
        for next in run.script.commands.iter().skip(index + 1).take(16) {
            end = Some(next);
            if next.joint != Joint::Pipe {
                break;
            }
        }
        let tolerated = end.is_some_and(|end| {
            let quits = end.call().is_some_and(|call| {
                call.name == "head"
                    // It has nothing to check then, and says so.
                    || verifies_call(call)
                    || call.name == "grep" && call.option(&["-q", "--quiet", "-m"]).is_some()
            });
            end.joint == Joint::Or || quits
        });
        !harmless && !tolerated
    };
    commands.into_iter().find(hidden).map(|(_, command)| command)
}

/// A shell with `pipefail` that a stage surely has.
fn shell(view: &View<'_>, stage: usize) -> Option<&'static str> {
    let mut stage = view.stages.get(stage)?;
    while let Some(parent) = view.parent(stage) {
        stage = parent;
    }
    let base = stage.base.as_ref()?.text.to_lowercase();
    let has = |names: &[&str]| names.iter().any(|name| base.contains(name));
    if has(&["alpine"]) {
        return Some("[\"/bin/ash\", \"-o\", \"pipefail\", \"-c\"]");
    }
    let bash = [
        "debian",
        "ubuntu",
        "buster",
        "bullseye",
        "bookworm",
        "trixie",
        "focal",
        "jammy",
        "noble",
        "centos",
        "rockylinux",
        "almalinux",
        "fedora",
        "amazonlinux",
        "buildpack-deps",
    ];
    has(&bash).then_some(BASH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, fixed, silent};

    #[test]
    fn pipes() {
        fires(
            &Pipefail,
            &[
                "curl -fsSL https://example.com/x.tgz | tar xz",
                "wget -qO- https://example.com/x | sort > /x; a | b",
                "FROM a\nRUN <<E\ncurl x | tar x\nE\n",
            ],
        );
        silent(
            &Pipefail,
            &[
                "set -o pipefail; curl x | tar x",
                "set -euxo pipefail && curl x | tar x",
                "echo x | sha256sum -c && printf x | tee y && yes | install",
                "curl x | tar x || true",
                "curl x | grep -q y && curl x | head -1",
                "X=$(curl x | tr -d y)",
                "a || b",
                "grep x SHASUMS256.txt | sha256sum -c -",
                "bash -o pipefail -c 'curl x | tar x'",
                "FROM a\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl x | tar x\n",
                "FROM a AS b\nSHELL [\"/bin/ash\", \"-eo\", \"pipefail\", \"-c\"]\nFROM b\nRUN curl x | tar x\n",
                "FROM a\nSHELL [\"pwsh\", \"-c\"]\nRUN a | b\n",
                "FROM a\nRUN <<E\nset -o pipefail\ncurl x | tar x\nE\n",
            ],
        );
        assert_eq!(
            fixed(&Pipefail, "FROM alpine:3\nRUN a | b\nRUN a | b\n"),
            "FROM alpine:3\nSHELL [\"/bin/ash\", \"-o\", \"pipefail\", \"-c\"]\nRUN a | b\nRUN a | b\n"
        );
    }
}
