//! Standing where `docker build` stood: as a plugin of the Docker CLI, behind its alias for builds,
//! and as a `docker` of its own in front of it.
//!
//! One program has all three names; which one it was called by decides. What is not ours goes to
//! Docker unchanged.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde_json::json;

use crate::error::Error;
use crate::request::Environment;

mod complete;
mod globals;
mod hand_over;
pub mod install;
mod json;
mod programs;
mod socket;
mod state;
mod step;

use hand_over::Surroundings;
pub use step::Step;

/// Our name as a plugin: a lower-case word.
const NAME: &str = "cofferdam";
/// The file that the Docker CLI looks for.
const PLUGIN: &str = "docker-cofferdam";
/// The file that stands in front of the Docker CLI.
const SHIM: &str = "docker";
/// Variable in which the Docker CLI tells its plugins how it was called.
const CALLER: &str = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND";

/// What a call turned out to be.
#[derive(Debug)]
pub enum Call {
    /// A command line of ours, the program's name first.
    Ours(Vec<OsString>),
    /// Something to print.
    Print(Vec<u8>),
    /// Somebody else's command ran and ended so.
    Ended(u8),
}

/// Finds out what a command line means, by the name of the program and by what Docker puts around
/// it; `command` are our own commands. Does not return when the command is Docker's.
pub fn called(
    args: Vec<OsString>,
    environment: &Environment,
    command: impl Fn() -> clap::Command,
) -> Result<Call, Error> {
    let name = args.first().and_then(|name| Path::new(name).file_name()).map(OsStr::to_owned);
    let rest = args.get(1..).unwrap_or_default();
    match name.as_ref().and_then(|name| name.to_str()) {
        Some(PLUGIN) => as_plugin(rest, environment, command),
        Some(SHIM) => as_shim(rest, environment),
        _ => as_ourselves(args, environment, command),
    }
}

/// Called by our own name, perhaps in the place of `docker`, as with `make DOCKER=cofferdam`: builds
/// in all their spellings are ours, and commands that only Docker has go on to it.
fn as_ourselves(
    args: Vec<OsString>,
    environment: &Environment,
    command: impl Fn() -> clap::Command,
) -> Result<Call, Error> {
    let rest = args.get(1..).unwrap_or_default();
    let word = globals::DOCKER.split(rest).and_then(|(_, rest)| rest.first());
    let Some(word) = word.and_then(|word| word.to_str()) else { return Ok(Call::Ours(args)) };
    if word != "build"
        && let Some((flags, of_buildx, rest)) = build(rest)
    {
        let mut words = vec![OsString::from("build")];
        words.extend(of_buildx.iter().chain(rest).cloned());
        return Ok(ours(flags, &words));
    }
    let command = command();
    let ours = command.find_subcommand(word).is_some() || word == "help" || word.starts_with('-');
    if ours || command.get_subcommands().any(|known| is_slip_of(word, known.get_name())) {
        return Ok(Call::Ours(args));
    }
    let around = surroundings(environment, &[]);
    if !hand_over::has_docker(&around) {
        // Our own words about an unknown command help more than that there is no Docker.
        return Ok(Call::Ours(args));
    }
    Err(hand_over::docker(&around, rest))
}

/// Whether a word is a known one with two neighbours swapped, or with a letter too many, too few or
/// wrong; no command of Docker is that near to one of ours.
fn is_slip_of(word: &str, known: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (word.chars().collect(), known.chars().collect());
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    match (a, b) {
        ([a1, a2, a @ ..], [b1, b2, b @ ..]) if a1 == b2 && a2 == b1 => a == b,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, a @ ..], b) if a == b => true,
        (a, [_, b @ ..]) if a == b => true,
        _ => false,
    }
}

