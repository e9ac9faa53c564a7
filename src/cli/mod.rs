//! The command line: one file per command.

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

use crate::error::{Error, exit};
use crate::plugin::{self, Call};
use crate::report::printer::Printer;
use crate::request::{BuildRequest, ConnectionFlags, Environment};

mod build;
mod check;
mod config;
mod docs;
mod inspect;
mod install;
mod levels;
mod lock;
mod lsp;
mod packages;
mod provenance;
mod recorded;
mod rules;
mod usage;

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
    command: Option<Command>,
}

/// What people do, for a call without a word.
const FRONT_PAGE: &str = "\
Build an image that can be trusted, where `docker build` stood.

  cofferdam build -t app:1 .                              build an image
  cofferdam build -t app:1 --secret id=npm,src=.npmrc .   with a secret that only RUN mounts
  cofferdam build -t app:1 --locked .                     with nothing that cofferdam.lock lacks
  cofferdam provenance app:1                              see what it was made of
  cofferdam install                                       let `docker build` do the same

Everything else: cofferdam --help, cofferdam build --help
";

#[derive(Debug, Subcommand)]
enum Command {
    /// Build an image from a Dockerfile: uncached, pinned, stripped, recorded
    Build(Box<build::BuildArgs>),
    /// Lock what the Dockerfile names: digests, checksums, commits
    Lock(Box<lock::LockArgs>),
    /// Check Dockerfiles against the rules, and mend them
    Check(check::CheckArgs),
    /// List the rules
    Rules(rules::RulesArgs),
    /// Tell what a rule is about
    Explain(rules::ExplainArgs),
    /// Check cofferdam.toml, or print its schema
    Config(config::ConfigArgs),
    /// Inspect an image: layers, packages, secrets, and what speaks against it
    Inspect(inspect::InspectArgs),
    /// List the packages of an image, and the layer that brought each
    Packages(packages::PackagesArgs),
    /// Write the bill of materials of an image
    Sbom(packages::SbomArgs),
    /// Print the provenance of an image that was built here
    Provenance(provenance::ProvenanceArgs),
    /// Show findings in an editor, as a language server
    Lsp(lsp::LspArgs),
    /// Let `docker build` run cofferdam
    Install(install::InstallArgs),
    /// Give `docker build` back to Docker
    Uninstall(install::UninstallArgs),
    /// Print a script that completes commands in a shell
    Completion(docs::CompletionArgs),
    /// Write man pages
    Man(docs::ManArgs),
}

/// Runs the program and says what the shell gets.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let printer = Printer::new();
    let environment = Environment::of_process();
    let end = |result: Result<u8, Error>| {
        result.unwrap_or_else(|error| {
            printer.error(&error);
            error.exit_code()
        })
    };
    let args = match plugin::called(args.into_iter().collect(), &environment, Cli::command) {
        Ok(Call::Ours(args)) => args,
        Ok(Call::Print(bytes)) => return end(printer.stdout(&bytes).map(|()| exit::DONE)),
        Ok(Call::Ended(code)) => return code,
        Err(error) => return end(Err(error)),
    };
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            return end(Err(usage::explain(&error, command(&args))));
        }
        // Help and version; a closed pipe is not ours to mend.
        Err(error) => {
            let shown = usage::for_people(Cli::command()).try_get_matches_from(&args);
            let _ = shown.err().unwrap_or(error).print();
            return exit::DONE;
        }
    };
    log_to(&printer);
    let result = match cli.command {
        None => printer.stdout(FRONT_PAGE.as_bytes()),
        Some(Command::Build(args)) => args.run(&cli.connection, &printer),
        Some(Command::Lock(args)) => args.run(&cli.connection, &environment, &printer),
        Some(Command::Check(args)) => return end(args.run(&printer)),
        Some(Command::Rules(args)) => args.run(&printer),
        Some(Command::Explain(args)) => args.run(&printer),
        Some(Command::Lsp(args)) => args.run(),
        Some(Command::Config(args)) => args.run(&printer),
        Some(Command::Inspect(args)) => {
            return end(args.run(&cli.connection, &environment, &printer));
        }
        Some(Command::Packages(args)) => args.run(&cli.connection, &environment, &printer),
        Some(Command::Sbom(args)) => args.run(&cli.connection, &environment, &printer),
        Some(Command::Provenance(args)) => args.run(&cli.connection, &printer),
        Some(Command::Install(args)) => args.run(&cli.connection, &environment, &printer),
        Some(Command::Uninstall(args)) => args.run(&cli.connection, &environment, &printer),
        Some(Command::Completion(args)) => args.run(usage::for_people(Cli::command()), &printer),
        Some(Command::Man(args)) => args.run(usage::for_people(Cli::command()), &printer),
    };
    end(result.map(|()| exit::DONE))
}

/// What a command line of `build` asks for, without building it.
pub fn request(
    args: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<BuildRequest, Error> {
    let args = match plugin::called(args.into_iter().collect(), environment, Cli::command)? {
        Call::Ours(args) => args,
        Call::Print(_) | Call::Ended(_) => return Err(Error::usage("this is no build")),
    };
    let cli = Cli::try_parse_from(&args).map_err(|error| usage::explain(&error, command(&args)))?;
    match cli.command {
        Some(Command::Build(build)) => build.request(&cli.connection, environment),
        _ => Err(Error::usage("this is no build")),
    }
}

/// The command that a command line names, for hints about it.
fn command(args: &[OsString]) -> Option<&str> {
    let known = Cli::command();
    let mut words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    words.find(|word| known.get_subcommands().any(|sub| sub.get_name() == *word))
}

/// `RUST_LOG=cofferdam=debug` shows what happens; silent otherwise.
fn log_to(printer: &Printer) {
    if std::env::var_os("RUST_LOG").is_none() {
        return;
    }
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(printer.log()).finish();
    // Only fails when another subscriber is there, and then that one logs.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Help pages are an interface: a change of one is a change of its snapshot
    /// (`COFFERDAM_BLESS=1 cargo test help_pages` writes them).
    #[test]
    fn help_pages_are_as_documented() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/help");
        let mut cli = usage::for_people(Cli::command()).term_width(100);
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
