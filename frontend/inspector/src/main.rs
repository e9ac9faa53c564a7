//! Entry point: read the arguments, run one sub-command, set the exit code.

use std::io::Write;
use std::process::ExitCode;

use cofferdam_inspector::args::{self, Command, StripOptions};
use cofferdam_inspector::error::Failure;
use cofferdam_inspector::report::plain::{Malformed, Plain, VARIABLE, of_variable};
use cofferdam_inspector::{digest, inspect, strip};

fn main() -> ExitCode {
    match args::parse(std::env::args_os().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // The engine may have closed the stream; the exit code still tells.
            let _ = writeln!(std::io::stderr(), "cofferdam-inspector: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Strip(options) => strip::run(&StripOptions { plain: plain()?, ..options }),
        Command::Digest(options) => digest::run(&options),
        Command::Inspect(options) => {
            let out = std::io::BufWriter::new(std::io::stdout());
            inspect::run(&options, std::io::stdin().lock(), out)
        }
        Command::Version => say(concat!("cofferdam-inspector ", env!("CARGO_PKG_VERSION"))),
        Command::Help => say(args::USAGE),
    }
}

/// The directories that the environment says hold nothing to strip.
fn plain() -> Result<Vec<Plain>, Failure> {
    let value = std::env::var_os(VARIABLE).unwrap_or_default();
    let read = value.to_str().ok_or(Malformed).and_then(of_variable);
    read.map_err(|malformed| Failure::Usage(malformed.to_string()))
}

fn say(text: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{text}").map_err(Failure::Output)
}
