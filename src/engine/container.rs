//! Running a program beside the build: three calls of the gateway, and the stream in which the
//! program speaks.
//!
//! Source: moby/buildkit, frontend/gateway/pb/gateway.proto and frontend/gateway/gateway.go.

use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::frontend as pb;
use bollard_buildkit_proto::moby::buildkit::v1::frontend::exec_message::Input as Said;
use bollard_buildkit_proto::pb as llb;
use cofferdam_frontend::bridge::{BridgeError, Container, Ended, Input, Limits};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::{GatewayBridge, status_error};

/// Numbers of what a program reads from and writes to.
const INPUT: u32 = 0;
const OUTPUT: u32 = 1;
const ERRORS: u32 = 2;

/// Bytes of what a program reads that go at once; engines cap a message at 16 MiB.
const PART: usize = 64 << 10;

/// How long an engine may take to put containers away.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes what a program said.
type Tell = oneshot::Sender<Result<Ended, BridgeError>>;

impl GatewayBridge {
    /// Makes a container, runs its program, and takes the container away.
    pub(super) async fn run_beside(
        &self,
        container: Container,
        input: Option<Input>,
        limits: Limits,
    ) -> Result<Ended, BridgeError> {
        let id = crate::random::hex::<12>()
            .map_err(|error| trouble(format!("cannot make a name for a container: {error}")))?;
        let made = pb::NewContainerRequest {
            container_id: id.clone(),
            mounts: container.mounts(),
            network: llb::NetMode::None as i32,
            platform: container.platform,
            ..pb::NewContainerRequest::default()
        };
        let answer = self.client().new_container(self.request(made)).await;
        answer.map_err(|status| status_error::read(&status))?;
        let (tell, told) = oneshot::channel();
        self.closing().spawn(self.clone().speak(id, container.args, input, limits, tell));
        told.await.unwrap_or_else(|_| Err(trouble("nobody listens to a program any more")))
    }

    /// Runs a container's program and tells what it said; then, or when nobody wants to know any
    /// more, takes the container away.
    async fn speak(
        self,
        id: String,
        args: Vec<String>,
        input: Option<Input>,
        limits: Limits,
        mut tell: Tell,
    ) {
        // Our half of the stream stays open: its end would end the process.
        let (say, said) = mpsc::channel(1);
        let heard = async {
            let mut messages = self.process(&id, args, input.is_some(), said).await?;
            let mut heard = Heard::new(limits);
            let feed = feed(&say, &id, input);
            tokio::select! {
                heard = heard.all(&mut messages) => heard,
                never = feed => match never {},
            }
        };
        tokio::select! {
            // Whether it is heard is the other's affair.
            heard = heard => drop(tell.send(heard)),
            () = tell.closed() => {}
        }
        // This ends a program that has not ended. Engines take their time to put one away, and what
        // it has said does not depend on that.
        self.release(id).await;
    }

    /// Waits until the containers are gone: an engine that ends a build before may hold what they
    /// had mounted for ever.
    pub(super) async fn close(&self) {
        let closing = std::mem::take(&mut *self.closing());
        if tokio::time::timeout(PATIENCE, closing.join_all()).await.is_err() {
            tracing::debug!("a container is still there");
        }
    }

    /// Lets go of what a container had mounted.
    async fn release(&self, container_id: String) {
        let released = pb::ReleaseContainerRequest { container_id };
        if let Err(status) = self.client().release_container(self.request(released)).await {
            tracing::debug!(%status, "a container was not released");
        }
    }

    async fn process(
        &self,
        id: &str,
        args: Vec<String>,
        reads: bool,
        said: mpsc::Receiver<pb::ExecMessage>,
    ) -> Result<Streaming<pb::ExecMessage>, BridgeError> {
        let meta = llb::Meta { args, cwd: "/".into(), ..llb::Meta::default() };
        let init = pb::InitMessage {
            container_id: id.to_string(),
            meta: Some(meta),
            fds: reads.then_some(INPUT).into_iter().chain([OUTPUT, ERRORS]).collect(),
            ..pb::InitMessage::default()
        };
        let asked = tokio_stream::once(message(id, Said::Init(init)));
        let asked = asked.chain(ReceiverStream::new(said));
        let answer = self.client().exec_process(self.request(asked)).await;
        Ok(answer.map_err(|status| status_error::read(&status))?.into_inner())
    }
}

fn message(id: &str, said: Said) -> pb::ExecMessage {
    pb::ExecMessage { process_id: id.to_string(), input: Some(said) }
}

/// Sends a program what it reads, and its end.
async fn feed(
    say: &mpsc::Sender<pb::ExecMessage>,
    id: &str,
    input: Option<Input>,
) -> std::convert::Infallible {
    if let Some(input) = input {
        let bytes = input.await.unwrap_or_default();
        let part = |data: &[u8], eof| pb::FdMessage { fd: INPUT, eof, data: data.to_vec() };
        let parts = bytes.chunks(PART).map(|data| part(data, false));
        for part in parts.chain([part(&[], true)]) {
            // When nobody takes it, the other direction says why.
            if say.send(message(id, Said::File(part))).await.is_err() {
                break;
            }
        }
    }
    std::future::pending().await
}

fn trouble(message: impl Into<String>) -> BridgeError {
    BridgeError::Build { message: message.into(), blame: None }
}

