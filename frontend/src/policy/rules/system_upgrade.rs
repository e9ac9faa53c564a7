//! All packages upgraded: what a pinned base was is gone.

use crate::policy::commands::{Action, package_calls};
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct SystemUpgrade;

static ABOUT: About = About {
    id: "system-upgrade",
    title: "an upgrade of all packages",
    severity: Severity::Medium,
    also: &["DL3005", "DL3017", "DL3031", "DL3035", "DL3039", "DS-0024", "DKL-DI-0003"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/system-upgrade.md"),
};

impl Rule for SystemUpgrade {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for (run, _, call) in package_calls(view) {
            // Packages that are named, or only those with known faults.
            let part = call.packages().next().is_some()
                || call.call.args.iter().any(|word| {
                    let text = word.text.as_str();
                    ["--security", "--advisory", "--cve", "--minimal", "--only-upgrade", "--bugfix"]
                        .iter()
                        .any(|option| text.starts_with(option))
                        || matches!(text, "-s" | "--simulate" | "--dry-run")
                });
            if call.action != Action::Upgrade || part {
                continue;
            }
            let span = run.body.span(call.call.word.span.start..call.verb.span.end);
            found
                .report(&ABOUT, span, "all packages become what the mirror has today")
                .help("take a newer base image, and name what has to be newer than in it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn upgrades() {
        fires(
            &SystemUpgrade,
            &[
                "apt-get update && apt-get upgrade -y",
                "apt-get -y dist-upgrade",
                "apk upgrade --no-cache",
                "apk -U upgrade",
                "yum update -y",
                "dnf -y upgrade",
                "microdnf update -y",
                "zypper -n dup",
            ],
        );
        silent(
            &SystemUpgrade,
            &[
                "apt-get update",
                "apk update",
                "apk upgrade libcrypto3",
                "yum update -y openssl",
                "yum update -y --security",
                "apt-get install --only-upgrade -y libssl3",
                "pip install --upgrade pip",
                "zypper refresh",
                "dnf makecache",
            ],
        );
    }
}
