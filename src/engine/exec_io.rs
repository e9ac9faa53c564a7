//! A buildkitd in a container: `buildctl dial-stdio` there, attached.
//!
//! Source: docker/buildx, driver/docker-container; the Engine API's `ContainerExec` and its
//! stream format.

use std::io::{Error, ErrorKind, Result as IoResult};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error as ApiError;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bytes::{Buf as _, Bytes};
use futures_util::stream::Stream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::endpoint::{BoxIo, Connection};
use super::{EngineError, rest};

const DIAL: [&str; 2] = ["buildctl", "dial-stdio"];
/// Succeeds as soon as buildkitd serves.
const READY: [&str; 3] = ["buildctl", "debug", "workers"];
/// How often a container that was just started is asked, and how much longer each wait is.
const TRIES: u32 = 15;
const WAIT: Duration = Duration::from_millis(120);
/// Bytes of what the command says that are kept for an error.
const WORDS: usize = 2048;
/// Place and value of the type in the first frame of an HTTP/2 server, SETTINGS (RFC 9113, 3.4).
const FRAME_TYPE: (usize, u8) = (3, 4);

/// A container that runs buildkitd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The Docker engine that it is in.
    pub docker: Connection,
    /// Its name.
    pub name: String,
    /// The builder of buildx's that it belongs to, if it does.
    pub builder: Option<String>,
}

/// Opens one connection; a container that is stopped is started first.
pub(super) async fn dial(container: &Container) -> Result<BoxIo, EngineError> {
    let docker = rest::client(&container.docker).await?;
    run(&docker, container).await?;
    let (input, output) =
        exec(&docker, container, &DIAL).await.map_err(failed(container, "run buildctl"))?.1;
    Ok(Box::new(ExecIo { input, output, chunk: Bytes::new(), begun: false, words: Vec::new() }))
}

fn failed(
    container: &Container,
    what: &'static str,
) -> impl FnOnce(ApiError) -> EngineError + use<> {
    let name = container.name.clone();
    move |error| {
        let message = match error {
            ApiError::DockerResponseServerError { message, .. } => message,
            other => other.to_string(),
        };
        EngineError::Container { name, what, message }
    }
}

/// Sees to it that the container runs.
async fn run(docker: &Docker, container: &Container) -> Result<(), EngineError> {
    let name = &container.name;
    let found = match docker.inspect_container(name, None).await {
        Ok(found) => found,
        Err(ApiError::DockerResponseServerError { status_code: 404, .. }) => {
            return Err(EngineError::NoContainer {
                name: name.clone(),
                engine: container.docker.endpoint.clone(),
                builder: container.builder.clone(),
            });
        }
        Err(error) => return Err(failed(container, "look it up")(error)),
    };
    if found.state.and_then(|state| state.running) == Some(true) {
        return Ok(());
    }
    docker.start_container(name, None).await.map_err(failed(container, "start it"))?;
    let mut last = String::new();
    for attempt in 1..=TRIES {
        match serves(docker, container).await.map_err(failed(container, "run buildctl"))? {
            None => return Ok(()),
            Some(words) => last = words,
        }
        tokio::time::sleep(WAIT * attempt).await;
    }
    let message = format!("it was started and BuildKit does not answer: {last}");
    Err(EngineError::Container { name: name.clone(), what: "use it", message })
}

/// Whether BuildKit serves; the words of the one that says that it does not.
async fn serves(docker: &Docker, container: &Container) -> Result<Option<String>, ApiError> {
    let (id, (_input, mut output)) = exec(docker, container, &READY).await?;
    let mut words = Vec::new();
    while let Some(said) = output.try_next().await? {
        keep(&mut words, &said.into_bytes());
    }
    let code = docker.inspect_exec(&id).await?.exit_code;
    Ok((code != Some(0)).then(|| told(&words)))
}

type Input = Pin<Box<dyn AsyncWrite + Send>>;
type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, ApiError>> + Send>>;

/// Starts a command in the container, attached to it. Returns its id as well.
async fn exec(
    docker: &Docker,
    container: &Container,
    command: &[&str],
) -> Result<(String, (Input, Output)), ApiError> {
    let options = CreateExecOptions {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(command.to_vec()),
        ..CreateExecOptions::default()
    };
    let id = docker.create_exec(&container.name, options).await?.id;
    let options = StartExecOptions { output_capacity: Some(64 * 1024), ..Default::default() };
    match docker.start_exec(&id, Some(options)).await? {
        StartExecResults::Attached { output, input } => Ok((id, (input, output))),
        StartExecResults::Detached => {
            Err(Error::new(ErrorKind::InvalidData, "the engine did not attach the command").into())
        }
    }
}

