//! A command line that cannot be read, told as everything else is; and help without clutter.

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

use crate::error::Error;

/// What is wrong with a call of `command`, and what to type instead.
pub(super) fn explain(error: &clap::Error, command: Option<&str>) -> Error {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let given = of(ContextKind::InvalidArg).unwrap_or_default();
    // `--tag <NAME>` is the flag with what it takes.
    let flag = given.split([' ', '[']).next().unwrap_or_default();
    let (message, hint) = match error.kind() {
        ErrorKind::UnknownArgument if given.starts_with('-') => {
            let hint = of(ContextKind::SuggestedArg).map(|known| format!("did you mean {known}?"));
            (format!("unknown flag: {given}"), hint)
        }
        ErrorKind::UnknownArgument if command != Some("build") => {
            (format!("one argument too many: {given:?}"), None)
        }
        ErrorKind::UnknownArgument => (
            format!("one argument too many: {given:?}"),
            Some(
                "build takes exactly one PATH, URL or `-`; flags may stand before or behind it"
                    .into(),
            ),
        ),
        ErrorKind::MissingRequiredArgument if given.contains("PATH | URL") => (
            "build needs exactly one argument: PATH, URL or `-`".into(),
            Some(
                "cofferdam build [OPTIONS] PATH | URL | -, for example `cofferdam build .`".into(),
            ),
        ),
        ErrorKind::InvalidValue if of(ContextKind::InvalidValue).is_none_or(|v| v.is_empty()) => {
            (format!("flag needs an argument: {flag}"), None)
        }
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let value = of(ContextKind::InvalidValue).unwrap_or_default();
            let why = std::error::Error::source(error).map(|why| format!(": {why}"));
            (format!("invalid value {value:?} for {flag}{}", why.unwrap_or_default()), None)
        }
        ErrorKind::InvalidSubcommand => {
            let name = of(ContextKind::InvalidSubcommand).unwrap_or_default();
            let hint = of(ContextKind::SuggestedSubcommand);
            (format!("unknown command: {name}"), hint.map(|known| format!("did you mean {known}?")))
        }
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            (first.trim_start_matches("error: ").to_string(), None)
        }
    };
    let see = || match command {
        Some(command) => format!("see `cofferdam {command} --help`"),
        None => "see `cofferdam --help`, `cofferdam build --help`".into(),
    };
    Error::Usage { message, hint: Some(hint.unwrap_or_else(see)) }
}

/// The commands as people read them: a switch that may also be given `=false` is shown as a switch.
pub(super) fn for_people(command: Command) -> Command {
    let command = command.mut_args(plain_switch);
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_string()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, for_people))
}

fn plain_switch(arg: Arg) -> Arg {
    if !arg.is_require_equals_set() {
        return arg;
    }
    arg.require_equals(false)
        .value_name(Resettable::Reset)
        .default_missing_value(Resettable::Reset)
        .num_args(0)
        .action(ArgAction::SetTrue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    fn told(line: &str) -> String {
        let args: Vec<std::ffi::OsString> = line.split(' ').map(Into::into).collect();
        let error = super::super::Cli::try_parse_from(&args).unwrap_err();
        let error = explain(&error, super::super::command(&args));
        format!("{error} = {}", error.hint().unwrap_or_default())
    }

    #[test]
    fn mistakes_are_named_with_what_to_type() {
        for (line, expected) in [
            ("cofferdam build --no-cash .", "unknown flag: --no-cash = did you mean --no-cache?"),
            ("cofferdam build --taget x .", "unknown flag: --taget = did you mean --target?"),
            ("cofferdam build -x .", "unknown flag: -x = see `cofferdam build --help`"),
            ("cofferdam build", "build needs exactly one argument: PATH, URL or `-`"),
            ("cofferdam build . ..", "one argument too many: \"..\""),
            ("cofferdam build . -t", "flag needs an argument: --tag"),
            (
                "cofferdam build --load=maybe .",
                "invalid value \"maybe\" for --load: it is neither true nor false",
            ),
            ("cofferdam check -x", "unknown flag: -x = see `cofferdam check --help`"),
            ("cofferdam lock a b", "one argument too many: \"b\" = see `cofferdam lock --help`"),
            ("cofferdam -H x lock -x", "unknown flag: -x = see `cofferdam lock --help`"),
            ("cofferdam --nope", "unknown flag: --nope = see `cofferdam --help`"),
            ("cofferdam biuld .", "unknown command: biuld = did you mean build?"),
        ] {
            assert!(told(line).starts_with(expected), "{line}: {}", told(line));
        }
    }

    #[test]
    fn the_shown_commands_are_consistent() {
        for_people(super::super::Cli::command()).debug_assert();
    }
}
