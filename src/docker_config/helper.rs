//! Credential helpers: programs that keep logins in a safe place.
//!
//! `docker-credential-NAME get` reads a registry on stdin and answers with JSON on stdout. Source:
//! docker/docker-credential-helpers, client and credentials.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::Login;

/// How long a helper may take: one that asks a person something takes its time.
const LIMIT: Duration = Duration::from_secs(15);
/// What a helper says when it has nothing; that is no failure.
const NOTHING: &str = "credentials not found in native keychain";
/// Holds other registries' credentials; no helper needs it.
const WITHHELD: &str = "DOCKER_AUTH_CONFIG";
/// How much of a helper's own words is repeated, in characters.
const WORDS: usize = 300;

/// A helper gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("credential helper {helper} for {registry}: {reason}")]
pub struct HelperError {
    /// The program.
    pub helper: String,
    /// The registry it was asked for.
    pub registry: String,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: Zeroizing<String>,
}

/// Asks the helper `name` for the login of `registry`; `None` when it has none.
pub(super) async fn get(name: &str, registry: &str) -> Result<Option<Login>, HelperError> {
    within(LIMIT, name, registry).await
}

async fn within(limit: Duration, name: &str, registry: &str) -> Result<Option<Login>, HelperError> {
    let helper = format!("docker-credential-{name}");
    let failed = |reason: String| HelperError {
        helper: helper.clone(),
        registry: registry.to_string(),
        reason,
    };
    // It is looked for in PATH, and nowhere else.
    if name.contains(['/', '\0']) {
        return Err(failed("this is no program's name".into()));
    }
    let started = std::time::Instant::now();
    let asked = tokio::time::timeout(limit, ask(&helper, registry)).await;
    tracing::debug!(helper, registry, elapsed = ?started.elapsed(), "asked a credential helper");
    match asked {
        Ok(Ok(output)) => read(&output).map_err(failed),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Err(failed(
            "there is no such program in PATH; install it, or take it out of config.json".into(),
        )),
        Ok(Err(error)) => Err(failed(format!("it cannot be run: {error}"))),
        Err(_) => Err(failed(format!("it gave no answer within {} s", limit.as_secs_f32()))),
    }
}

struct Output {
    succeeded: Result<(), String>,
    stdout: Zeroizing<Vec<u8>>,
    stderr: Vec<u8>,
}

async fn ask(helper: &str, registry: &str) -> std::io::Result<Output> {
    let mut child = Command::new(helper)
        .arg("get")
        .env_remove(WITHHELD)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // One that answers without reading is as good.
        let _ = input.write_all(registry.as_bytes()).await;
    }
    let output = child.wait_with_output().await?;
    let succeeded = match output.status.success() {
        true => Ok(()),
        false => Err(output.status.to_string()),
    };
    Ok(Output { succeeded, stdout: Zeroizing::new(output.stdout), stderr: output.stderr })
}

fn read(output: &Output) -> Result<Option<Login>, String> {
    if let Err(status) = &output.succeeded {
        let said = String::from_utf8_lossy(&output.stdout);
        if said.trim() == NOTHING {
            return Ok(None);
        }
        // Failures are told on stdout; an answer there is not for anybody's eyes.
        let told = !said.trim().is_empty() && !said.contains(['{', '}']);
        let said = if told { said } else { String::from_utf8_lossy(&output.stderr) };
        let said: String = said.trim().chars().take(WORDS).collect();
        return Err(match said.is_empty() {
            true => format!("it failed with {status}"),
            false => format!("it failed with {status}: {said}"),
        });
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("its answer is not what helpers say (line {})", error.line()))?;
    Ok(Login { username: answer.username, password: answer.secret, ..Login::default() }.tidy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(succeeded: bool, stdout: &str, stderr: &str) -> Result<Option<Login>, String> {
        let status = || Err("exit status: 1".to_string());
        read(&Output {
            succeeded: if succeeded { Ok(()) } else { status() },
            stdout: Zeroizing::new(stdout.into()),
            stderr: stderr.into(),
        })
    }

    #[test]
    fn answers_are_read_as_docker_reads_them() {
        let login = said(true, r#"{"ServerURL":"r","Username":"u","Secret":"p"}"#, "noise");
        let login = login.unwrap().unwrap();
        assert_eq!((login.username.as_str(), login.password.as_str()), ("u", "p"));
        let token = said(true, r#"{"Username":"<token>","Secret":"t"}"#, "").unwrap().unwrap();
        assert_eq!((token.username.as_str(), token.identity_token.as_str()), ("", "t"));
        assert!(said(true, r#"{"Username":"","Secret":""}"#, "").unwrap().is_none());
        assert!(said(false, "credentials not found in native keychain\n", "").unwrap().is_none());
    }

    #[test]
    fn failures_say_what_the_helper_said_and_never_an_answer() {
        assert!(said(false, "no keychain here", "x").unwrap_err().contains("no keychain here"));
        assert!(said(false, "", "locked").unwrap_err().contains("locked"));
        let leak = said(false, r#"{"Secret":"hunter2"}"#, "").unwrap_err();
        assert!(!leak.contains("hunter2"), "{leak}");
        let garbage = said(true, "hunter2", "").unwrap_err();
        assert!(garbage.contains("not what helpers say") && !garbage.contains("hunter2"));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = get("cofferdam-no-such-helper", "r").await.unwrap_err().to_string();
        assert!(error.contains("docker-credential-cofferdam-no-such-helper"), "{error}");
        assert!(error.contains("PATH"), "{error}");
        assert!(get("../x", "r").await.unwrap_err().to_string().contains("no program's name"));
    }
}