/// What a program has said so far.
struct Heard {
    limits: Limits,
    ended: Ended,
    exit: Option<pb::ExitMessage>,
}

impl Heard {
    fn new(limits: Limits) -> Self {
        Self { limits, ended: Ended::default(), exit: None }
    }

    /// Hears a program out.
    async fn all(
        &mut self,
        messages: &mut Streaming<pb::ExecMessage>,
    ) -> Result<Ended, BridgeError> {
        while let Some(message) = messages.next().await {
            let message = message.map_err(|status| status_error::read(&status))?;
            if let Some(ended) = self.take(message)? {
                return Ok(ended);
            }
        }
        Err(trouble("the engine ended the stream of a program before the program"))
    }

    /// Takes a message; the last one brings the end, or one that completes the output.
    fn take(&mut self, message: pb::ExecMessage) -> Result<Option<Ended>, BridgeError> {
        match message.input {
            Some(Said::File(part)) => {
                self.part(&part)?;
                let all = part.fd == OUTPUT && (self.limits.is_all)(&self.ended.output);
                Ok(all.then(|| std::mem::take(&mut self.ended)))
            }
            Some(Said::Exit(exit)) => {
                self.exit = Some(exit);
                Ok(None)
            }
            Some(Said::Done(_)) => self.end().map(Some),
            _ => Ok(None),
        }
    }

    fn part(&mut self, part: &pb::FdMessage) -> Result<(), BridgeError> {
        let (kept, limit) = match part.fd {
            OUTPUT => (&mut self.ended.output, self.limits.output),
            ERRORS => (&mut self.ended.errors, self.limits.errors),
            _ => return Ok(()),
        };
        let room = limit.saturating_sub(kept.len());
        if part.fd == OUTPUT && part.data.len() > room {
            return Err(trouble(format!("a program wrote more than {limit} bytes")));
        }
        kept.extend_from_slice(part.data.get(..room).unwrap_or(&part.data));
        Ok(())
    }

    fn end(&mut self) -> Result<Ended, BridgeError> {
        let Some(exit) = self.exit.take() else {
            return Err(trouble("the engine does not say how a program ended"));
        };
        let mut ended = std::mem::take(&mut self.ended);
        ended.code = exit.code;
        // A program that could not be started has said nothing; the engine says why.
        if ended.errors.is_empty()
            && let Some(error) = exit.error
        {
            if exit.code == 0 {
                return Err(trouble(error.message));
            }
            ended.errors = error.message.into_bytes();
        }
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard_buildkit_proto::google::rpc;

    fn wrote(fd: u32, data: &str) -> Said {
        Said::File(pb::FdMessage { fd, eof: false, data: data.into() })
    }

    fn exit(code: u32, error: Option<&str>) -> Said {
        let error =
            error.map(|text| rpc::Status { message: text.into(), ..rpc::Status::default() });
        Said::Exit(pb::ExitMessage { code, error })
    }

    fn hear(inputs: Vec<Said>) -> Result<Option<Ended>, BridgeError> {
        let mut heard =
            Heard::new(Limits { output: 8, errors: 4, is_all: |output| output == b"all" });
        for input in inputs {
            if let Some(ended) = heard.take(message("p", input))? {
                return Ok(Some(ended));
            }
        }
        Ok(None)
    }

    #[test]
    fn output_after_the_exit_is_output() {
        let done = Said::Done(pb::DoneMessage {});
        let ended = hear(vec![wrote(1, "ab"), exit(0, None), wrote(2, "x"), wrote(1, "cd"), done]);
        let ended = ended.unwrap().unwrap();
        assert_eq!((ended.code, ended.output.as_slice()), (0, &b"abcd"[..]));
        assert_eq!(ended.errors, b"x");
    }

    #[test]
    fn who_has_said_all_is_waited_for_no_longer() {
        assert_eq!(hear(vec![wrote(1, "al"), wrote(2, "x")]).unwrap(), None);
        let ended = hear(vec![wrote(1, "al"), wrote(2, "x"), wrote(1, "l")]).unwrap().unwrap();
        assert_eq!((ended.code, ended.output, ended.errors), (0, b"all".into(), b"x".into()));
    }

    #[test]
    fn a_stream_without_its_end_is_no_result() {
        assert_eq!(hear(vec![wrote(1, "ab"), exit(0, None)]).unwrap(), None);
        assert!(hear(vec![wrote(1, "ab"), Said::Done(pb::DoneMessage {})]).is_err());
    }

    #[test]
    fn output_has_a_limit_and_errors_are_cut() {
        assert!(hear(vec![wrote(1, "12345678"), wrote(1, "9")]).is_err());
        let done = Said::Done(pb::DoneMessage {});
        let ended = hear(vec![wrote(2, "123"), wrote(2, "456"), exit(3, Some("exit")), done]);
        let ended = ended.unwrap().unwrap();
        assert_eq!((ended.code, ended.errors.as_slice()), (3, &b"1234"[..]));
    }

    #[test]
    fn a_program_that_did_not_start_has_the_engines_words() {
        let done = || Said::Done(pb::DoneMessage {});
        let ended = hear(vec![exit(255, Some("runc: no such file")), done()]).unwrap().unwrap();
        assert_eq!(ended.errors, b"runc: no such file");
        assert!(hear(vec![exit(0, Some("torn")), done()]).is_err());
    }
}
