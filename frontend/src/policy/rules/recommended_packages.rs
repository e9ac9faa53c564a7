//! Packages that others only recommend.

use crate::policy::commands::{Action, Manager, insert_after, package_calls};
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct RecommendedPackages;

static ABOUT: About = About {
    id: "recommended-packages",
    title: "apt installs what packages only recommend",
    severity: Severity::Low,
    also: &["DL3015", "DS-0029"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/recommended-packages.md"),
};

impl Rule for RecommendedPackages {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut configured = None;
        for (run, _, call) in package_calls(view) {
            let installs = call.manager == Manager::Apt && call.action == Action::Install;
            let asked = ["--no-install-recommends", "--install-recommends", "--only-upgrade"];
            let decided = call.call.option(&asked).is_some()
                || call.call.option(&["-R", "--without-recommends"]).is_some()
                || call.call.args.iter().any(|word| word.text.starts_with('$'))
                || call.sets("Install-Recommends");
            if !installs || decided || !view.in_result(run.node.stage) {
                continue;
            }
            // Decided for all in a file.
            let configured = *configured.get_or_insert_with(|| {
                let source = String::from_utf8_lossy(view.file.source()).to_ascii_lowercase();
                source.contains("apt::install-recommends")
                    || source.contains("install-recommends \"")
            });
            if configured {
                continue;
            }
            let span = run.body.span(call.call.word.span.start..call.verb.span.end);
            let finding = found.report(&ABOUT, span, "recommended packages are installed as well");
            finding.help("add --no-install-recommends, and name what is really needed");
            let edits = insert_after(run, call.verb, " --no-install-recommends");
            if !edits.is_empty() {
                // curl without the recommended ca-certificates trusts nobody.
                finding.unsafe_fix("install only what is named", edits);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, fixed, silent};

    #[test]
    fn recommends() {
        fires(&RecommendedPackages, &["apt-get install -y x", "apt -y install x"]);
        silent(
            &RecommendedPackages,
            &[
                "apt-get install -y --no-install-recommends x",
                "apt-get --no-install-recommends install -y x",
                "apt-get install -y --install-recommends x",
                "apt-get -o APT::Install-Recommends=false install x",
                "apt-get install -y $OPTIONS x",
                "apk add x && yum install x",
                "FROM a AS b\nRUN apt-get install -y x\nFROM scratch\nCOPY --from=b /x /x\n",
                "FROM a\nRUN echo 'APT::Install-Recommends \"0\";' > /etc/apt/apt.conf.d/9\nRUN apt-get install -y x\n",
            ],
        );
        assert_eq!(
            fixed(&RecommendedPackages, "apt-get install -y x"),
            "apt-get install --no-install-recommends -y x"
        );
    }
}
