//! `cofferdam rules` and `cofferdam explain`.

use clap::Args;
use cofferdam_frontend::policy;

use super::levels::rule_id;
use crate::error::Error;
use crate::report::findings;
use crate::report::printer::Printer;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam rules
  cofferdam rules --format json | jq -r '.[].id'")]
pub(crate) struct RulesArgs {
    /// human or json
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_default_value = true,
          value_parser = ["human", "json"], hide_possible_values = true)]
    format: String,
}

impl RulesArgs {
    /// Prints the table.
    pub(crate) fn run(self, printer: &Printer) -> Result<(), Error> {
        let rules = policy::every_about();
        let text = match self.format.as_str() {
            "json" => findings::rules_json(&rules),
            _ => findings::rules_table(&rules),
        };
        printer.stdout(text.as_bytes())
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam explain sudo
  cofferdam explain DL3004")]
pub(crate) struct ExplainArgs {
    /// A rule's name, here or in hadolint, BuildKit, Trivy or Checkov
    #[arg(value_name = "RULE")]
    rule: String,
}

impl ExplainArgs {
    /// Prints the pages of a rule; another tool's name may stand for several.
    pub(crate) fn run(self, printer: &Printer) -> Result<(), Error> {
        let rules = policy::every_about();
        let own = rules.iter().filter(|about| about.id == self.rule);
        let meant = |other: &&'static str| other.eq_ignore_ascii_case(&self.rule);
        let other = rules.iter().filter(|about| about.also.iter().any(&meant));
        let mut found: Vec<_> = own.collect();
        if found.is_empty() {
            found = other.collect();
        }
        if found.is_empty() {
            let why = rule_id(&self.rule).err().unwrap_or_default();
            let hint = why.split_once("; ").map_or(why.as_str(), |(_, hint)| hint);
            return Err(Error::usage_hint(format!("there is no rule {:?}", self.rule), hint));
        }
        let style = printer.stdout_style();
        let pages: Vec<String> =
            found.into_iter().map(|about| findings::page(about, style)).collect();
        printer.stdout(pages.join("\n").as_bytes())
    }
}