fn keep(words: &mut Vec<u8>, more: &[u8]) {
    let room = WORDS.saturating_sub(words.len());
    words.extend_from_slice(more.get(..room).unwrap_or(more));
}

/// One line of it.
fn told(words: &[u8]) -> String {
    let text = String::from_utf8_lossy(words);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = lines.join(" ");
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The command's stdin and stdout as one stream.
struct ExecIo {
    input: Input,
    output: Output,
    /// Read and not yet taken.
    chunk: Bytes,
    /// Whether HTTP/2 has begun.
    begun: bool,
    /// What it said instead.
    words: Vec<u8>,
}

impl ExecIo {
    /// Looks at what came; words in the place of the first frame are an error.
    fn take(&mut self, said: LogOutput) -> IoResult<()> {
        match said {
            LogOutput::StdErr { message } => {
                tracing::debug!(words = %told(&message), "buildctl dial-stdio");
                keep(&mut self.words, &message);
                Ok(())
            }
            // A command that cannot be started is reported on its stdout, by the engine.
            LogOutput::StdOut { message } if !self.begun && is_text(&message) => {
                keep(&mut self.words, &message);
                Err(self.reason())
            }
            LogOutput::StdOut { message } => {
                self.begun |= !message.is_empty();
                self.chunk = message;
                Ok(())
            }
            LogOutput::StdIn { .. } | LogOutput::Console { .. } => Ok(()),
        }
    }

    fn reason(&self) -> Error {
        Error::other(format!("buildctl dial-stdio: {}", told(&self.words)))
    }
}

fn is_text(first: &[u8]) -> bool {
    let (place, settings) = FRAME_TYPE;
    first.get(place).is_some_and(|byte| *byte != settings)
}

impl AsyncRead for ExecIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        while self.chunk.is_empty() {
            match ready!(self.output.poll_next_unpin(cx)) {
                Some(Ok(said)) => self.take(said)?,
                Some(Err(error)) => return Poll::Ready(Err(Error::other(error))),
                None if !self.begun && !self.words.is_empty() => {
                    return Poll::Ready(Err(self.reason()));
                }
                None => return Poll::Ready(Ok(())),
            }
        }
        let take = self.chunk.len().min(out.remaining());
        out.put_slice(self.chunk.get(..take).unwrap_or_default());
        self.chunk.advance(take);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ExecIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<IoResult<usize>> {
        self.input.as_mut().poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        self.input.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        self.input.as_mut().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn out(bytes: &'static [u8]) -> LogOutput {
        LogOutput::StdOut { message: Bytes::from_static(bytes) }
    }

    fn err(bytes: &'static [u8]) -> LogOutput {
        LogOutput::StdErr { message: Bytes::from_static(bytes) }
    }

    async fn read(said: Vec<LogOutput>) -> IoResult<Vec<u8>> {
        let output = futures_util::stream::iter(said.into_iter().map(Ok));
        let mut io = ExecIo {
            input: Box::pin(tokio::io::sink()),
            output: Box::pin(output),
            chunk: Bytes::new(),
            begun: false,
            words: Vec::new(),
        };
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await.map(|_| bytes)
    }

    #[tokio::test]
    async fn frames_pass_and_warnings_do_not() {
        let frame = b"\0\0\0\x04\0\0\0\0\0";
        let said = vec![err(b"warning\n"), out(frame), out(b""), err(b"x"), out(b"text now")];
        assert_eq!(read(said).await.unwrap(), [frame.as_slice(), b"text now"].concat());
        assert_eq!(read(vec![]).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_command_that_fails_is_told_in_its_words() {
        let absent = out(b"OCI runtime exec failed: \"buildctl\": not found\r\n");
        let error = read(vec![absent]).await.unwrap_err().to_string();
        assert_eq!(error, "buildctl dial-stdio: OCI runtime exec failed: \"buildctl\": not found");
        let error = read(vec![err(b"no\x1b[1m socket\n"), err(b"bye\n")]).await.unwrap_err();
        assert_eq!(error.to_string(), "buildctl dial-stdio: no [1m socket bye");
    }

    #[test]
    fn only_so_many_words_are_kept() {
        let mut words = Vec::new();
        (0..100).for_each(|_| keep(&mut words, &[b'x'; 100]));
        assert_eq!(words.len(), WORDS);
    }
}