/// Called by the Docker CLI: `docker-cofferdam [FLAGS] cofferdam …`, where `…` is what stood behind
/// `docker cofferdam` or, through the alias, behind `docker builder`.
fn as_plugin(
    args: &[OsString],
    environment: &Environment,
    command: impl Fn() -> clap::Command,
) -> Result<Call, Error> {
    match args.first().and_then(|word| word.to_str()) {
        Some("docker-cli-plugin-metadata") => return Ok(Call::Print(metadata())),
        Some(word @ ("__complete" | "__completeNoDesc")) => {
            let words = args.get(1..).unwrap_or_default();
            return Ok(Call::Print(complete::answer(&mut command(), words, word == "__complete")));
        }
        // `docker help cofferdam`.
        Some("help") if args.get(1).is_some_and(|word| word == NAME) => {
            let mut words = args.get(2..).unwrap_or_default().to_vec();
            words.push("--help".into());
            return Ok(ours(&[], &words));
        }
        _ => {}
    }
    let plugin = globals::DOCKER.split(args).and_then(|(flags, rest)| match rest.split_first() {
        Some((name, rest)) if name == NAME => Some((flags, rest)),
        _ => None,
    });
    // Somebody typed `docker-cofferdam build …` himself.
    let Some((flags, rest)) = plugin else { return Ok(ours(&[], args)) };
    let known = |word: &OsString| {
        word.as_encoded_bytes().starts_with(b"-") || command().find_subcommand(word).is_some()
    };
    if rest.first().is_none_or(known) {
        if let Some(address) = environment.var(socket::VARIABLE) {
            socket::watch(&address);
        }
        return Ok(ours(flags, rest));
    }
    let around = surroundings(environment, flags);
    let before = state::alias_before(&around.config_dir);
    hand_over::builder(&around, before.as_deref(), flags, rest).map(Call::Ended)
}

/// Called as `docker`: builds are ours, in all their spellings.
fn as_shim(args: &[OsString], environment: &Environment) -> Result<Call, Error> {
    match build(args) {
        Some((flags, of_buildx, rest)) => {
            let mut words = vec![OsString::from("build")];
            words.extend(of_buildx.iter().chain(rest).cloned());
            Ok(ours(flags, &words))
        }
        None => Err(hand_over::docker(&surroundings(environment, &[]), args)),
    }
}

/// Docker's flags, buildx's, and what follows the word `build`.
type Build<'a> = (&'a [OsString], &'a [OsString], &'a [OsString]);

/// Takes `docker [FLAGS] build …` apart, `image build`, `builder build` and `buildx build` too.
fn build(args: &[OsString]) -> Option<Build<'_>> {
    let (flags, rest) = globals::DOCKER.split(args)?;
    let (first, rest) = rest.split_first()?;
    match first.to_str()? {
        "build" => Some((flags, &[], rest)),
        "image" => Some((flags, &[], rest.split_first().filter(|(word, _)| *word == "build")?.1)),
        "builder" | "buildx" => {
            let (of_buildx, rest) = globals::BUILDX.split(rest)?;
            let (_, rest) =
                rest.split_first().filter(|(word, _)| *word == "build" || *word == "b")?;
            Some((flags, of_buildx, rest))
        }
        _ => None,
    }
}

fn ours(flags: &[OsString], words: &[OsString]) -> Call {
    let name = std::iter::once(OsString::from(NAME));
    Call::Ours(name.chain(flags.iter().chain(words).cloned()).collect())
}

fn surroundings(environment: &Environment, flags: &[OsString]) -> Surroundings {
    Surroundings {
        search: environment.os_var("PATH").unwrap_or_default(),
        config_dir: environment.docker_config_dir(globals::value(flags, "config")),
        caller: environment.os_var(CALLER),
        passed: environment.os_var(hand_over::PASSED),
    }
}

