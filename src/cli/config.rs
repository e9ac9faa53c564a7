//! `cofferdam config`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::config::{self, Config};
use crate::error::Error;
use crate::report::printer::Printer;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam config check
  cofferdam config schema >cofferdam.schema.json")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the cofferdam.toml that counts for a directory, and say what is wrong with it
    Check {
        /// A cofferdam.toml, or a directory of Dockerfiles
        #[arg(value_name = "PATH", default_value = ".")]
        path: PathBuf,
    },
    /// Print the JSON schema of cofferdam.toml
    Schema,
}

impl ConfigArgs {
    /// Checks, or prints.
    pub(crate) fn run(self, printer: &Printer) -> Result<(), Error> {
        match self.command {
            ConfigCommand::Check { path } => check(&path, printer),
            ConfigCommand::Schema => {
                let text = format!("{:#}\n", config::schema());
                printer.stdout(text.as_bytes())
            }
        }
    }
}

fn check(path: &Path, printer: &Printer) -> Result<(), Error> {
    let file = if path.is_dir() { config::find(path) } else { Some(path.to_path_buf()) };
    let Some(file) = file else {
        let message = format!("no {} for {}", config::FILE, path.display());
        return Err(Error::usage_hint(
            message,
            "nothing is excepted, and every rule is as it comes",
        ));
    };
    let config = Config::read(&file)?;
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    };
    let told = format!(
        "{}: {}, {}, {}\n",
        config.shown(),
        count(config.rules.len(), "rule"),
        count(config.exceptions.len(), "exception"),
        count(config.keep.len(), "kept file"),
    );
    printer.stdout(told.as_bytes())
}
