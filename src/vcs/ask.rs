//! Running git: by name, without a terminal, an environment of its own, and nothing that a
//! repository's configuration could have it start.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// git in a directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Git<'a> {
    directory: &'a Path,
    environment: &'a [(OsString, OsString)],
}

impl<'a> Git<'a> {
    pub(super) fn new(directory: &'a Path, environment: &'a [(OsString, OsString)]) -> Self {
        Self { directory, environment }
    }

    /// The first line that it prints, if it succeeds and says something.
    pub(super) async fn line(self, args: &[&str]) -> Option<String> {
        let text = String::from_utf8(self.run(args).await?).ok()?;
        let line = text.lines().next().unwrap_or_default().trim();
        (!line.is_empty()).then(|| line.to_string())
    }

    /// Whether it says anything, or fails to.
    pub(super) async fn says_something(self, args: &[&str]) -> bool {
        self.run(args).await.is_none_or(|said| !said.is_empty())
    }

    async fn run(self, args: &[&str]) -> Option<Vec<u8>> {
        let mut command = Command::new("git");
        // The one program that looking at files could start.
        command.args(["-c", "core.fsmonitor=false"]).args(args);
        command.current_dir(self.directory).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.envs([("LC_ALL", "C"), ("GIT_OPTIONAL_LOCKS", "0"), ("GIT_TERMINAL_PROMPT", "0")]);
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        match command.output().await {
            Ok(output) if output.status.success() => Some(output.stdout),
            Ok(_) => None,
            Err(error) => {
                tracing::debug!(%error, "no git");
                None
            }
        }
    }
}
