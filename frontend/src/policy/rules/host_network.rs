//! A step in the host's network.

use super::run_flag;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct HostNetwork;

static ABOUT: About = About {
    id: "host-network",
    title: "a step in the host's network",
    severity: Severity::High,
    also: &[],
    places: &[Place::Text, Place::Graph, Place::Request],
    strict_only: false,
    page: include_str!("../../../../docs/rules/host-network.md"),
};

impl Rule for HostNetwork {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn decided_by_build(&self) -> bool {
        true
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let message = "the step reaches what listens on the host's own loopback address";
        run_flag::report(view, found, &ABOUT, ("network", "host"), message, |finding| {
            finding.help("the default network reaches registries, mirrors and other hosts");
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{fixed, places, silent};

    #[test]
    fn only_the_host() {
        assert_eq!(
            places(&HostNetwork, "FROM a:1\nRUN --network=host x\nONBUILD RUN --network=host y\n"),
            ["--network=host", "--network=host"]
        );
        silent(
            &HostNetwork,
            &[
                "FROM a:1\nRUN --network=none x\n",
                "FROM a:1\nRUN --network=default x\n",
                "FROM a:1\nRUN docker run --network=host x\n",
                "FROM a:1\nCMD [\"--network=host\"]\n",
            ],
        );
    }

    #[test]
    fn the_fix_takes_the_flag() {
        assert_eq!(
            fixed(&HostNetwork, "FROM a:1\nRUN --network=host --mount=type=tmpfs,target=/t x\n"),
            "FROM a:1\nRUN --mount=type=tmpfs,target=/t x\n"
        );
        let alone = "FROM a:1\nRUN --network=host \\\n  x\n";
        assert_eq!(fixed(&HostNetwork, alone), "FROM a:1\nRUN \\\n  x\n");
    }
}
