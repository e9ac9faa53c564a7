//! `--network`: what RUN steps can reach.

use cofferdam_frontend::graph::judge::Violation;

use crate::error::Error;

/// The network of RUN steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// The engine's default.
    #[default]
    Default,
    /// None at all.
    None,
    /// The host's own, which only an exception allows.
    Host,
}

impl Network {
    /// Reads the flag.
    pub(super) fn read(mode: Option<&str>) -> Result<Self, Error> {
        match mode.unwrap_or_default() {
            "" | "default" => Ok(Self::Default),
            "none" => Ok(Self::None),
            "host" => Ok(Self::Host),
            other => Err(Error::usage_hint(
                format!("--network {other:?} is not supported by BuildKit"),
                "known are default and none; a builder can be created with a network of its own",
            )),
        }
    }

    /// What to tell the frontend.
    pub fn forced(self) -> Option<&'static str> {
        match self {
            Self::Default => None,
            Self::None => Some("none"),
            Self::Host => Some("host"),
        }
    }
}

/// Why the host's network is refused.
pub(super) fn host_refusal() -> Violation {
    Violation {
        rule: "host-network",
        message: "--network=host lets every RUN step reach the host's own services".into(),
        lines: Vec::new(),
        span: None,
        fix: "leave --network out; the default network reaches registries and mirrors".into(),
    }
}