/// What the Docker CLI wants to know before it calls a plugin; source: docker/cli,
/// cli-plugins/metadata/metadata.go.
fn metadata() -> Vec<u8> {
    let metadata = json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "Cofferdam",
        "Version": env!("CARGO_PKG_VERSION"),
        "ShortDescription": "Build an image that can be trusted, where docker build stood",
        "URL": "https://github.com/cofferdam/cofferdam",
    });
    format!("{metadata:#}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn commands() -> clap::Command {
        clap::Command::new("cofferdam").subcommand(clap::Command::new("build"))
    }

    /// What our own command line becomes; `None` when the call is not one.
    fn ours_of(line: &str) -> Option<String> {
        match called(words(line), &Environment::default(), commands) {
            Ok(Call::Ours(args)) => Some(args.join(OsStr::new(" ")).into_string().unwrap()),
            _ => None,
        }
    }

    #[test]
    fn our_own_name_changes_nothing() {
        let line = "/usr/bin/cofferdam build -t a .";
        assert_eq!(ours_of(line).as_deref(), Some(line));
        assert_eq!(ours_of("").as_deref(), Some(""));
    }

    #[test]
    fn every_spelling_of_build_is_ours_and_a_slip_is_no_command_of_docker() {
        for (line, expected) in [
            ("image build -t a .", "build -t a ."),
            ("-D buildx --builder b build .", "-D build --builder b ."),
            ("builder build .", "build ."),
            ("buildx b .", "build ."),
            ("biuld .", "biuld ."),
            ("buil .", "buil ."),
            ("buildd .", "buildd ."),
            ("instal", "instal"),
            ("provenance a", "provenance a"),
            ("--version", "--version"),
            ("help", "help"),
        ] {
            let expected = format!("cofferdam {expected}");
            assert_eq!(ours_of(&format!("cofferdam {line}")), Some(expected), "{line}");
        }
        for word in
            ["push", "tag", "run", "image", "images", "manifest", "bake", "compose", "commit"]
        {
            assert!(
                !commands().get_subcommands().any(|c| is_slip_of(word, c.get_name())),
                "{word}"
            );
        }
    }

    #[test]
    fn the_cli_puts_its_flags_in_front_of_our_name() {
        for (line, expected) in [
            ("cofferdam build .", "cofferdam build ."),
            ("--context x -D cofferdam build -q .", "cofferdam --context x -D build -q ."),
            ("--config cofferdam cofferdam build .", "cofferdam --config cofferdam build ."),
            ("cofferdam", "cofferdam"),
            ("cofferdam --help", "cofferdam --help"),
            ("build .", "cofferdam build ."),
            ("--version", "cofferdam --version"),
            ("help cofferdam build", "cofferdam build --help"),
        ] {
            let line = format!("/x/cli-plugins/docker-cofferdam {line}");
            assert_eq!(ours_of(&line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn metadata_is_what_the_cli_reads() {
        let call = called(
            words("docker-cofferdam docker-cli-plugin-metadata"),
            &Environment::default(),
            commands,
        );
        let Ok(Call::Print(bytes)) = call else { panic!("{call:?}") };
        let metadata: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(metadata["SchemaVersion"], "0.1.0");
        assert!(["Vendor", "Version", "ShortDescription"].iter().all(|key| metadata[key] != ""));
    }

    #[test]
    fn the_shim_takes_builds_and_nothing_else() {
        for (line, expected) in [
            ("build -t a .", Some("build -t a .")),
            ("-H tcp://h:1 build .", Some("-H tcp://h:1 build .")),
            ("image build .", Some("build .")),
            ("builder build --no-cache .", Some("build --no-cache .")),
            ("-c x buildx --builder b build .", Some("-c x build --builder b .")),
            ("buildx b .", Some("build .")),
            ("build --help", Some("build --help")),
            ("run build", None),
            ("image ls build", None),
            ("image", None),
            ("buildx bake build", None),
            ("buildx --help build", None),
            ("builder prune", None),
            ("compose build", None),
            ("help build", None),
            ("--help build", None),
            ("--version", None),
            ("", None),
        ] {
            let args = words(line);
            let found = build(&args).map(|(flags, of_buildx, rest)| {
                let words = flags.iter().cloned().chain([OsString::from("build")]);
                let words = words.chain(of_buildx.iter().cloned()).chain(rest.iter().cloned());
                words.collect::<Vec<_>>().join(OsStr::new(" ")).into_string().unwrap()
            });
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }
}
