//! `sudo` in a build: a step is root already, and the image keeps a door to root.

use crate::policy::commands::{Action, LastCall, package_calls, package_name};
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct Sudo;

static ABOUT: About = About {
    id: "sudo",
    title: "sudo used by a step, or installed",
    severity: Severity::Medium,
    also: &["DL3004", "DS-0010", "CKV2_DOCKER_1", "DKL-DI-0001"],
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
        let mut removed = LastCall::default();
        for (run, index, call) in package_calls(view) {
            let kept = call.action == Action::Install
                && view.in_result(run.node.stage)
                && removed.of(run, &[Action::Remove]).is_none_or(|at| at < index);
            let is_sudo = |name: &str| matches!(package_name(name), "sudo" | "doas");
            let word = call.packages().find(|word| word.literal().is_some_and(is_sudo));
            if let Some(word) = word.filter(|_| kept) {
                let span = run.body.span(word.span.clone());
                found
                    .report(&ABOUT, span, format!("{} is installed", package_name(&word.text)))
                    .help("leave it out; steps that need root go before USER");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn used_and_installed() {
        fires(
            &Sudo,
            &[
                "sudo make install",
                "make && /usr/bin/sudo -E make install",
                "apt-get install -y curl sudo",
                "apk add --no-cache sudo=1.9",
                "FROM a\nUSER 1\nRUN [\"sh\", \"-c\", \"sudo x\"]\n",
            ],
        );
        silent(
            &Sudo,
            &[
                "apt-get install -y pseudo libsudo",
                "apt-get install -y sudo && x && apt-get purge -y sudo",
                "echo sudo && rm /etc/sudoers.d/x",
                "FROM a AS b\nRUN apt-get install -y sudo\nFROM scratch\nCOPY --from=b /x /x\n",
            ],
        );
    }
}
