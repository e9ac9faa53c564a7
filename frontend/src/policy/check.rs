//! All text checks over one file.

use super::catalog::PARSE_ERROR;
use super::finding::{Finding, Findings};
use super::registry;
use super::rule::About;
use super::settings::Settings;
use super::view::View;
use crate::dockerfile::{Dockerfile, Span};

/// Most errors of one file that are told one by one.
const ERRORS: usize = 50;
/// Longest message about an error, in characters.
const LONGEST: usize = 200;

/// What the rules that `wanted` names have against a file, in source order.
pub fn check(
    file: &Dockerfile,
    settings: &Settings,
    wanted: impl Fn(&About) -> bool,
) -> Vec<Finding> {
    if is_binary(file) || file.instructions.is_empty() {
        return Vec::new();
    }
    let view = View::new(file, settings);
    let mut found = Findings::default();
    for rule in registry::every_rule().filter(|rule| wanted(rule.about())) {
        rule.text(&view, &mut found);
    }
    found.sorted()
}

/// What BuildKit would refuse to read, as findings in source order; a file that is no text has one.
pub fn read_errors(file: &Dockerfile) -> Vec<Finding> {
    let mut found = Findings::default();
    if is_binary(file) {
        found.report(&PARSE_ERROR, Span::default(), "this is no text, and no Dockerfile");
        return found.sorted();
    }
    for error in file.errors.iter().take(ERRORS) {
        found.report(&PARSE_ERROR, error.span, short(error.kind.to_string()));
    }
    if let Some(next) = file.errors.get(ERRORS) {
        let message = format!("{} more errors from here on", file.errors.len() - ERRORS);
        found.report(&PARSE_ERROR, next.span, message);
    }
    found.sorted()
}

/// A message that quotes a file may be as long as the file.
fn short(message: String) -> String {
    match message.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", message.get(..at).unwrap_or_default()),
        None => message,
    }
}

/// Whether rules have nothing to look at: zero bytes, and nothing that an engine would take.
fn is_binary(file: &Dockerfile) -> bool {
    !file.errors.is_empty() && file.source().contains(&0)
}
