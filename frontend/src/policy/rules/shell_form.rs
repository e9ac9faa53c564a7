//! CMD and ENTRYPOINT that a shell reads: the shell is process 1, and keeps signals to itself.

use crate::dockerfile::{Args, Keyword};
use crate::policy::body;
use crate::policy::{About, Edit, Findings, Node, Place, Rule, Severity, View};

pub struct ShellForm;

static ABOUT: About = About {
    id: "shell-form",
    title: "CMD or ENTRYPOINT in shell form",
    severity: Severity::Low,
    also: &["DL3025", "JSONArgsRecommended"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/shell-form.md"),
};

impl Rule for ShellForm {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        // Whoever chooses a shell wants one.
        let mut chosen = vec![false; view.stages.len()];
        for node in view.nodes() {
            let Some(stage) = node.stage else { continue };
            let keyword = node.instruction.keyword;
            if keyword == Keyword::From {
                let parent = view.stages.get(stage).and_then(|stage| view.parent(stage));
                let inherited = parent.and_then(|parent| chosen.get(parent.index).copied());
                if let (Some(own), Some(true)) = (chosen.get_mut(stage), inherited) {
                    *own = true;
                }
            }
            if let (Keyword::Shell, Some(own)) = (keyword, chosen.get_mut(stage)) {
                *own = true;
            }
            let starts = matches!(keyword, Keyword::Cmd | Keyword::Entrypoint);
            let Args::Text(text) = &node.instruction.args else { continue };
            if !starts || text.text.trim().is_empty() || chosen.get(stage) == Some(&true) {
                continue;
            }
            let name = keyword.name();
            let finding = found.report(
                &ABOUT,
                text.span,
                format!("a shell runs this {name}, and keeps signals from the program"),
            );
            finding.help(format!("write {name} [\"program\", \"argument\"]"));
            if let (Some(json), [_]) = (exec_form(view, node), text.parts.as_slice()) {
                finding.help(format!("{name} {json}"));
                finding.unsafe_fix("use the exec form", vec![Edit::replace(text.span, json)]);
            }
        }
    }
}

/// The same without a shell, for one command of plain words.
fn exec_form(view: &View<'_>, node: Node<'_>) -> Option<String> {
    let scripts = body::runs(node, view.file.source());
    let script = &scripts.first()?.script;
    let [command] = script.commands.as_slice() else { return None };
    let plain = !script.incomplete
        && command.joint == crate::shell::Joint::End
        && command.depth == 0
        && command.assignments.is_empty()
        && command.redirects.is_empty();
    let first = command.words.first().filter(|_| plain)?;
    let words = command.words.get(usize::from(first.text == "exec")..)?;
    let builtin = [
        "cd", ".", "source", "export", "eval", "exit", "set", "ulimit", "umask", "read", "wait",
        "trap", "exec", ":", "command", "if", "while",
    ];
    if words
        .first()
        .is_none_or(|word| builtin.contains(&word.text.as_str()) || word.text.starts_with('-'))
    {
        return None;
    }
    let mut texts = Vec::new();
    for word in words {
        let glob = !word.quoted && word.text.contains(['*', '?', '[', '~', '{', '#']);
        let text =
            word.literal().filter(|text| !glob && !text.contains(|c: char| c.is_control()))?;
        texts.push(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
    }
    Some(format!("[{}]", texts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, fixed, silent};

    #[test]
    fn forms() {
        fires(
            &ShellForm,
            &[
                "FROM a\nCMD app\n",
                "FROM a\nENTRYPOINT app $FLAGS\n",
                "FROM a\nCMD exec app --x\n",
                "FROM a\nONBUILD CMD app\n",
                "FROM a\nCMD ['app']\n",
            ],
        );
        silent(
            &ShellForm,
            &[
                "FROM a\nCMD [\"app\"]\n",
                "FROM a\nENTRYPOINT []\n",
                "FROM a\nENTRYPOINT\n",
                "FROM a\nSHELL [\"/bin/bash\", \"-c\"]\nCMD app\n",
                "FROM a AS b\nSHELL [\"/bin/bash\", \"-c\"]\nFROM b\nCMD app\n",
                "FROM a\nHEALTHCHECK CMD curl -f http://localhost\n",
            ],
        );
    }

    #[test]
    fn fixes() {
        let fixed = |text: &str| fixed(&ShellForm, &format!("FROM a\n{text}"));
        assert_eq!(
            fixed("CMD exec app 'a b' \"c\\\"\" -x\n"),
            "FROM a\nCMD [\"app\", \"a b\", \"c\\\"\", \"-x\"]\n"
        );
        for kept in [
            "CMD app $X\n",
            "CMD a && b\n",
            "CMD a > b\n",
            "CMD X=1 a\n",
            "CMD cd /x\n",
            "CMD ls *\n",
            "CMD (a)\n",
        ] {
            assert_eq!(fixed(kept), format!("FROM a\n{kept}"));
        }
    }
}
