//! Putting ourselves where `docker build` stands, and taking ourselves away again.

use std::path::{Path, PathBuf};

use super::json::alias;
use super::state::{Alias, State};
use super::step::{self, Step};
use super::{NAME, PLUGIN, SHIM, programs};
use crate::error::Error;

/// Docker's own mode of its directory.
const PRIVATE: u32 = 0o700;
const PUBLIC: u32 = 0o755;

/// What to install.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Docker's configuration directory.
    pub config_dir: PathBuf,
    /// The program to link to; it is this program.
    pub program: PathBuf,
    /// Whether to copy it instead.
    pub copy: bool,
    /// A directory for a `docker` that stands in front of Docker's.
    pub shim: Option<PathBuf>,
}

/// The steps of an installation; none when everything is there.
pub fn install(wanted: &Wanted) -> Result<Vec<Step>, Error> {
    let Wanted { config_dir, program, copy, shim } = wanted;
    let mut state = State::read(config_dir)?;
    let mut made = Vec::new();
    let mut steps = Vec::new();

    let plugins = config_dir.join(programs::PLUGINS);
    made.extend(missing(config_dir).map(|path| (path, PRIVATE)));
    made.extend((!plugins.exists()).then(|| (plugins.clone(), PUBLIC)));
    let plugin = plugins.join(PLUGIN);
    if !is_in_place(&plugin, program, *copy) {
        may_replace(&plugin, state.plugin.as_ref() == Some(&plugin))?;
        steps.push(place(&plugin, program, *copy));
    }
    state.plugin = Some(plugin);

    if let Some((change, new)) = set_alias(&config_dir.join("config.json"))? {
        steps.push(change);
        state.alias = Some(new);
    }

    if let Some(directory) = shim {
        let at = directory.join(SHIM);
        if !is_in_place(&at, program, *copy) {
            may_replace(&at, state.shims.contains(&at))?;
            made.extend(missing(directory).map(|path| (path, PUBLIC)));
            steps.push(place(&at, program, *copy));
        }
        if !state.shims.contains(&at) {
            state.shims.push(at);
        }
    }

    for (path, _) in &made {
        if !state.directories.contains(path) {
            state.directories.push(path.clone());
        }
    }
    // What is to be undone is written down before it is done.
    let mut all: Vec<Step> =
        made.into_iter().map(|(path, mode)| Step::Directory { path, mode }).collect();
    all.extend(write_state(config_dir, &state)?);
    all.extend(steps);
    Ok(all)
}

/// The steps that take an installation back; none when there is none.
pub fn uninstall(config_dir: &Path) -> Result<Vec<Step>, Error> {
    let state = State::read(config_dir)?;
    let mut steps = Vec::new();
    steps.extend(restore_alias(&config_dir.join("config.json"), state.alias.as_ref())?);
    let remove = |path: &PathBuf| {
        let told = Some(format!("remove {}", path.display()));
        Step::Remove { path: path.clone(), told }
    };
    let plugin = config_dir.join(programs::PLUGINS).join(PLUGIN);
    let known = state.plugin.as_ref() == Some(&plugin);
    if plugin.symlink_metadata().is_ok() && (known || programs::is_ours(&plugin)) {
        steps.push(remove(&plugin));
    }
    // Somebody may have put another program there.
    let ours = |path: &&PathBuf| path.is_symlink() || programs::is_ours(path);
    steps.extend(state.shims.iter().filter(ours).map(remove));
    if !state.is_empty() {
        steps.push(Step::Remove { path: State::path(config_dir), told: None });
    }
    let directories = state.directories.iter().rev().cloned();
    steps.extend(directories.map(|path| Step::RemoveEmpty { path }));
    Ok(steps)
}

/// How the program is best named in a link: by its place in the search path, which outlives an
/// upgrade, else by where it is.
pub fn program(search: &std::ffi::OsStr) -> Result<PathBuf, Error> {
    let this = std::env::current_exe().map_err(Error::io("find this program"))?;
    let directories = std::env::split_paths(search).filter(|directory| directory.is_absolute());
    let found = directories
        .map(|directory| directory.join(NAME))
        .find(|path| path.canonicalize().is_ok_and(|whole| whole == this));
    Ok(found.unwrap_or(this))
}

/// The first `docker` of a search path, whatever it is.
pub fn first_docker(search: &std::ffi::OsStr) -> Option<PathBuf> {
    let found = std::env::split_paths(search).map(|directory| directory.join(SHIM));
    found.into_iter().find(|path| programs::is_program(path))
}

fn place(at: &Path, program: &Path, copy: bool) -> Step {
    let (at, program) = (at.to_path_buf(), program.to_path_buf());
    if copy { Step::Copy { at, from: program } } else { Step::Link { at, to: program } }
}

