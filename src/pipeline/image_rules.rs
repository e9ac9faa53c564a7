//! What the rules have against the image that was built, before anything is exported.

use std::collections::BTreeSet;

use cofferdam_frontend::Hardened;
use cofferdam_frontend::build::image_rules;
use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::policy::{self, Level, Severity};

use super::text_rules::Heard;
use crate::error::Error;
use crate::report::printer::Printer;
use crate::request::{BuildRequest, DockerfileText};

/// Most lines that are told; the rest is counted.
const LINES: usize = 10;

/// Refuses what is denied; returns what is worth a look, the worst first, each rule once.
///
/// What was `heard` about the text already is not told a second time.
pub(super) fn check(
    request: &BuildRequest,
    hardened: &Hardened,
    dockerfile: &DockerfileText,
    heard: &Heard,
) -> Result<Vec<String>, Error> {
    let keep: BTreeSet<String> = request.keep.iter().map(|keep| keep.path.clone()).collect();
    let mut found: Vec<(Severity, Violation)> = Vec::new();
    for platform in hardened.platforms() {
        for violation in image_rules::violations(platform, &keep) {
            let Some(about) = policy::about(violation.rule) else { continue };
            if request.rules.levels.wants(about) && !found.iter().any(|(_, it)| *it == violation) {
                found.push((about.severity, violation));
            }
        }
    }
    let level =
        |(severity, it): &(Severity, Violation)| request.rules.levels.of(it.rule, *severity);
    found.retain(|it| level(it) != Level::Allow);
    // Exceptions count as used by what they lift.
    found.retain(|(_, it)| request.exceptions.allows(it.rule).is_none());
    let (denied, mut rest): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|it| level(it) == Level::Deny);
    if !denied.is_empty() {
        let violations = denied.into_iter().map(|(_, violation)| violation).collect();
        let text = Some(dockerfile.source());
        return Err(Error::Refused { names: Vec::new(), violations, text });
    }
    rest.retain(|(_, it)| !heard.is_about(it.rule));
    rest.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    Ok(lines(&rest.into_iter().map(|(_, violation)| violation).collect::<Vec<_>>()))
}

/// Tells what does not refuse the build.
pub(super) fn tell(request: &BuildRequest, lines: &[String], printer: &Printer) {
    if request.progress.mode.is_for_people() {
        lines.iter().for_each(|line| printer.notice(line));
    }
}

/// One line for each rule.
fn lines(warned: &[Violation]) -> Vec<String> {
    let mut rules: Vec<(&Violation, usize)> = Vec::new();
    for violation in warned {
        match rules.iter_mut().find(|(first, _)| first.rule == violation.rule) {
            Some((_, more)) => *more += 1,
            None => rules.push((violation, 0)),
        }
    }
    let line = |(Violation { rule, message, lines, .. }, more): &(&Violation, usize)| {
        let place = lines.first().map(|(file, line, _)| format!("{file}:{line}"));
        let more = if *more > 0 { format!("; {more} more") } else { String::new() };
        format!("{}: {message} ({rule}{more})", place.unwrap_or_else(|| "image".into()))
    };
    let mut told: Vec<String> = rules.iter().take(LINES).map(line).collect();
    if rules.len() > LINES {
        told.truncate(LINES - 1);
        let more = rules.len() - told.len();
        told.push(format!("image: {more} more rules have something against it"));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(rule: &'static str, line: Option<usize>) -> Violation {
        Violation {
            rule,
            message: "something is wrong".into(),
            lines: line.map(|line| ("Dockerfile".into(), line, line)).into_iter().collect(),
            span: None,
            fix: String::new(),
        }
    }

    #[test]
    fn each_rule_has_one_line_with_its_first_place() {
        let warned = [
            violation("world-writable", Some(3)),
            violation("nonroot-user", None),
            violation("world-writable", Some(5)),
        ];
        assert_eq!(
            lines(&warned),
            [
                "Dockerfile:3: something is wrong (world-writable; 1 more)",
                "image: something is wrong (nonroot-user)",
            ]
        );
    }

    #[test]
    fn there_are_never_more_than_ten_lines() {
        let ids = cofferdam_contents_ids();
        let warned: Vec<Violation> = ids.iter().map(|rule| violation(rule, Some(1))).collect();
        let told = lines(&warned);
        assert_eq!(told.len(), LINES);
        assert_eq!(
            told[9],
            format!("image: {} more rules have something against it", ids.len() - 9)
        );
    }

    fn cofferdam_contents_ids() -> Vec<&'static str> {
        policy::every_about().into_iter().map(|about| about.id).take(15).collect()
    }
}
