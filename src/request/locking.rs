//! `cofferdam lock`: what is to be locked, and what is to be done with it.

use std::ffi::OsString;
use std::path::PathBuf;

use super::flags::{
    AttestFlags, BuilderFlags, IdentityFlags, InputFlags, LegacyFlags, OutputFlags, RunFlags,
};
use super::{
    BuildFlags, BuildRequest, ConnectionFlags, Context, DockerfileSource, Environment, LockFlags,
    dockerfile,
};
use crate::error::Error;

/// What git needs to reach a repository as its user does, and no more.
const GIT_ENVIRONMENT: [&str; 18] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// One call of `cofferdam lock`.
#[derive(Debug)]
pub struct LockRequest {
    /// The build that the lock is for.
    pub build: BuildRequest,
    /// The Dockerfile, unless it came through standard input.
    pub dockerfile: Option<PathBuf>,
    /// What becomes of the answer.
    pub action: LockAction,
    /// What is resolved although it is locked.
    pub upgrade: Upgrade,
    /// Whether entries go that this Dockerfile does not name, whoever else may.
    pub prune: bool,
    /// Whether an engine is asked first.
    pub ask_engine: bool,
    /// How it is told.
    pub format: LockFormat,
    /// The platform of this machine.
    pub here: String,
    /// git's environment: nothing else of ours is its business.
    pub git_environment: Vec<(OsString, OsString)>,
}

/// What becomes of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockAction {
    /// The lock is written.
    Write,
    /// Nothing is written; a lock that would change is a failure.
    Check,
    /// Nothing is written.
    Diff,
    /// The Dockerfile is written.
    Dockerfile,
}

/// What is resolved although it is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Nothing.
    None,
    /// Everything.
    All,
    /// What is named.
    Named(Vec<String>),
}

/// How it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LockFormat {
    /// Lines for people.
    Text,
    /// One JSON object.
    Json,
}

/// Reads what was typed.
pub fn lock(
    flags: LockFlags,
    connection: &ConnectionFlags,
    environment: &Environment,
) -> Result<LockRequest, Error> {
    let LockFlags {
        context,
        file,
        target,
        platforms,
        build_args,
        build_contexts,
        upgrade,
        check,
        diff,
        write_dockerfile,
        prune,
        no_engine,
        format,
        builder,
    } = flags;
    let elsewhere = || {
        Error::usage_hint(
            "cofferdam lock reads Dockerfiles of this machine",
            "name a directory, or a Dockerfile with -f FILE; a build locks what a remote context names",
        )
    };
    let place = match Context::read(&context) {
        Ok(place @ Context::Dir(_)) => place,
        Ok(_) => return Err(elsewhere()),
        Err(error) if !upgrade.is_empty() && context != "." => {
            let hint = format!("to upgrade one entry, write --upgrade={}", context.display());
            return Err(Error::usage_hint(error.to_string(), hint));
        }
        Err(error) => return Err(error),
    };
    let dockerfile = DockerfileSource::path(file.as_deref(), &place).map(dockerfile::beside);
    let identity = IdentityFlags { file, target, platforms, ..IdentityFlags::default() };
    let inputs = InputFlags { build_args, build_contexts, ..InputFlags::default() };
    let build = BuildFlags {
        context,
        identity,
        inputs,
        output: OutputFlags::default(),
        run: RunFlags::default(),
        attest: AttestFlags::default(),
        legacy: LegacyFlags::default(),
        builder: BuilderFlags { builder, debug: None },
    };
    let build = super::read(build, connection, environment)?;
    if build.dockerfile.text().is_none() {
        return Err(elsewhere());
    }
    if write_dockerfile && dockerfile.is_none() {
        return Err(Error::usage_hint(
            "--write-dockerfile: the Dockerfile came through standard input",
            "name the file with -f FILE",
        ));
    }
    let action = match (check, diff, write_dockerfile) {
        (true, _, _) => LockAction::Check,
        (_, true, _) => LockAction::Diff,
        (_, _, true) => LockAction::Dockerfile,
        _ => LockAction::Write,
    };
    let upgrade = match upgrade.iter().any(String::is_empty) {
        true => Upgrade::All,
        false if upgrade.is_empty() => Upgrade::None,
        false => Upgrade::Named(upgrade),
    };
    let git_environment = GIT_ENVIRONMENT
        .into_iter()
        .filter_map(|name| Some((name.into(), environment.os_var(name)?)))
        .collect();
    Ok(LockRequest {
        build,
        dockerfile,
        action,
        upgrade,
        prune,
        ask_engine: !no_engine,
        format,
        here: here(),
        git_environment,
    })
}

/// The platform of Linux containers on this machine.
pub(super) fn here() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    };
    format!("linux/{architecture}")
}
