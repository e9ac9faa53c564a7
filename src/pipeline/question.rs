//! `--call` and `--check`: the frontend is asked about the Dockerfile, and nothing is built.
//!
//! Source: docker/buildx, commands/build.go, printResult.

use cofferdam_frontend::Plan;
use cofferdam_frontend::bridge::BridgeError;
use cofferdam_frontend::call::{Call as Asked, CallError, CallResult, call};
use cofferdam_frontend::remote::{Named, NamedContext as Bound};
use serde_json::Value;

use super::context;
use super::failure;
use super::in_engine::Job;
use super::named;
use super::outputs::Outlets;
use super::plan::plan;
use super::steps::Steps;
use crate::error::Error;
use crate::inputs::PinnedText;
use crate::report::printer::Printer;
use crate::request::{Call, CallFormat, CallMethod, DockerfileText};

impl Job<'_> {
    /// Asks; an answer that finds fault ends the command with its status.
    pub(super) async fn ask(self, asked: &Call, steps: &Steps) -> Result<CallResult, Error> {
        let active = self.open(&Outlets::default(), steps).await?;
        let bridge = active.bridge();
        let story = async {
            let (dockerfile, fetched) =
                context::read(self.request, self.taken, self.locals, bridge).await?;
            // What is asked about is the text as it was written; nothing of it is fetched.
            let text = PinnedText::as_written(self.request, &dockerfile);
            self.locals.offer_dockerfile(self.files, &dockerfile, &text)?;
            let plan = plan(self.request, &dockerfile, &text, self.locals, self.namespace);
            let mut plan = Plan { inputs: fetched.inputs, ..plan };
            for (number, (name, asked)) in self.request.named_contexts.iter().enumerate() {
                let context = named::as_written(asked, (self.id, number))?;
                if let Bound::Remote(remote) = &context {
                    context::may_read(self.request, remote)?;
                }
                let tools = context::tools(self.locals, bridge).await?;
                let bound = Named::bind(bridge, name, &context, &tools).await;
                plan.add(bound.map_err(context::explain)?);
            }
            let answer = call(bridge, &plan, question(&asked.method)).await;
            answer.map_err(|error| explain(error, &dockerfile))
        };
        let answer = story.await;
        active.fail(BridgeError::Build { message: "only a question".into(), blame: None }).await;
        answer
    }
}

fn question(method: &CallMethod) -> Asked {
    match method {
        CallMethod::Check => Asked::Lint,
        CallMethod::Outline => Asked::Outline,
        CallMethod::Targets => Asked::Targets,
        CallMethod::Other(_) => Asked::Describe,
    }
}

fn explain(error: CallError, dockerfile: &DockerfileText) -> Error {
    match error {
        CallError::Unsupported(_) => Error::usage_hint(
            error.to_string(),
            "a newer engine does; `# syntax=docker/dockerfile:1` brings a newer frontend",
        ),
        CallError::NoNamedContexts => {
            Error::usage_hint(error.to_string(), "a newer engine does: Docker 23, or BuildKit 0.10")
        }
        CallError::Bridge(error) => failure::of_bridge(error, None, dockerfile),
    }
}

/// Prints the answer; a status other than 0 is the command's.
pub(super) fn print(asked: &Call, answer: &CallResult, printer: &Printer) -> Result<(), Error> {
    let mut said = Vec::new();
    match (&answer.text, asked.format) {
        (Some(text), CallFormat::Text) => {
            if asked.method == CallMethod::Check {
                said.extend(summary(&answer.json).into_bytes());
            }
            said.extend(text);
        }
        _ => said.extend(&answer.json),
    }
    if said.last().is_some_and(|last| *last != b'\n') {
        said.push(b'\n');
    }
    printer.stdout(&said)?;
    match answer.status {
        0 => Ok(()),
        _ if asked.ignore_status => Ok(()),
        status => Err(Error::Answered(status)),
    }
}

/// How many warnings a check found, as buildx says it.
fn summary(json: &[u8]) -> String {
    let results: Value = serde_json::from_slice(json).unwrap_or_default();
    match results["warnings"].as_array().map_or(0, Vec::len) {
        0 => "Check complete, no warnings found.\n".into(),
        1 => "Check complete, 1 warning has been found!\n".into(),
        number => format!("Check complete, {number} warnings have been found!\n"),
    }
}
