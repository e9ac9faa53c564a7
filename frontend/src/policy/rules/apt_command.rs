//! `apt` in a script: a program for people, whose command line may change.

use crate::policy::commands::calls;
use crate::policy::{About, Edit, Findings, Place, Rule, Severity, View};

pub struct AptCommand;

static ABOUT: About = About {
    id: "apt-command",
    title: "apt in a script, where apt-get does",
    severity: Severity::Low,
    also: &["DL3027", "CKV_DOCKER_9"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/apt-command.md"),
};

impl Rule for AptCommand {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for (run, _, call) in calls(view) {
            if call.name != "apt" || call.args.is_empty() {
                continue;
            }
            let verb = call.operands(&["-t", "-o", "-c"]).next().and_then(|word| word.literal());
            let same = [
                "install",
                "update",
                "upgrade",
                "remove",
                "purge",
                "autoremove",
                "clean",
                "autoclean",
                "source",
                "build-dep",
                "download",
            ];
            let span = run.body.span(call.word.span.clone());
            let finding = found.report(&ABOUT, span, "`apt` warns that scripts should not use it");
            finding.help("use apt-get, or apt-cache to look something up");
            let exact = run.body.exact(call.word.span.clone()).filter(|_| call.word.text == "apt");
            if let (Some(span), true) = (exact, verb.is_some_and(|verb| same.contains(&verb))) {
                finding.safe_fix("use apt-get", vec![Edit::replace(span, "apt-get")]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, fixed, silent};

    #[test]
    fn apt() {
        fires(&AptCommand, &["apt install -y x", "sudo apt update", "apt list --installed"]);
        silent(
            &AptCommand,
            &[
                "apt-get update",
                "apt-cache policy",
                "apk add apt",
                "apt-key add x",
                "echo apt update",
            ],
        );
        assert_eq!(fixed(&AptCommand, "apt -y install x"), "apt-get -y install x");
        assert_eq!(fixed(&AptCommand, "apt list"), "apt list");
    }
}
