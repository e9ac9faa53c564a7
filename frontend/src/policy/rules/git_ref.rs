//! Git sources that are no commit: branches and tags can move.

use std::collections::BTreeMap;

use super::address::{self, Address};
use crate::dockerfile::Keyword;
use crate::policy::{About, Findings, Place, Rule, Severity, View};
use crate::shell::{Call, Word};

pub struct GitRef;

static ABOUT: About = About {
    id: "git-ref",
    title: "a git source that is no commit",
    severity: Severity::High,
    also: &[],
    places: &[Place::Text, Place::Graph],
    strict_only: false,
    page: include_str!("../../../../docs/rules/git-ref.md"),
};

impl Rule for GitRef {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn decided_by_build(&self) -> bool {
        true
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        adds(view, found);
        clones(view, found);
    }
}

fn adds(view: &View<'_>, found: &mut Findings) {
    for node in view.all(Keyword::Add) {
        let Some((_, sources)) = node.instruction.words().split_last() else { continue };
        if node.instruction.flag("checksum").is_some() {
            continue;
        }
        for word in sources {
            let Some(text) = view.expand(node, word) else { continue };
            let Address::Git { reference } = address::of(&text) else { continue };
            let message = match reference {
                Some(reference) if address::is_commit(reference) => continue,
                Some(reference) => format!("{reference} is a name that can move"),
                None => "the repository's default branch moves".to_owned(),
            };
            let base = text.split(['#', '?']).next().unwrap_or_default();
            found.report(&ABOUT, word.span, message).help(format!("{base}#<40 hex digits>"));
        }
    }
}

/// `git clone` where nothing that follows in the stage could choose a commit.
fn clones(view: &View<'_>, found: &mut Findings) {
    let commands = || {
        view.runs().iter().enumerate().flat_map(|(index, run)| {
            let commands = run.script.commands.iter().enumerate();
            commands.filter_map(move |(at, command)| Some(((index, at), run, command.call()?)))
        })
    };
    // The last command of each stage that settles what came before.
    let mut settled = BTreeMap::new();
    for (place, run, _) in commands().filter(|(_, _, call)| settles(call)) {
        settled.insert(run.node.stage, place);
    }
    for (place, run, call) in commands().filter(|(_, _, call)| subcommand(call) == Some("clone")) {
        let later = settled.get(&run.node.stage).is_some_and(|last| *last > place);
        let chosen = later || call.option(&["--revision"]).is_some();
        let source = clone_source(&call);
        if chosen || run.script.incomplete || !source.is_some_and(is_remote) {
            continue;
        }
        let span = run.body.span(call.command.span.clone());
        let what = match call.value("--branch").or_else(|| call.value("-b")) {
            Some(branch) => format!("{branch} is a name that can move"),
            None => "the repository's default branch moves".to_owned(),
        };
        found
            .report(&ABOUT, span, format!("a clone of no commit: {what}"))
            .severity(Severity::Medium)
            .help("ADD https://….git#<40 hex digits> /src, or git checkout <40 hex digits>");
    }
}

/// Whether a command may choose a commit, or compare with one.
fn settles(call: &Call<'_>) -> bool {
    match subcommand(call) {
        Some("checkout" | "reset" | "switch" | "fetch" | "pull" | "worktree") => {
            call.args.iter().any(may_be_commit)
        }
        Some(
            "rev-parse" | "verify-tag" | "verify-commit" | "merge-base" | "submodule" | "tag"
            | "cherry-pick" | "rebase" | "am" | "bisect",
        ) => true,
        Some(_) => false,
        None => call.name == "git",
    }
}

/// Options of git and of its clone that take a value.
const VALUED: [&str; 22] = [
    "-C",
    "-c",
    "--git-dir",
    "--work-tree",
    "--namespace",
    "-b",
    "--branch",
    "--depth",
    "-o",
    "--origin",
    "-u",
    "--upload-pack",
    "--reference",
    "--reference-if-able",
    "--separate-git-dir",
    "-j",
    "--jobs",
    "--shallow-since",
    "--shallow-exclude",
    "--config",
    "--template",
    "--filter",
];

