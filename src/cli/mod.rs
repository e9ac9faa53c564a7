//! The command line: one file per command.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::error::exit;
use crate::report::printer::Printer;
use crate::request::ConnectionFlags;

mod build;
mod provenance;

/// Build an image that can be trusted, where `docker build` stood.
#[derive(Debug, Parser)]
#[command(name = "cofferdam", version, disable_help_subcommand = true, args_override_self = true)]
#[command(after_help = "Examples:
  cofferdam build -t app:1 --secret id=token,src=token.txt .
  cofferdam provenance app:1")]
struct Cli {
    #[command(flatten)]
    connection: ConnectionFlags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build an image from a Dockerfile: uncached, pinned, stripped, recorded
    Build(Box<build::BuildArgs>),
    /// Print the provenance of an image that was built here
    Provenance(provenance::ProvenanceArgs),
}

/// Runs the program and says what the shell gets.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures and go to stdout; a closed pipe is not ours to mend.
            let _ = error.print();
            return if error.use_stderr() { exit::FAILED } else { exit::DONE };
        }
    };
    log_to_stderr();
    let printer = Printer::new();
    let result = match cli.command {
        Command::Build(args) => args.run(&cli.connection, &printer),
        Command::Provenance(args) => args.run(&printer),
    };
    match result {
        Ok(()) => exit::DONE,
        Err(error) => {
            printer.error(&error);
            error.exit_code()
        }
    }
}

/// `RUST_LOG=cofferdam=debug` shows what happens; silent otherwise.
fn log_to_stderr() {
    if std::env::var_os("RUST_LOG").is_none() {
        return;
    }
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).finish();
    // Only fails when another subscriber is there, and then that one logs.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Help pages are an interface: a change of one is a change of its snapshot
    /// (`COFFERDAM_BLESS=1 cargo test help_pages` writes them).
    #[test]
    fn help_pages_are_as_documented() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/help");
        let mut cli = Cli::command().term_width(100);
        cli.build();
        let mut pages = vec![("cofferdam".to_string(), cli.render_help().to_string())];
        for command in cli.get_subcommands_mut() {
            pages.push((
                format!("cofferdam-{}", command.get_name()),
                command.render_help().to_string(),
            ));
        }
        for (name, page) in pages {
            let path = directory.join(format!("{name}.txt"));
            if std::env::var_os("COFFERDAM_BLESS").is_some() {
                std::fs::create_dir_all(&directory).unwrap();
                std::fs::write(&path, &page).unwrap();
            }
            assert!(page.lines().count() <= 50, "{name} does not fit a screen");
            assert_eq!(page, std::fs::read_to_string(&path).unwrap(), "{}", path.display());
        }
    }

    #[test]
    fn bad_usage_exits_as_buildx_does() {
        let run = |args: &[&str]| run(args.iter().map(OsString::from));
        assert_eq!(run(&["cofferdam", "build", "--no-such-flag", "."]), 1);
        assert_eq!(run(&["cofferdam", "build"]), 1);
        assert_eq!(run(&["cofferdam", "build", ".", "."]), 1);
        assert_eq!(run(&["cofferdam", "--version"]), 0);
    }
}
