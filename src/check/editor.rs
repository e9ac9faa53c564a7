//! The same check for a text that somebody is writing.

use std::path::Path;
use std::time::SystemTime;

use cofferdam_frontend::day::Day;
use cofferdam_frontend::policy::{AskedLevels, Finding};

use super::project::Projects;
use super::{Asked, one};
use crate::error::Error;

/// What is reported of a text as the file at `path`, under the configuration of that place; `None`
/// is a text that was never saved.
pub fn text(path: Option<&Path>, bytes: &[u8]) -> Result<Vec<Finding>, Error> {
    let asked = Asked {
        paths: Vec::new(),
        levels: AskedLevels::default(),
        fix: None,
        dry_run: false,
        baseline: None,
        write_baseline: false,
        today: Day::of(SystemTime::now()),
    };
    one::findings(&asked, &Projects::new(&asked), path, bytes)
}
