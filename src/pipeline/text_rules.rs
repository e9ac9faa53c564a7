//! What the rules have against the Dockerfile, said before the engine builds from it.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_frontend::dockerfile::Dockerfile;
use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::policy::rules::registry_not_allowed;
use cofferdam_frontend::policy::{
    self, BeforeBuild, Finding, Level, Settings, Severity, before_build,
};

use super::in_engine::Job;
use crate::error::Error;
use crate::inputs::scope;
use crate::report::printer::Printer;
use crate::request::{BuildRequest, DockerfileText};

/// Most rules that one line names.
const NAMED: usize = 6;

/// A rule that warned, and how bad that is.
pub(super) type Warned = (&'static str, Severity);

/// What the text has to be told of, and what it has been heard of.
pub(super) struct Heard {
    /// What is worth a look.
    pub(super) warned: Vec<Warned>,
    /// Rules that a comment in the file silences.
    silenced: BTreeSet<&'static str>,
}

impl Heard {
    /// Whether nothing more has to be said about a rule.
    pub(super) fn is_about(&self, rule: &str) -> bool {
        self.silenced.contains(rule) || self.warned.iter().any(|(warned, _)| *warned == rule)
    }
}

/// Refuses what is denied; returns what is worth a look.
pub(super) fn check(job: Job<'_>, written: &DockerfileText) -> Result<Heard, Error> {
    let request = job.request;
    let rules = &request.rules;
    let settings = Settings {
        scope: scope(request, &job.engine.facts().platform),
        registries: rules.registries.clone(),
        today: Some(rules.today),
    };
    let file = Dockerfile::parse(&written.bytes);
    let lifted = |rule: &str| request.exceptions.allows(rule).is_some();
    let BeforeBuild { denied, warned, silenced } =
        before_build(&file, &settings, &rules.levels, rules.today, lifted);
    if denied.is_empty() {
        let warned = warned.iter().map(|finding| (finding.rule, finding.severity)).collect();
        return Ok(Heard { warned, silenced });
    }
    let shown = written.source().shown;
    Err(Error::Refused {
        names: Vec::new(),
        violations: denied.into_iter().map(|it| violation(&file, &shown, it)).collect(),
        text: Some(written.source()),
    })
}

fn violation(file: &Dockerfile, shown: &str, finding: Finding) -> Violation {
    let Finding { rule, message, span, help, .. } = finding;
    let first = file.line_col(span.start).line;
    let last = file.line_col(span.end.saturating_sub(1).max(span.start)).line;
    let fix = help.unwrap_or_else(|| format!("see `cofferdam explain {rule}`"));
    let lines = vec![(shown.to_string(), first, last)];
    Violation { rule, message, lines, span: Some(span), fix }
}

/// The list of registries, where an image from elsewhere refuses the build.
pub(super) fn registries(request: &BuildRequest) -> Vec<String> {
    let rules = &request.rules;
    let severity = policy::about(registry_not_allowed::RULE).map(|about| about.severity);
    let level = severity.map(|severity| rules.levels.of(registry_not_allowed::RULE, severity));
    if level == Some(Level::Deny) { rules.registries.clone() } else { Vec::new() }
}

/// One line about everything that does not refuse the build, the worst first.
pub(super) fn tell(
    request: &BuildRequest,
    written: &DockerfileText,
    warned: &[Warned],
    printer: &Printer,
) {
    if warned.is_empty() || !request.progress.mode.is_for_people() {
        return;
    }
    printer.notice(&line(&written.source().shown, warned));
}

fn line(shown: &str, warned: &[Warned]) -> String {
    let mut rules: BTreeMap<(std::cmp::Reverse<Severity>, &str), usize> = BTreeMap::new();
    for (rule, severity) in warned {
        *rules.entry((std::cmp::Reverse(*severity), rule)).or_default() += 1;
    }
    let more = rules.len().saturating_sub(NAMED);
    let mut named: Vec<String> = rules
        .into_iter()
        .take(NAMED)
        .map(|((_, rule), times)| match times {
            1 => rule.to_string(),
            times => format!("{rule} {times}×"),
        })
        .collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let warnings = if warned.len() == 1 { "warning" } else { "warnings" };
    format!("{shown}: {} {warnings}: {}; see cofferdam check", warned.len(), named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_worst_first_and_counts_the_rest() {
        let warned = [
            ("sudo", Severity::Medium),
            ("nonroot-user", Severity::High),
            ("sudo", Severity::Medium),
        ];
        assert_eq!(
            line("Dockerfile", &warned),
            "Dockerfile: 3 warnings: nonroot-user, sudo 2×; see cofferdam check"
        );
        let many = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|rule| (rule, Severity::Low));
        assert!(line("x", &many).contains("a, b, c, d, e, f, 2 more;"), "{}", line("x", &many));
    }
}