fn subcommand<'a>(call: &Call<'a>) -> Option<&'a str> {
    if call.name == "git" { call.subcommand(&VALUED) } else { None }
}

fn clone_source<'a>(call: &Call<'a>) -> Option<&'a Word> {
    call.operands(&VALUED).nth(1)
}

/// Whether a clone surely comes from another machine.
fn is_remote(word: &Word) -> bool {
    let lower = word.text.to_ascii_lowercase();
    let web = lower.starts_with("http://") || lower.starts_with("https://");
    let local = ["localhost", "127.0.0.1"].iter().any(|host| lower.contains(host));
    (web || address::is_git_only(&lower)) && !local
}

/// A commit, or a word that may hold one.
fn may_be_commit(word: &Word) -> bool {
    let hex = word.text.len() >= 7 && word.text.bytes().all(|byte| byte.is_ascii_hexdigit());
    word.expands || hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{findings, places, silent, speaks};

    const COMMIT: &str = "6b5f1b5a4c3d8e9f00112233445566778899aabb";

    #[test]
    fn adds_of_names() {
        speaks(
            &GitRef,
            &[
                "FROM a:1\nADD https://github.com/a/b.git /src\n",
                "FROM a:1\nADD https://github.com/a/b.git#v1.2 /src\n",
                "FROM a:1\nADD git@github.com:a/b.git#main:docs /src\n",
                "FROM a:1\nARG V=v1\nADD https://github.com/a/b.git#$V /src\n",
            ],
        );
        silent(
            &GitRef,
            &[
                &format!("FROM a:1\nADD https://github.com/a/b.git#{COMMIT}:docs /src\n"),
                &format!("FROM a:1\nARG V={COMMIT}\nADD https://github.com/a/b.git#$V /src\n"),
                &format!("FROM a:1\nADD --checksum={COMMIT} https://e.com/b.git#v1 /src\n"),
                "FROM a:1\nARG V\nADD https://github.com/a/b.git#$V /src\n",
                "FROM a:1\nADD https://e.com/b.tgz user@host /src\n",
            ],
        );
    }

    #[test]
    fn clones_of_names() {
        let source =
            "FROM a:1\nRUN apt x && git clone --depth 1 https://e.com/a/b.git /b && make\n";
        assert_eq!(places(&GitRef, source), ["git clone --depth 1 https://e.com/a/b.git /b"]);
        assert_eq!(findings(&GitRef, source)[0].severity, Severity::Medium);
        speaks(
            &GitRef,
            &[
                "FROM a:1\nRUN git clone --branch v1.2.3 --depth 1 https://e.com/a/b\n",
                "FROM a:1\nRUN git clone -b \"$V\" https://e.com/a/b\n",
                "FROM a:1\nRUN git clone https://e.com/a/b && cd b && git checkout v1.2\n",
                "FROM a:1\nRUN git clone git@e.com:a/b\nFROM b:1\nRUN git checkout $X\n",
            ],
        );
    }

    #[test]
    fn clones_of_commits_and_what_cannot_be_told() {
        silent(
            &GitRef,
            &[
                &format!("FROM a:1\nRUN git clone https://e.com/b && git checkout {COMMIT}\n"),
                &format!(
                    "FROM a:1\nRUN git clone https://e.com/b\nRUN git -C b reset --hard {COMMIT}\n"
                ),
                "FROM a:1\nRUN git clone https://e.com/b && cd b && git checkout \"$COMMIT\"\n",
                "FROM a:1\nRUN git clone https://e.com/b && cd b && git checkout 6b5f1b5\n",
                "FROM a:1\nRUN git clone https://e.com/b && git -C b verify-tag v1\n",
                "FROM a:1\nRUN git clone https://e.com/b && test \"$(git -C b rev-parse HEAD)\" = x\n",
                "FROM a:1\nRUN git clone \"$URL\" /b\n",
                "FROM a:1\nRUN git clone /src /b\n",
                "FROM a:1\nRUN git clone --revision=6b5f1b5a4c3d8e9f https://e.com/b\n",
                "FROM a:1\nRUN echo git clone https://e.com/b\n",
                "FROM a:1\nRUN git init b && git -C b fetch https://e.com/b main\n",
            ],
        );
    }
}
