//! Lists of packages in a layer of their own: a later step installs from stale ones.

use crate::policy::commands::{Action, LastCall, Manager, calls_of, package_calls};
use crate::policy::{About, Findings, Place, Rule, Run, Severity, View};

pub struct UpdateAlone;

static ABOUT: About = About {
    id: "update-alone",
    title: "lists of packages fetched in a step that installs nothing",
    severity: Severity::Medium,
    also: &["DS-0017", "CKV_DOCKER_5", "CIS-DI-0007"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/update-alone.md"),
};

impl Rule for UpdateAlone {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut used = LastCall::default();
        let mut settled = None;
        for (run, index, call) in package_calls(view) {
            if call.action != Action::Update || !matches!(call.manager, Manager::Apt | Manager::Apk)
            {
                continue;
            }
            let uses = [Action::Install, Action::Upgrade, Action::Other, Action::Remove];
            let used = used.of(run, &uses);
            if used.is_some_and(|used| used > index) || settled == Some(run.node.index) {
                continue;
            }
            settled = Some(run.node.index);
            if !understood(run) {
                continue;
            }
            let span = run.body.span(call.call.word.span.start..call.verb.span.end);
            found
                .report(&ABOUT, span, "the step fetches lists of packages and installs nothing")
                .help("fetch them in the step that installs");
        }
    }
}

/// Whether nothing in a script may use the lists without our knowing.
fn understood(run: &Run<'_>) -> bool {
    let known = |name: &str| {
        matches!(
            name,
            "apt-get"
                | "apt"
                | "apk"
                | "set"
                | "export"
                | "echo"
                | "printf"
                | "true"
                | ":"
                | "rm"
                | "sed"
                | "mkdir"
                | "cat"
                | "ls"
                | "touch"
                | "dpkg"
                | "apt-key"
                | "locale-gen"
                | "tee"
                | "add-apt-repository"
                | "ln"
                | "chmod"
                | "cp"
                | "mv"
                | "sleep"
                | "date"
        )
    };
    let calls = calls_of(run).count();
    let named = run.script.commands.iter().filter(|command| !command.words.is_empty()).count();
    !run.script.incomplete
        && run.node.instruction.heredocs.is_empty()
        && calls == named
        && calls_of(run).all(|(_, call)| known(call.name))
        && calls_of(run).all(|(_, call)| !call.word.text.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn updates() {
        fires(
            &UpdateAlone,
            &[
                "apt-get update",
                "apt-get update -qq && rm -rf /x",
                "apk update",
                "sudo apt-get -y update",
            ],
        );
        silent(
            &UpdateAlone,
            &[
                "apt-get update && apt-get install -y x",
                "apt-get update; apt-get build-dep x",
                "apt-get update && ./install.sh",
                "apt-get update && install_packages x",
                "apt-get update && $INSTALL x",
                "apt-get update && apt-get upgrade",
                "apt-get update && pip install x",
                "yum makecache",
                "apk update && apk add x",
                "if ! x; then apt-get update; fi; apt-get install -y y",
            ],
        );
    }
}
