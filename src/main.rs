//! `cofferdam`: parse, run, exit code.

use std::process::ExitCode;

use cofferdam::cli;

fn main() -> ExitCode {
    // A crash must not write secrets to disk.
    cofferdam::hygiene::no_core_dumps();
    ExitCode::from(cli::run(std::env::args_os()))
}
