//! All text checks over one file.

use super::finding::{Finding, Findings};
use super::registry;
use super::rule::About;
use super::settings::Settings;
use super::view::View;
use crate::dockerfile::Dockerfile;

/// What the rules that `wanted` names have against a file, in source order.
pub fn check(
    file: &Dockerfile,
    settings: &Settings,
    wanted: impl Fn(&About) -> bool,
) -> Vec<Finding> {
    let view = View::new(file, settings);
    let mut found = Findings::default();
    for rule in registry::every_rule().filter(|rule| wanted(rule.about())) {
        rule.text(&view, &mut found);
    }
    let mut list = found.list;
    list.sort_by(|a, b| (a.span.start, a.rule).cmp(&(b.span.start, b.rule)));
    list.dedup();
    list
}
