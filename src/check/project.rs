//! The configuration that a Dockerfile stands under, read once for each directory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_frontend::policy::{Levels, Settings};

use super::Asked;
use crate::config::{self, Config};
use crate::error::Error;

/// What a project decides.
#[derive(Debug, Default)]
pub(super) struct Project {
    /// `cofferdam.toml`, if there is one.
    pub(super) config: Option<Config>,
    pub(super) levels: Levels,
    pub(super) settings: Settings,
}

/// The projects that were met.
pub(super) struct Projects<'a> {
    asked: &'a Asked,
    by_directory: Mutex<HashMap<PathBuf, Arc<Project>>>,
    by_file: Mutex<HashMap<PathBuf, Arc<Project>>>,
}

impl<'a> Projects<'a> {
    pub(super) fn new(asked: &'a Asked) -> Self {
        Self { asked, by_directory: Mutex::default(), by_file: Mutex::default() }
    }

    /// The project of a directory.
    pub(super) fn of(&self, directory: &Path) -> Result<Arc<Project>, Error> {
        let locked = || self.by_directory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = locked().get(directory) {
            return Ok(Arc::clone(known));
        }
        let project = match config::find(directory) {
            None => Arc::new(self.project(None)),
            Some(file) => self.read(file)?,
        };
        locked().insert(directory.to_path_buf(), Arc::clone(&project));
        Ok(project)
    }

    fn read(&self, file: PathBuf) -> Result<Arc<Project>, Error> {
        let mut files = self.by_file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = files.get(&file) {
            return Ok(Arc::clone(known));
        }
        let project = Arc::new(self.project(Some(Config::read(&file)?)));
        files.insert(file, Arc::clone(&project));
        Ok(project)
    }

    fn project(&self, config: Option<Config>) -> Project {
        let levels = config.as_ref().map(Config::levels).unwrap_or_default();
        let levels = levels.under(self.asked.levels.clone());
        let registries = config.as_ref().map(|config| config.registries.clone());
        let settings = Settings {
            registries: registries.unwrap_or_default(),
            today: Some(self.asked.today),
            ..Settings::default()
        };
        Project { config, levels, settings }
    }
}
