//! Smoke tests: commands that have to work in the hardened image before anybody gets it.
//!
//! When one fails, the same command runs in the image as it was built. If it works there, stripping
//! is to blame, and halving the list of stripped files finds the one that it needs.

use std::fmt;

use bollard_buildkit_proto::pb;
use cofferdam_inspector::report::StripReport;

use super::BuildError;
use crate::bridge::{Bridge, BridgeError, Solve};
use crate::graph::{Graph, StripOp};
use crate::image_config::ImageConfig;

/// Where commands without an absolute path are looked for when the image does not say.
///
/// Source: moby/buildkit, util/system/path.go.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A command that has to end with exit code 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A line for the image's shell, as RUN takes it.
    Shell(String),
    /// A program and its arguments, for images without a shell.
    Exec(Vec<String>),
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(line) => f.write_str(line),
            Self::Exec(words) => f.write_str(&words.join(" ")),
        }
    }
}

impl Command {
    /// How a container of the image would run it, without the image's ENTRYPOINT.
    fn meta(&self, config: &ImageConfig) -> pb::Meta {
        let args = match self {
            Self::Exec(words) => words.clone(),
            Self::Shell(line) => {
                let mut args = config.list("Shell");
                if args.is_empty() {
                    args = vec!["/bin/sh".into(), "-c".into()];
                }
                args.push(line.clone());
                args
            }
        };
        let mut env = config.list("Env");
        if !env.iter().any(|entry| entry.starts_with("PATH=")) {
            env.push(PATH.into());
        }
        let cwd = match config.text("WorkingDir") {
            "" => "/",
            directory => directory,
        };
        pb::Meta { args, env, cwd: cwd.into(), user: config.user().into(), ..pb::Meta::default() }
    }

    /// Whether it names a file, by its path or its last name.
    fn names(&self, path: &str) -> bool {
        let last = path.rsplit('/').next().unwrap_or(path);
        let separator = |c: char| !(c.is_alphanumeric() || "._-+".contains(c));
        self.to_string().split(separator).any(|word| word == last)
    }
}

/// A command that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The command.
    pub command: String,
    /// The image's platform.
    pub platform: String,
    /// What the engine says of its end.
    pub cause: String,
    /// What the hardening has to do with it.
    pub blame: Blame,
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Nothing was taken from the image.
    NothingStripped,
    /// It fails in the image as it was built, too.
    Command,
    /// It works when these files keep what was stripped from them, and not when fewer do.
    Stripped(Vec<String>),
}

/// The images of one platform: as it was built, and as it will be exported.
#[derive(Clone, Debug)]
pub(super) struct Images<'a> {
    /// The platform's id.
    pub(super) id: &'a str,
    pub(super) built: &'a Graph,
    pub(super) hardened: Option<&'a pb::Definition>,
    pub(super) report: Option<&'a StripReport>,
    pub(super) config: &'a ImageConfig,
    pub(super) strip: &'a StripOp,
}

impl Images<'_> {
    /// Runs the commands one after the other.
    pub(super) async fn test<B: Bridge, E: std::error::Error>(
        &self,
        bridge: &B,
        commands: &[Command],
    ) -> Result<(), BuildError<E>> {
        if commands.is_empty() {
            return Ok(());
        }
        let hardened = match self.hardened {
            Some(definition) => Graph::read(definition)?,
            None => Graph::default(),
        };
        for command in commands {
            if let Err(cause) = self.run(bridge, &hardened, command, "smoke test").await? {
                let blame = self.blame(bridge, command).await?;
                let (command, platform) = (command.to_string(), self.id.to_string());
                return Err(BuildError::Smoke(Failure { command, platform, cause, blame }));
            }
        }
        Ok(())
    }

    /// Finds out what the hardening has to do with a failure.
    async fn blame<B: Bridge>(&self, bridge: &B, command: &Command) -> Result<Blame, BridgeError> {
        let stripped = self.report.map_or(&[][..], |report| &report.stripped);
        let mut suspects: Vec<&str> = stripped.iter().map(|file| file.path.as_str()).collect();
        if suspects.is_empty() {
            return Ok(Blame::NothingStripped);
        }
        let name = "smoke test, nothing stripped";
        if self.run(bridge, self.built, command, name).await?.is_err() {
            return Ok(Blame::Command);
        }
        // What the command names is in the first half, which is tried first.
        suspects.sort_by_key(|path| !command.names(path));
        while suspects.len() > 1 {
            let (first, second) = suspects.split_at(suspects.len().div_ceil(2));
            if self.works_with(bridge, command, first).await? {
                suspects.truncate(first.len());
            } else if self.works_with(bridge, command, second).await? {
                suspects.drain(..first.len());
            } else {
                break;
            }
        }
        Ok(Blame::Stripped(suspects.into_iter().map(String::from).collect()))
    }

    /// Whether the command works in an image whose other files were stripped.
    async fn works_with<B: Bridge>(
        &self,
        bridge: &B,
        command: &Command,
        kept: &[&str],
    ) -> Result<bool, BridgeError> {
        let mut strip = self.strip.clone();
        for path in kept {
            strip.args.extend(["--keep".into(), (*path).into()]);
        }
        let Some(stripped) = self.built.with_strip(&strip) else { return Ok(false) };
        let Ok(graph) = Graph::read(&stripped.image()) else { return Ok(false) };
        let name = format!("smoke test, {} kept", kept.join(" "));
        Ok(self.run(bridge, &graph, command, &name).await?.is_ok())
    }

    /// Runs a command; the inner error is why it did not end well.
    async fn run<B: Bridge>(
        &self,
        bridge: &B,
        image: &Graph,
        command: &Command,
        name: &str,
    ) -> Result<Result<(), String>, BridgeError> {
        let name = format!("[cofferdam] {name}: {command}");
        let platform = self.config.platform_of_ops();
        let Some(definition) =
            image.with_command(&command.meta(self.config), platform.as_ref(), &name)
        else {
            return Ok(Err("the image is empty".into()));
        };
        match bridge.solve(Solve::Definition { definition, evaluate: true }).await {
            Ok(_) => Ok(Ok(())),
            Err(BridgeError::Build { message, .. }) => Ok(Err(message)),
            Err(lost @ BridgeError::Lost(_)) => Err(lost),
        }
    }
}

#[cfg(test)]
mod tests;
