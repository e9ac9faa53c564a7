//! What a build hears of its Dockerfile's text before it begins.

use std::collections::BTreeSet;

use super::check::check;
use super::finding::Finding;
use super::ignore::heed;
use super::level::{Level, Levels};
use super::registry;
use super::rule::About;
use super::settings::Settings;
use crate::day::Day;
use crate::dockerfile::Dockerfile;

/// The findings that a build does not decide by itself, in source order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BeforeBuild {
    /// What refuses it. No comment in the file silences these.
    pub denied: Vec<Finding>,
    /// What is worth a look.
    pub warned: Vec<Finding>,
    /// Rules that would have warned, and that a comment in the file silences.
    pub silenced: BTreeSet<&'static str>,
}

/// Looks at the text as a build of it would be judged.
///
/// `lifted` tells whether a recorded exception lifts a rule; it is asked only about rules that have
/// a finding. What cannot be read is left to the frontend that reads the file.
pub fn before_build(
    file: &Dockerfile,
    settings: &Settings,
    levels: &Levels,
    today: Day,
    mut lifted: impl FnMut(&str) -> bool,
) -> BeforeBuild {
    let wanted = |about: &About| levels.wants(about) && !is_decided(about);
    let mut findings = check(file, settings, wanted);
    findings.retain(|it| levels.of(it.rule, it.severity) != Level::Allow && !lifted(it.rule));
    let (denied, rest): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|it| levels.of(it.rule, it.severity) == Level::Deny);
    let mut silenced: BTreeSet<&'static str> = rest.iter().map(|it| it.rule).collect();
    let mut warned = heed(file, rest, today, |_| false).findings;
    warned.iter().for_each(|it| {
        silenced.remove(it.rule);
    });
    warned.retain(|it| levels.of(it.rule, it.severity) != Level::Allow);
    BeforeBuild { denied, warned, silenced }
}

fn is_decided(about: &About) -> bool {
    registry::rule(about.id).is_some_and(|rule| rule.decided_by_build())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::level::Profile;
    use super::super::testing::TODAY;
    use super::*;

    const TEXT: &str = "# cofferdam: ignore[secret-in-arg] it is none\n\
        FROM debian:12\n\
        # cofferdam: ignore[secret-in-arg] it is none\n\
        ENV AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz\n\
        # cofferdam: ignore[sudo] the vendor insists\n\
        RUN sudo ls\n\
        RUN --network=host ls\n";

    fn rules(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.rule).collect()
    }

    fn before(levels: &Levels, lifted: &str) -> BeforeBuild {
        let file = Dockerfile::parse(TEXT.as_bytes());
        before_build(&file, &Settings::default(), levels, TODAY, |rule| rule == lifted)
    }

    #[test]
    fn a_comment_silences_a_warning_and_no_denial() {
        let heard = before(&Levels::default(), "");
        assert_eq!(rules(&heard.denied), ["secret-in-arg"]);
        assert!(!rules(&heard.warned).contains(&"sudo"), "{:?}", rules(&heard.warned));
        assert_eq!(heard.silenced, std::collections::BTreeSet::from(["sudo"]));
        let rules_named = BTreeMap::from([("sudo".to_string(), Level::Deny)]);
        let levels = Levels { rules: rules_named, ..Levels::default() };
        assert_eq!(rules(&before(&levels, "").denied), ["secret-in-arg", "sudo"]);
    }

    #[test]
    fn an_exception_lifts_both() {
        let strict = Levels { profile: Profile::Strict, ..Levels::default() };
        assert!(rules(&before(&strict, "").denied).contains(&"nonroot-user"));
        assert!(!rules(&before(&strict, "nonroot-user").denied).contains(&"nonroot-user"));
        assert_eq!(rules(&before(&Levels::default(), "secret-in-arg").denied), [""; 0]);
    }

    #[test]
    fn what_the_graph_decides_is_left_to_it() {
        let strict = Levels { profile: Profile::Strict, ..Levels::default() };
        let heard = before(&strict, "");
        let all = [rules(&heard.denied), rules(&heard.warned)].concat();
        assert!(!all.contains(&"host-network") && !all.contains(&"unpinned-image"), "{all:?}");
    }
}
