//! Policy: what a build should not do, one rule per file.
//!
//! A rule says what it is about once ([`About`]) and looks where it can: at the text, at the graph, at
//! the context, at the image. Text checks are advice with exact places; the graph and the image
//! decide. The registry is the list of all rules; `docs/rules` has a page for each, and
//! `examples/policy` a bad and a good file for each that looks at the text.

mod before;
mod body;
mod catalog;
mod check;
mod commands;
mod finding;
mod fix;
mod ignore;
mod level;
mod registry;
mod rule;
pub mod rules;
pub mod secret_arg;
mod settings;
#[cfg(test)]
mod testing;
mod view;

pub use before::{BeforeBuild, before_build};
pub use body::{Body, Run};
pub use catalog::{about, every_about};
pub use check::{check, read_errors};
pub use finding::{Edit, Finding, Findings, Fix, Safety, Severity};
pub use fix::{Mended, edited, mend};
pub use ignore::{Heard, heed};
pub use level::{AskedLevels, FailOn, Level, Levels, Profile};
pub use registry::{every_rule, rule};
pub use rule::{About, Place, Rule};
pub use settings::Settings;
pub use view::{Node, View};