fn is_in_place(at: &Path, program: &Path, copy: bool) -> bool {
    let linked = std::fs::read_link(at).ok();
    match (copy, linked) {
        (false, Some(target)) => target == program,
        (true, Some(_)) => false,
        // The program that is running: it cannot be linked to itself.
        (false, None) => {
            at.canonicalize().is_ok_and(|whole| Ok(whole) == program.canonicalize().map_err(drop))
        }
        (true, None) => programs::is_ours(at),
    }
}

/// Links and what we made may be replaced; other people's programs may not.
fn may_replace(at: &Path, ours: bool) -> Result<(), Error> {
    let docker = at.file_name().is_some_and(|name| name == SHIM);
    match at.symlink_metadata() {
        Ok(found) if ours || programs::is_ours(at) || (found.is_symlink() && !docker) => Ok(()),
        Ok(_) => Err(Error::usage_hint(
            format!("{} is there already and is not ours", at.display()),
            if docker {
                "name a directory of its own, which stands before Docker's in PATH"
            } else {
                "move it away, and install again"
            },
        )),
        Err(_) => Ok(()),
    }
}

/// The directories that have to be made for this one, outermost first.
fn missing(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let missing = directory.ancestors().take_while(|path| !path.as_os_str().is_empty());
    let mut missing: Vec<PathBuf> =
        missing.take_while(|path| !path.exists()).map(Path::to_path_buf).collect();
    missing.reverse();
    missing.into_iter()
}

fn write_state(config_dir: &Path, state: &State) -> Result<Option<Step>, Error> {
    let path = State::path(config_dir);
    let before = step::read(&path).map_err(Error::io(format!("read {}", path.display())))?;
    let after = state.bytes();
    let same = before.as_ref() == Some(&after);
    Ok((!same).then_some(Step::Write { path, before, after, told: None }))
}

fn read_config(path: &Path) -> Result<Option<String>, Error> {
    let bytes = step::read(path).map_err(Error::io(format!("read {}", path.display())))?;
    let text = bytes.map(String::from_utf8).transpose();
    text.map_err(|_| damaged(path, "it is not UTF-8"))
}

fn damaged(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::usage_hint(
        format!("{} is not Docker's configuration: {why}; nothing was changed", path.display()),
        "mend the file, or point DOCKER_CONFIG elsewhere",
    )
}

fn set_alias(path: &Path) -> Result<Option<(Step, Alias)>, Error> {
    let text = read_config(path)?;
    let old = text.as_deref().unwrap_or_default();
    let wrong = |error| damaged(path, error);
    let before = alias::get(old).map_err(wrong)?;
    let Some(change) = alias::set(old, NAME).map_err(wrong)? else { return Ok(None) };
    let after = change.apply(old).ok_or_else(|| damaged(path, "it cannot be edited"))?;
    let instead = before.as_ref().map(|name| format!(" (it was {name})")).unwrap_or_default();
    let told = format!("set aliases.builder to {NAME}{instead} in {}", path.display());
    let step = write_config(path, text.as_ref(), after, told);
    Ok(Some((step, Alias { created: text.is_none(), change, before })))
}

fn write_config(path: &Path, before: Option<&String>, after: String, told: String) -> Step {
    Step::Write {
        path: path.to_path_buf(),
        before: before.map(|text| text.clone().into_bytes()),
        after: after.into_bytes(),
        told: Some(told),
    }
}

/// Takes the alias back: the very change where it still stands, else what it means now.
fn restore_alias(path: &Path, done: Option<&Alias>) -> Result<Option<Step>, Error> {
    let Some(text) = read_config(path)? else { return Ok(None) };
    let wrong = |error| damaged(path, error);
    // Somebody else's alias is not ours to take away.
    if alias::get(&text).map_err(wrong)?.as_deref() != Some(NAME) {
        return Ok(None);
    }
    let before = done.and_then(|done| done.before.as_deref());
    let told = match before {
        Some(before) => format!("set aliases.builder back to {before} in {}", path.display()),
        None => format!("remove aliases.builder from {}", path.display()),
    };
    let undone = done.and_then(|done| done.change.undo(&text));
    if undone.as_deref() == Some("") && done.is_some_and(|done| done.created) {
        let told = Some(format!("remove {}, which only held the alias", path.display()));
        return Ok(Some(Step::Remove { path: step::followed(path), told }));
    }
    let faithful = |undone: &String| alias::differ_by_alias_only(undone, &text, before);
    let after = match undone.filter(faithful) {
        Some(undone) => undone,
        None => {
            let change = match before {
                Some(before) => alias::set(&text, before).map_err(wrong)?,
                None => alias::remove(&text).map_err(wrong)?,
            };
            let after = change.and_then(|change| change.apply(&text));
            after.ok_or_else(|| damaged(path, "it cannot be edited"))?
        }
    };
    Ok(Some(write_config(path, Some(&text), after, told)))
}

#[cfg(test)]
mod tests;
