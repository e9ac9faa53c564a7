//! The one place that reads environment variables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::error::Error;

/// The variables that mean something to us, read on demand.
#[derive(Debug, Default)]
pub struct Environment {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Process,
    Given(BTreeMap<OsString, OsString>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Given(BTreeMap::new())
    }
}

const DIRECTORY: &str = "cofferdam";

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self { source: Source::Process }
    }

    /// These variables and no others.
    pub fn given(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self { source: Source::Given(variables.into_iter().collect()) }
    }

    /// A variable that is text.
    pub fn var(&self, name: &str) -> Option<String> {
        self.os_var(name)?.into_string().ok()
    }

    /// A variable of any bytes.
    pub fn os_var(&self, name: &str) -> Option<OsString> {
        if name.is_empty() || name.contains(['=', '\0']) {
            return None;
        }
        match &self.source {
            Source::Process => std::env::var_os(name),
            Source::Given(variables) => variables.get(OsStr::new(name)).cloned(),
        }
    }

    /// Whether this runs in CI: `CI` is set and not `false`.
    pub fn in_ci(&self) -> bool {
        self.var("CI").is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
    }

    /// Whether a variable says yes.
    pub fn flag(&self, name: &str) -> bool {
        self.var(name).is_some_and(|value| super::boolean::parse(&value) == Ok(true))
    }

    /// Whether somebody would have to look at an archive.
    pub fn stdout_is_terminal(&self) -> bool {
        crate::report::printer::stdout_is_terminal()
    }

    /// Docker's configuration directory: `--config`, else `DOCKER_CONFIG`, else `~/.docker`.
    pub fn docker_config_dir(&self, flag: Option<&OsStr>) -> PathBuf {
        let set = flag.map(OsStr::to_os_string).or_else(|| self.os_var("DOCKER_CONFIG"));
        let set = set.filter(|dir| !dir.is_empty());
        set.map_or_else(|| self.home().unwrap_or_default().join(".docker"), PathBuf::from)
    }

    /// Where records are kept: `XDG_DATA_HOME`, else `~/.local/share`.
    pub fn data_dir(&self) -> Result<PathBuf, Error> {
        self.xdg("XDG_DATA_HOME", ".local/share").ok_or_else(|| {
            Error::usage_hint("there is no place for records", "set HOME or XDG_DATA_HOME")
        })
    }

    /// Where what can be found out again is kept: `XDG_CACHE_HOME`, else `~/.cache`.
    pub fn cache_dir(&self) -> Option<PathBuf> {
        self.xdg("XDG_CACHE_HOME", ".cache")
    }

    /// Where short-lived state is kept: `XDG_STATE_HOME`, else `~/.local/state`.
    pub fn state_dir(&self) -> Option<PathBuf> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// The user's home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.os_var("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
    }

    /// The XDG base directory specification takes absolute paths only.
    fn xdg(&self, name: &str, fallback: &str) -> Option<PathBuf> {
        let set = self.os_var(name).map(PathBuf::from).filter(|path| path.is_absolute());
        Some(set.or_else(|| Some(self.home()?.join(fallback)))?.join(DIRECTORY))
    }
}
