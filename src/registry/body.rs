//! Answers that are too long to be kept: read as they come.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::HeaderMap;

use super::http::{Answer, Ask, Http, HttpError, words};

/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// Largest refusal that is read, in bytes.
const REFUSAL: usize = 1 << 20;

/// The bytes of an answer.
#[derive(Debug)]
pub struct Body {
    host: String,
    body: Incoming,
}

/// An answer of which the body is still to come.
pub(super) struct Begun {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

impl Http {
    /// The beginning of the answer at the end of all redirections.
    pub(super) async fn begin(&self, ask: Ask) -> Result<Begun, HttpError> {
        let host = ask.url.host_str().unwrap_or_default().to_string();
        let failed = |reason: String| HttpError { host: host.clone(), reason };
        let answer = tokio::time::timeout(SILENCE, self.follow(ask)).await;
        let answer = answer.map_err(|_| failed(silent()))?.map_err(failed)?;
        let (parts, body) = answer.into_parts();
        let body = Body { host, body };
        Ok(Begun { status: parts.status, headers: parts.headers, body })
    }
}

impl Begun {
    /// All of a short answer.
    pub(super) async fn whole(self) -> Result<Answer, HttpError> {
        let Body { host, body } = self.body;
        let failed = |reason: &str| HttpError { host: host.clone(), reason: reason.into() };
        let read = tokio::time::timeout(SILENCE, Limited::new(body, REFUSAL).collect()).await;
        let read = read.map_err(|_| failed(&silent()))?;
        let body = read.map_err(|_| failed("the answer broke off, or is too long"))?.to_bytes();
        Ok(Answer { status: self.status, headers: self.headers, body })
    }
}

impl Body {
    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let failed = |reason: String| HttpError { host: self.host.clone(), reason };
        loop {
            let frame = tokio::time::timeout(SILENCE, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| failed(silent()))? else { return Ok(None) };
            let frame =
                frame.map_err(|error| failed(format!("it broke off: {}", words(&error))))?;
            match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                _ => {}
            }
        }
    }
}

fn silent() -> String {
    format!("it says nothing for {} s", SILENCE.as_secs())
}
