//! A container that runs more than its program.

use std::collections::BTreeMap;

use crate::dockerfile::{Args, Keyword};
use crate::policy::body;
use crate::policy::{About, Findings, Node, Place, Rule, Run, Severity, View};
use crate::shell::Joint;

pub struct SeveralProcesses;

static ABOUT: About = About {
    id: "several-processes",
    title: "a container that starts several processes",
    severity: Severity::Medium,
    also: &[],
    places: &[Place::Text, Place::Image],
    strict_only: false,
    page: include_str!("../../../../docs/rules/several-processes.md"),
};

impl Rule for SeveralProcesses {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for node in started(view) {
            let args = &node.instruction.args;
            let message = match args {
                Args::Exec(words)
                    if manager(words.iter().map(|word| word.text.as_str()))
                        || words.first().is_some_and(|word| word.text == "/init")
                            && view.file.source().windows(10).any(|it| it == b"s6-overlay") =>
                {
                    Some("a process manager: the container runs several programs")
                }
                _ => None,
            };
            let message = message.or_else(|| {
                let scripts = body::runs(node, view.file.source());
                scripts.iter().find_map(several)
            });
            if let Some(message) = message {
                found.report(&ABOUT, node.instruction.span, message).help(
                    "one program for each container: docker sees it fail, and stops it as it wants",
                );
            }
        }
    }
}

/// The CMD and ENTRYPOINT that count.
fn started<'a>(view: &View<'a>) -> Vec<Node<'a>> {
    let mut last = BTreeMap::new();
    for node in view.nodes().filter(|node| !node.onbuild) {
        last.insert((node.stage, node.instruction.keyword), node);
    }
    let mut entrypoint = None;
    let mut cmd = None;
    for stage in view.lineage().iter().copied().map(Some) {
        // An ENTRYPOINT takes the CMD of the stage before away.
        if entrypoint.is_some() {
            break;
        }
        cmd = cmd.or(last.get(&(stage, Keyword::Cmd)).copied());
        entrypoint = last.get(&(stage, Keyword::Entrypoint)).copied();
    }
    entrypoint.into_iter().chain(cmd).collect()
}

fn manager<'w>(words: impl Iterator<Item = &'w str>) -> bool {
    words.take(4).enumerate().any(|(at, word)| {
        let name = word.rsplit('/').next().unwrap_or(word);
        let known = matches!(
            name,
            "supervisord"
                | "s6-svscan"
                | "runsvdir"
                | "runit"
                | "runit-init"
                | "circusd"
                | "forego"
                | "honcho"
                | "overmind"
                | "goreman"
                | "systemd"
        );
        let init = matches!(word, "/sbin/init" | "/usr/sbin/init");
        known || at == 0 && init
    })
}

fn several(script: &Run<'_>) -> Option<&'static str> {
    let commands = &script.script.commands;
    for (index, command) in commands.iter().enumerate() {
        let call = command.call();
        if let Some(call) = call {
            if manager(std::iter::once(call.word.text.as_str())) {
                return Some("a process manager: the container runs several programs");
            }
            let starts = |word: Option<&str>| matches!(word, Some("start" | "restart"));
            let mut operands = call.operands(&[]).map(|word| word.text.as_str());
            let service = call.name == "service" && starts(operands.nth(1))
                || call.word.text.starts_with("/etc/init.d/") && starts(operands.next());
            if service {
                return Some("a service in the background, which nobody watches");
            }
        }
        let later = commands.iter().skip(index + 1).filter_map(|command| command.call());
        let harmless =
            |name: &str| matches!(name, "wait" | "echo" | "trap" | "true" | "sleep" | "exit");
        if command.joint == Joint::Background
            && call.is_some_and(|call| !harmless(call.name))
            && later.take(16).any(|call| !harmless(call.name))
        {
            return Some("a process in the background, which nobody watches");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn several_processes() {
        fires(
            &SeveralProcesses,
            &[
                "FROM a\nCMD [\"/usr/bin/supervisord\", \"-n\"]\n",
                "FROM a\nENTRYPOINT [\"/sbin/tini\", \"--\", \"supervisord\"]\n",
                "FROM a\nCMD supervisord -c /etc/supervisord.conf\n",
                "FROM a\nCMD [\"/sbin/init\"]\n",
                "FROM a\nADD s6-overlay.tar /\nENTRYPOINT [\"/init\"]\n",
                "FROM a\nCMD service nginx start && tail -f /var/log/nginx/access.log\n",
                "FROM a\nCMD /etc/init.d/ssh start; exec app\n",
                "FROM a\nCMD cron & nginx -g 'daemon off;'\n",
                "FROM a\nENTRYPOINT [\"sh\", \"-c\", \"redis-server & exec app\"]\n",
                "FROM a\nENTRYPOINT bash -c 'a & b'\n",
                "FROM a AS b\nCMD a & b\nFROM b\n",
            ],
        );
        silent(
            &SeveralProcesses,
            &[
                "FROM a\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n",
                "FROM a\nENTRYPOINT [\"/init\"]\n",
                "FROM a\nCMD app > log 2>&1\n",
                "FROM a\nCMD migrate && exec app\n",
                "FROM a\nCMD app & wait\n",
                "FROM a\nCMD a & b\nCMD c\n",
                "FROM a AS b\nCMD a & b\nFROM b\nCMD [\"c\"]\n",
                "FROM a AS b\nCMD a & b\nFROM b\nENTRYPOINT [\"c\"]\n",
                "FROM a AS b\nCMD a & b\nFROM c\n",
                "FROM a\nRUN a & b\nRUN service x start && x\n",
                "FROM a\nCMD [\"service\", \"--help\"]\n",
                "FROM a\nRUN apt-get install -y supervisor\n",
            ],
        );
    }
}
