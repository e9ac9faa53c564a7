//! Commands that are not ours and go on to Docker, as if this program did not stand in between.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::programs;
use crate::error::Error;

/// Plugin that `docker builder` means without an alias.
const BUILDX: &str = "buildx";
/// What the Docker CLI itself knows of `docker builder`.
const BUILT_IN: &str = "prune";
/// Shims that were passed in this process: its id and their paths. Programs that are started later
/// have other ids and begin anew.
pub(super) const PASSED: &str = "COFFERDAM_SHIMS_PASSED";

/// Where a command goes on.
pub(super) struct Surroundings {
    /// `PATH`.
    pub(super) search: OsString,
    /// Docker's configuration directory.
    pub(super) config_dir: PathBuf,
    /// How the Docker CLI was called that called us.
    pub(super) caller: Option<OsString>,
    /// What `PASSED` says.
    pub(super) passed: Option<OsString>,
}

/// `docker [FLAGS] …` that the shim does not take; returns only when it cannot be run.
pub(super) fn docker(around: &Surroundings, args: &[OsString]) -> Error {
    let mut passed = passed(around.passed.as_deref());
    passed.extend(std::env::current_exe());
    let Some(docker) = programs::docker(&around.search, &passed) else {
        return no_docker();
    };
    let mut variable = OsString::from(std::process::id().to_string());
    for path in &passed {
        variable.push(":");
        variable.push(path);
    }
    let error = Command::new(&docker).args(args).env(PASSED, variable).exec();
    Error::io(format!("run {}", docker.display()))(error)
}

/// Whether there is a Docker CLI to hand a command to.
pub(super) fn has_docker(around: &Surroundings) -> bool {
    let mut passed = passed(around.passed.as_deref());
    passed.extend(std::env::current_exe());
    programs::docker(&around.search, &passed).is_some()
}

/// The shims that handed this very process on.
fn passed(variable: Option<&OsStr>) -> Vec<PathBuf> {
    let Some((id, paths)) = variable.and_then(OsStr::to_str).and_then(|text| text.split_once(':'))
    else {
        return Vec::new();
    };
    if id != std::process::id().to_string() {
        return Vec::new();
    }
    paths.split(':').map(PathBuf::from).collect()
}

/// `docker builder …` and `docker bake` that an alias brought here: the plugin that had them before
/// runs in our place, and without one the Docker CLI's own commands do.
pub(super) fn builder(
    around: &Surroundings,
    before: Option<&str>,
    flags: &[OsString],
    args: &[OsString],
) -> Result<u8, Error> {
    let name = before.unwrap_or(BUILDX);
    if let Some(plugin) = programs::plugin(name, &around.config_dir) {
        let error = Command::new(&plugin).args(flags).arg(name).args(args).exec();
        return Err(Error::io(format!("run {}", plugin.display()))(error));
    }
    match args.first() {
        Some(command) if command == BUILT_IN => built_in(around, flags, args),
        command => {
            let command = command.map(|word| word.to_string_lossy().into_owned());
            Err(Error::usage_hint(
                format!(
                    "`{}` is a command of docker buildx, and there is no buildx",
                    command.unwrap_or_default()
                ),
                "install buildx (https://docs.docker.com/go/buildx/), or see `cofferdam --help`",
            ))
        }
    }
}

/// The CLI's own command, with a configuration that has no alias: the alias would lead back here.
///
/// The configuration names the engine and nothing else; credentials stay where they are.
fn built_in(around: &Surroundings, flags: &[OsString], args: &[OsString]) -> Result<u8, Error> {
    let docker = caller(around).ok_or_else(no_docker)?;
    let directory = without_alias(&around.config_dir).map_err(Error::io("make a configuration"))?;
    let mut command = Command::new(&docker);
    command.args(flags).arg("--config").arg(directory.path()).arg("builder").args(args);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    let _context = runtime.enter();
    // The directory has to go away after an interrupt, too: the child gets it and ends.
    let _interrupts = signal(SignalKind::interrupt());
    let _terminations = signal(SignalKind::terminate());
    let status = command.status().map_err(Error::io(format!("run {}", docker.display())))?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// A directory that stands for `config_dir` and has no alias.
fn without_alias(config_dir: &Path) -> std::io::Result<tempfile::TempDir> {
    let directory = tempfile::Builder::new().prefix("cofferdam-docker-").tempdir()?;
    for name in ["contexts", "ca.pem", "cert.pem", "key.pem"] {
        if let Ok(whole) = config_dir.join(name).canonicalize() {
            symlink(whole, directory.path().join(name))?;
        }
    }
    let text = std::fs::read(config_dir.join("config.json")).unwrap_or_default();
    let config: Value = serde_json::from_slice(&text).unwrap_or_default();
    let context = config.get("currentContext").and_then(Value::as_str).unwrap_or_default();
    let config = json!({ "currentContext": context });
    std::fs::write(directory.path().join("config.json"), config.to_string())?;
    Ok(directory)
}

/// The Docker CLI that called us, else the one of the search path.
fn caller(around: &Surroundings) -> Option<PathBuf> {
    let named = around.caller.as_ref().map(PathBuf::from);
    let named = named.filter(|path| path.components().count() > 1 && programs::is_program(path));
    named.filter(|path| !programs::is_ours(path)).or_else(|| programs::docker(&around.search, &[]))
}

fn no_docker() -> Error {
    Error::usage_hint(
        "there is no docker in PATH to hand this command to",
        "install the Docker CLI, or put its directory into PATH",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shims_of_this_process_were_passed() {
        let id = std::process::id();
        let of = |text: String| passed(Some(OsStr::new(&text)));
        assert_eq!(of(format!("{id}:/a/docker:/b")), ["/a/docker", "/b"].map(PathBuf::from));
        assert!(of(format!("{}:/a/docker", id + 1)).is_empty());
        assert!(of("x".into()).is_empty() && passed(None).is_empty());
    }

    #[test]
    fn the_stand_in_for_a_configuration_holds_no_credentials() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("contexts")).unwrap();
        let config = r#"{"auths":{"r":{"auth":"c2VjcmV0"}},"currentContext":"far",
            "HttpHeaders":{"X":"secret"},"aliases":{"builder":"cofferdam"}}"#;
        std::fs::write(dir.path().join("config.json"), config).unwrap();
        let stand_in = without_alias(dir.path()).unwrap();
        let text = std::fs::read_to_string(stand_in.path().join("config.json")).unwrap();
        assert_eq!(text, r#"{"currentContext":"far"}"#);
        assert!(stand_in.path().join("contexts").is_dir());
        assert!(without_alias(&dir.path().join("missing")).is_ok());
    }
}
