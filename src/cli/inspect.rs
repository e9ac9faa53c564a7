//! `cofferdam inspect`: what an image holds, and what speaks against it.

use std::path::Path;
use std::time::SystemTime;

use clap::Args;
use cofferdam_frontend::day::Day;

use super::levels::LevelFlags;
use crate::config::{self, Config};
use crate::error::{Error, exit};
use crate::inspect::{self, Project};
use crate::report::inspection as report;
use crate::report::printer::Printer;
use crate::request::{self, ConnectionFlags, Environment, ImageFlags};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam inspect app:1
  cofferdam inspect --secret id=npm,src=.npmrc registry.example/app:1

Exit codes: 0 nothing denied, 1 bad usage or a damaged image, 3 denied or a secret found,
4 no registry")]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    image: ImageFlags,
    /// human or json
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_default_value = true,
          value_parser = ["human", "json"], hide_possible_values = true)]
    format: String,
    /// Value that must be nowhere: id=NAME,src=FILE or id=NAME,env=VARIABLE
    #[arg(long = "secret", value_name = "SPEC", allow_hyphen_values = true)]
    secrets: Vec<String>,
    #[command(flatten)]
    levels: LevelFlags,
}

impl InspectArgs {
    /// Inspects, reports, and says what the shell gets.
    pub(crate) fn run(
        self,
        connection: &ConnectionFlags,
        environment: &Environment,
        printer: &Printer,
    ) -> Result<u8, Error> {
        let Self { image, format, secrets, levels } = self;
        let mut request = request::image(image, &secrets, connection, environment)?;
        request.contents = true;
        let config = config::find(Path::new(".")).map(|path| Config::read(&path)).transpose()?;
        let project = Project::of(config.as_ref(), levels.asked(), Day::of(SystemTime::now()));
        let inspection = inspect::run(&request, &project)?;
        let text = match format.as_str() {
            "json" => report::json(&inspection),
            _ => report::human(&inspection, printer.stdout_style()),
        };
        printer.stdout(text.as_bytes())?;
        report::notices(&inspection).iter().for_each(|notice| printer.notice(notice));
        Ok(if inspection.is_denied() { exit::REFUSED } else { exit::DONE })
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;

    #[test]
    fn every_flag_is_documented() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/inspect.md");
        let page = std::fs::read_to_string(path).unwrap();
        for arg in InspectArgs::augment_args(Command::new("inspect")).get_arguments() {
            if let Some(long) = arg.get_long() {
                assert!(page.contains(&format!("`--{long}")), "--{long} is not in docs/inspect.md");
            }
        }
    }
}
