//! `cofferdam check`: what rules have against Dockerfiles, without an engine and without a network.
//!
//! Paths become files ([`collect`]), each is looked at on some core ([`one`]) under the configuration
//! of its project ([`project`]); the report is plain data that `report::findings` writes out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cofferdam_frontend::day::Day;
use cofferdam_frontend::policy::{AskedLevels, Safety};

use crate::error::Error;
use crate::report::findings::{Checked, CheckedFile, Row};

pub mod baseline;
mod collect;
mod diff;
mod editor;
mod one;
mod project;
mod rewrite;
mod row;

pub use diff::unified;
pub use editor::text;

/// Stands for standard input.
const STDIN: &str = "-";
/// Largest Dockerfile that is read, in bytes; a build takes no larger one.
const MAX_SIZE: u64 = 64 << 20;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Files, directories, `-`.
    pub paths: Vec<OsString>,
    /// How findings weigh, above what projects say.
    pub levels: AskedLevels,
    /// Which findings are mended.
    pub fix: Option<Safety>,
    /// Whether files are left alone, and the change is shown.
    pub dry_run: bool,
    /// Findings that were there before.
    pub baseline: Option<PathBuf>,
    /// Whether that file is written anew.
    pub write_baseline: bool,
    /// The day on which exceptions and ignores end.
    pub today: Day,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is reported.
    pub checked: Checked,
    /// What is worth a line beside the report.
    pub notices: Vec<String>,
    /// Files that could not be read or written.
    pub failures: Vec<String>,
    /// Files that were mended, or would be.
    pub mended: Vec<Mended>,
    /// Standard input after its fixes.
    stdin: Vec<u8>,
}

impl Outcome {
    /// What standard input becomes by its fixes.
    pub fn text_of_stdin(&self) -> &[u8] {
        &self.stdin
    }
}

/// A file before and after its fixes.
#[derive(Debug)]
pub struct Mended {
    /// As the user would write it.
    pub name: String,
    /// Before.
    pub old: Vec<u8>,
    /// After.
    pub new: Vec<u8>,
}

/// Checks, and mends what is to be mended.
pub fn run(asked: &Asked) -> Result<Outcome, Error> {
    let baseline = match &asked.baseline {
        Some(path) if !asked.write_baseline => Some(baseline::Baseline::read(path)?),
        _ => None,
    };
    let found = collect::collect(asked)?;
    let mut outcome = Outcome { notices: found.notices, ..Outcome::default() };
    let mut expired: Vec<CheckedFile> = Vec::new();
    for result in found.files {
        for ended in result.expired {
            match expired.iter_mut().find(|known| known.name == ended.name) {
                // Files share their configuration, which is told once.
                Some(known) => {
                    let new = |row: &Row| !known.rows.contains(row);
                    let new: Vec<Row> = ended.rows.into_iter().filter(new).collect();
                    known.rows.extend(new);
                }
                None => expired.push(ended),
            }
        }
        outcome.failures.extend(result.failure);
        outcome.mended.extend(result.mended);
        outcome.stdin.extend(result.stdin);
        outcome.checked.names.extend(result.read);
        outcome.checked.fixed += result.fixed;
        outcome.checked.silenced += result.silenced;
        outcome.checked.files.extend(result.file);
    }
    outcome.checked.files.extend(expired);
    if let (Some(path), true) = (&asked.baseline, asked.write_baseline) {
        let count = baseline::write(path, &mut outcome.checked)?;
        outcome.notices.push(format!("{}: {count} findings", path.display()));
    }
    if let Some(baseline) = baseline {
        let stale = baseline.subtract(&mut outcome.checked);
        outcome.notices.extend(stale);
    }
    Ok(outcome)
}

/// A path as people write it: without `./` in front.
fn shown(path: &Path) -> String {
    let plain = path.strip_prefix(".").unwrap_or(path);
    let plain = if plain.as_os_str().is_empty() { path } else { plain };
    plain.display().to_string()
}
