//! Questions to the frontend about a Dockerfile (`--call`): no graph, nothing runs.
//!
//! Source: moby/buildkit, frontend/subrequests.

use std::collections::BTreeMap;

use crate::bridge::{Bridge, BridgeError, Solve, Solved};
use crate::build::{Plan, lacks, lacks_contexts, require, require_contexts};

/// The frontend takes requests at all.
const SUBREQUESTS: &str = "moby.buildkit.frontend.subrequests";

/// What a frontend can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `check`: what is wrong with the Dockerfile.
    Lint,
    /// `outline`: its arguments, secrets and so on.
    Outline,
    /// `targets`: its stages.
    Targets,
    /// `subrequests.describe`: what else can be asked.
    Describe,
}

impl Call {
    /// The frontend's name of the request.
    pub fn request(self) -> &'static str {
        match self {
            Self::Lint => "frontend.lint",
            Self::Outline => "frontend.outline",
            Self::Targets => "frontend.targets",
            Self::Describe => "frontend.subrequests.describe",
        }
    }
}

/// The frontend's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallResult {
    /// For programs.
    pub json: Vec<u8>,
    /// For people; frontends may leave that to the caller.
    pub text: Option<Vec<u8>>,
    /// What a command should exit with: lint has found something.
    pub status: u8,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The frontend knows no such request.
    #[error("the engine's Dockerfile frontend does not support {}", .0.request())]
    Unsupported(Call),
    /// The frontend would take no notice of them.
    #[error("this engine's BuildKit knows no named contexts (--build-context)")]
    NoNamedContexts,
    /// The engine said no, or nothing.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
}

/// Asks the plan's frontend about its Dockerfile.
pub async fn call<B: Bridge>(bridge: &B, plan: &Plan, call: Call) -> Result<CallResult, CallError> {
    let mut options = plan.options.clone();
    options.insert("requestid".into(), call.request().into());
    require(&mut options, SUBREQUESTS);
    let contexts = require_contexts(&mut options);
    let (name, inputs) = (plan.frontend.clone(), plan.inputs.clone());
    match bridge.solve(Solve::Frontend { name, options, inputs }).await {
        Ok(Solved { mut metadata, .. }) => {
            let Some(json) = metadata.remove("result.json") else {
                // It took the request for a build.
                return Err(CallError::Unsupported(call));
            };
            let text = metadata.remove("result.txt");
            Ok(CallResult { json, text, status: status(&metadata) })
        }
        Err(BridgeError::Build { message, .. }) if contexts && lacks_contexts(&message) => {
            Err(CallError::NoNamedContexts)
        }
        Err(BridgeError::Build { message, .. }) if is_unsupported(&message, call) => {
            Err(CallError::Unsupported(call))
        }
        Err(error) => Err(error.into()),
    }
}

fn is_unsupported(message: &str, call: Call) -> bool {
    message.contains(&format!("unsupported request {}", call.request()))
        || lacks(message, SUBREQUESTS)
}

fn status(metadata: &BTreeMap<String, Vec<u8>>) -> u8 {
    let written = metadata.get("result.statuscode");
    let text = written.and_then(|bytes| std::str::from_utf8(bytes).ok());
    // A status that cannot be read is no success.
    text.map_or(0, |text| text.trim().parse().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::fake::FakeBridge;

    fn answered(metadata: &[(&str, &str)]) -> FakeBridge {
        let metadata =
            metadata.iter().map(|(k, v)| ((*k).to_string(), v.as_bytes().to_vec())).collect();
        FakeBridge::new(vec![Ok(Solved { metadata, ..Solved::default() })], Vec::new())
    }

    fn failed(message: &str) -> FakeBridge {
        let error = BridgeError::Build { message: message.into(), blame: None };
        FakeBridge::new(vec![Err(error)], Vec::new())
    }

    fn plan() -> Plan {
        Plan {
            frontend: "dockerfile.v0".into(),
            options: [("target".to_string(), "x".to_string())].into(),
            ..Plan::default()
        }
    }

    #[tokio::test]
    async fn an_answer_has_its_status() {
        let bridge = answered(&[
            ("result.json", "{}"),
            ("result.txt", "one warning"),
            ("result.statuscode", "1"),
        ]);
        let result = call(&bridge, &plan(), Call::Lint).await.unwrap();
        assert_eq!((result.status, result.text.as_deref()), (1, Some(&b"one warning"[..])));
        let Solve::Frontend { options, .. } = &bridge.asked()[0] else { panic!("no frontend") };
        assert_eq!(options["requestid"], "frontend.lint");
        assert_eq!(options["target"], "x");
        assert_eq!(options["frontend.caps"], "moby.buildkit.frontend.subrequests+forward");

        let odd = answered(&[("result.json", "{}"), ("result.statuscode", "many")]);
        assert_eq!(call(&odd, &plan(), Call::Lint).await.unwrap().status, 1);
    }

    #[tokio::test]
    async fn a_frontend_that_cannot_answer_is_told_from_a_wrong_dockerfile() {
        for bridge in [
            failed("failed to solve: unsupported request frontend.outline"),
            failed("unsupported frontend capability moby.buildkit.frontend.subrequests"),
            answered(&[("containerimage.config", "{}")]),
        ] {
            let error = call(&bridge, &plan(), Call::Outline).await.unwrap_err();
            assert!(error.to_string().ends_with("does not support frontend.outline"), "{error}");
        }
        let error = call(&failed("parse error"), &plan(), Call::Outline).await.unwrap_err();
        assert!(matches!(error, CallError::Bridge(_)));
    }
}
