//! `cofferdam check`: Dockerfiles against the rules.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use cofferdam_frontend::day::Day;
use cofferdam_frontend::policy::Safety;

use super::levels::LevelFlags;
use crate::check::{self, Asked, Outcome};
use crate::error::{Error, exit};
use crate::record::atomic;
use crate::report::findings::Format;
use crate::report::printer::Printer;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam check
  cofferdam check --fix docker/app.Dockerfile
  cofferdam check --format sarif --output findings.sarif .

Exit codes: 0 nothing denied, 1 bad usage or a file that cannot be read, 3 denied")]
pub(crate) struct CheckArgs {
    /// Files, directories, or - for standard input [default: .]
    #[arg(value_name = "PATH")]
    paths: Vec<OsString>,
    /// human, json, sarif, junit, github or gitlab
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_default_value = true,
          value_parser = format)]
    format: Format,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Mend what can be mended without doubt; =unsafe also what somebody has to look at
    #[arg(long, value_name = "unsafe", num_args = 0..=1, require_equals = true,
          default_missing_value = "safe", value_parser = safety)]
    fix: Option<Safety>,
    /// Show what --fix would change, as a diff, and write nothing
    #[arg(long)]
    diff: bool,
    /// Report only what this file does not know
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write all present findings to the baseline
    #[arg(long, requires = "baseline")]
    write_baseline: bool,
    #[command(flatten)]
    levels: LevelFlags,
}

impl CheckArgs {
    /// Checks, reports, and says what the shell gets.
    pub(crate) fn run(self, printer: &Printer) -> Result<u8, Error> {
        let Self { paths, format, output, fix, diff, baseline, write_baseline, levels } = self;
        let stdin = paths.iter().any(|path| path == "-");
        if stdin && paths.len() > 1 {
            return Err(Error::usage_hint(
                "standard input and files cannot be checked together",
                "check - alone",
            ));
        }
        // A diff without a word about what to mend is about what is safe.
        let fix = fix.or(diff.then_some(Safety::Safe));
        let asked = Asked {
            paths: if paths.is_empty() { vec![".".into()] } else { paths },
            levels: levels.asked(),
            fix,
            dry_run: diff || stdin,
            baseline,
            write_baseline,
            today: Day::of(SystemTime::now()),
        };
        let outcome = check::run(&asked)?;
        let stdout_taken = diff || (stdin && fix.is_some());
        if diff {
            let changes: Vec<u8> = outcome.mended.iter().flat_map(check::unified).collect();
            printer.stdout(&changes)?;
        } else if stdin && fix.is_some() {
            printer.stdout(outcome.text_of_stdin())?;
        }
        report(&outcome, format, output.as_deref(), stdout_taken, printer)?;
        Ok(match outcome.checked.denied() {
            0 if outcome.failures.is_empty() => exit::DONE,
            0 => exit::FAILED,
            _ => exit::REFUSED,
        })
    }
}

/// Writes the report where it belongs: a file, standard output, or beside what stands there.
fn report(
    outcome: &Outcome,
    format: Format,
    output: Option<&std::path::Path>,
    stdout_taken: bool,
    printer: &Printer,
) -> Result<(), Error> {
    outcome.notices.iter().chain(&outcome.failures).for_each(|notice| printer.notice(notice));
    let checked = &outcome.checked;
    let bytes = |style| {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail.
        let _ = checked.write(format, style, &mut bytes);
        bytes
    };
    let summary = |style| format!("{}\n", checked.summary(style)).into_bytes();
    match output {
        Some(file) => {
            let plain = bytes(crate::report::style::Style::PLAIN);
            let failed = Error::io(format!("write {}", file.display()));
            atomic::write(file, &plain).map_err(failed)?;
            printer.stderr_report(summary);
        }
        None if stdout_taken => printer.stderr_report(bytes),
        None => printer.stdout(&bytes(printer.stdout_style()))?,
    }
    Ok(())
}

fn format(text: &str) -> Result<Format, String> {
    let known = Format::ALL.into_iter().find(|(_, name)| *name == text);
    let names = || Format::ALL.map(|(_, name)| name).join(", ");
    known.map(|(format, _)| format).ok_or_else(|| format!("formats are {}", names()))
}

fn safety(text: &str) -> Result<Safety, String> {
    match text {
        "safe" => Ok(Safety::Safe),
        "unsafe" => Ok(Safety::Unsafe),
        _ => Err("write --fix or --fix=unsafe".into()),
    }
}
