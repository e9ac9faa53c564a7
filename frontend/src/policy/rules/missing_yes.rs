//! An installation that waits for somebody to say yes.

use crate::policy::commands::{Action, Manager, PackageCall, insert_after, package_calls};
use crate::policy::{About, Findings, Place, Rule, Run, Severity, View};

pub struct MissingYes;

static ABOUT: About = About {
    id: "missing-yes",
    title: "an installation that asks before it starts",
    severity: Severity::Low,
    also: &["DL3014", "DL3030", "DL3034", "DL3038", "DS-0021"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/missing-yes.md"),
};

impl Rule for MissingYes {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut configured = None;
        for (run, index, call) in package_calls(view) {
            if call.action != Action::Install || !asks(run, index, &call) {
                continue;
            }
            // Somebody said yes for all in a file or a variable.
            let configured = *configured.get_or_insert_with(|| {
                let source = String::from_utf8_lossy(view.file.source()).to_ascii_lowercase();
                ["assume-yes", "assumeyes=", "apt::get::yes"].iter().any(|it| source.contains(it))
            });
            if configured {
                continue;
            }
            let span = run.body.span(call.call.word.span.start..call.verb.span.end);
            let message = format!("`{}` asks before it installs", call.call.name);
            let finding = found.report(&ABOUT, span, message);
            finding.help("add -y");
            let edits = insert_after(run, call.verb, " -y");
            if !edits.is_empty() {
                finding.safe_fix("answer yes", edits);
            }
        }
    }
}

fn asks(run: &Run<'_>, index: usize, call: &PackageCall<'_>) -> bool {
    let command = call.call.command;
    let given = match call.manager {
        Manager::Apk => return false,
        // It never asks.
        Manager::Dnf if call.call.name == "microdnf" => return false,
        Manager::Apt => call.call.option(&[
            "-y",
            "--yes",
            "--assume-yes",
            "--force-yes",
            "-s",
            "--simulate",
            "--dry-run",
            "--print-uris",
            "-d",
            "--download-only",
            "--assume-no",
            "--trivial-only",
        ]),
        Manager::Zypper => call.call.option(&[
            "-n",
            "--non-interactive",
            "-y",
            "--no-confirm",
            "--dry-run",
            "--xmlout",
        ]),
        Manager::Dnf | Manager::Yum => call.call.option(&["-y", "--assumeyes", "--assumeno"]),
    };
    let quiet = || {
        // -qq means yes.
        call.manager == Manager::Apt
            && call.call.args.iter().any(|word| {
                let flags = word.text.strip_prefix('-').filter(|it| !it.starts_with('-'));
                flags.is_some_and(|flags| flags.matches('q').count() > 1)
                    || matches!(word.text.as_str(), "-q=2" | "--quiet=2")
            })
    };
    // `yes | apt-get install x`, `$FLAGS` among the arguments, packages that xargs adds.
    let answered = command.reads_from.is_some()
        || command.redirects.iter().any(|to| to.operator.starts_with('<'))
        || run.script.commands.get(index).is_some_and(|it| it.substituted)
        || call.call.args.iter().any(|word| word.text.starts_with('$'));
    given.is_none() && !quiet() && !answered && call.packages().next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, fixed, silent};

    #[test]
    fn who_is_asked() {
        fires(
            &MissingYes,
            &[
                "apt-get install curl",
                "apt-get install --no-install-recommends curl",
                "yum install curl",
                "dnf install -q curl",
                "zypper install curl",
            ],
        );
        silent(
            &MissingYes,
            &[
                "apt-get install -y curl",
                "apt-get -y install curl",
                "apt-get install curl -y",
                "apt-get install -qqy curl",
                "apt-get install -qq curl",
                "apt-get -yqq --no-install-recommends install curl",
                "apt-get install --yes curl",
                "apt-get install --assume-yes curl",
                "yes | apt-get install curl",
                "apt-get install $OPTIONS curl",
                "apt-get -o APT::Get::Assume-Yes=true install curl",
                "apt-get update",
                "apk add curl",
                "microdnf install curl",
                "yum -y install curl",
                "yum install -y curl",
                "dnf install --assumeyes curl",
                "zypper -n install curl && zypper --non-interactive in x && zypper in -y x",
                "apt-get install --download-only x",
            ],
        );
        assert_eq!(fixed(&MissingYes, "apt-get install curl"), "apt-get install -y curl");
    }
}
