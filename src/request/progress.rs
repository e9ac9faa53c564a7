//! `--progress` and `--quiet`.

use super::environment::Environment;
use crate::error::Error;
use crate::report::progress::settings::{ProgressMode, ProgressSettings, UnknownMode};

/// What is shown while a build goes on, and printed at its end.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) settings: ProgressSettings,
    /// Whether standard output gets the image's ID.
    pub(super) print_id: bool,
    /// Complaints about variables.
    pub(super) notices: Vec<String>,
}

/// Reads the flags; `BUILDKIT_PROGRESS` counts only where they leave the choice, as with buildx.
pub(super) fn read(
    typed: Option<&str>,
    quiet: bool,
    debug: bool,
    environment: &Environment,
) -> Result<Progress, Error> {
    let known = |name: &str, error: &UnknownMode| Error::usage(format!("{name}: {error}"));
    let mode: ProgressMode =
        typed.unwrap_or_default().parse().map_err(|error| known("--progress", &error))?;
    let silent = matches!(mode, ProgressMode::Auto | ProgressMode::Quiet | ProgressMode::None);
    if quiet && !silent {
        return Err(Error::usage_hint(
            format!("--progress={} and --quiet cannot be used together", typed.unwrap_or_default()),
            "leave one of them out",
        ));
    }
    // With buildx, `--progress quiet` prints the ID as `-q` does, and `none` is what is quiet.
    let print_id = quiet || mode == ProgressMode::Quiet;
    let mode = if quiet { ProgressMode::Quiet } else { mode };
    let (settings, notices) = ProgressSettings::new(mode, debug, |name| environment.var(name))
        .map_err(|error| known("BUILDKIT_PROGRESS", &error))?;
    Ok(Progress { settings, print_id, notices })
}
