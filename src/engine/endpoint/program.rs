//! A byte stream over the standard streams of a program.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::process::Stdio;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessSession};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep};

/// How much of what it complains about is kept, in bytes: the end of it.
const COMPLAINTS: usize = 4096;
/// How long a program may take to end when its stream has.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How long a program may take to end when nobody listens any more.
const FAREWELL: Duration = Duration::from_secs(3);
/// A program's children (the master of a shared ssh connection) may keep its stderr open, and a
/// busy machine may be late with its last words.
const STDERR_AFTER_END: Duration = Duration::from_secs(2);
/// Holds credentials; no program needs it.
const WITHHELD: &str = "DOCKER_AUTH_CONFIG";

/// A program whose standard input and output are the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    name: String,
    args: Vec<String>,
}

impl Program {
    /// `name` is looked for in `PATH`; everybody on the machine can read the arguments.
    pub fn new(name: impl Into<String>, args: Vec<String>) -> Self {
        Self { name: name.into(), args }
    }

    /// The arguments.
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// Starts it.
    ///
    /// It gets a session of its own: a Ctrl-C in the terminal is for us, and the connection must
    /// live until everything is tidied up.
    pub(super) fn open(&self) -> std::io::Result<Piped> {
        let named = |error: std::io::Error| {
            std::io::Error::new(error.kind(), format!("cannot run {}: {error}", self.name))
        };
        let mut command = CommandWrap::with_new(&self.name, |command| {
            command.args(&self.args).env_remove(WITHHELD);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        });
        command.wrap(ProcessSession).wrap(KillOnDrop);
        let mut child = command.spawn().map_err(named)?;
        let streams = (child.stdin().take(), child.stdout().take(), child.stderr().take());
        let (Some(input), Some(output), Some(errors)) = streams else {
            return Err(std::io::Error::other(format!("{} has no streams", self.name)));
        };
        let (open, closed) = oneshot::channel();
        let end = tokio::spawn(watch(self.name.clone(), child, errors, closed));
        let (name, limit) = (self.name.clone(), None);
        Ok(Piped { name, input, output, end, limit, ended: None, _open: open })
    }
}

/// Waits for the end of the program, or of interest in it; what it complained about if it failed.
async fn watch(
    name: String,
    mut child: Box<dyn ChildWrapper>,
    errors: ChildStderr,
    mut closed: oneshot::Receiver<()>,
) -> Result<(), String> {
    let mut said = VecDeque::with_capacity(COMPLAINTS);
    let status = {
        let mut complaints = pin!(tail(errors, &mut said).fuse());
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                () = &mut complaints, if !complaints.is_terminated() => {}
                _ = &mut closed => {
                    // Its input is closed; a program that does not mind that is ended.
                    if tokio::time::timeout(FAREWELL, child.wait()).await.is_err() {
                        tracing::debug!(name, "does not end by itself");
                        let _ = child.start_kill();
                    }
                    return Ok(());
                }
            }
        };
        if !complaints.is_terminated() {
            let _ = tokio::time::timeout(STDERR_AFTER_END, &mut complaints).await;
        }
        status
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => match String::from_utf8_lossy(said.make_contiguous()).trim() {
            "" => Err(format!("{name} ended with {status} and said nothing")),
            said => Err(format!("{name} ended with {status}: {said}")),
        },
        Err(error) => Err(format!("{name} is gone: {error}")),
    }
}

/// Keeps the last [`COMPLAINTS`] bytes.
async fn tail(mut errors: ChildStderr, kept: &mut VecDeque<u8>) {
    let mut buffer = vec![0; 1024];
    while let Ok(n @ 1..) = errors.read(&mut buffer).await {
        kept.extend(buffer.iter().take(n));
        let over = kept.len().saturating_sub(COMPLAINTS);
        kept.drain(..over);
    }
}

/// The connection; the program ends when it is dropped.
pub(super) struct Piped {
    name: String,
    input: ChildStdin,
    output: ChildStdout,
    end: JoinHandle<Result<(), String>>,
    limit: Option<Pin<Box<Sleep>>>,
    ended: Option<Result<(), String>>,
    _open: oneshot::Sender<()>,
}

impl Piped {
    /// Why the stream is at its end: the program's failure, if it failed.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.ended.is_none() {
            let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(LAST_WORDS)));
            self.ended = Some(match Pin::new(&mut self.end).poll(cx) {
                Poll::Ready(ended) => ended.unwrap_or(Ok(())),
                Poll::Pending => {
                    ready!(limit.as_mut().poll(cx));
                    Err(format!("{} closed its stream and does not end", self.name))
                }
            });
        }
        match &self.ended {
            Some(Err(words)) => Poll::Ready(Err(std::io::Error::other(words.clone()))),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncRead for Piped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = out.filled().len();
        if self.ended.is_none() {
            ready!(Pin::new(&mut self.output).poll_read(cx, out))?;
            if out.filled().len() > before || out.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_end(cx)
    }
}

impl AsyncWrite for Piped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match ready!(Pin::new(&mut self.input).poll_write(cx, data)) {
            // The reason is with the program, not with the pipe.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                ready!(self.poll_end(cx))?;
                Poll::Ready(Err(error))
            }
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
