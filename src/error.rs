//! Every way in which a command can end badly, and what each means to a script.

use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::pins::Reference;

use crate::config::Exceptions;
use crate::docker_config::CredentialError;
use crate::engine::{Endpoint, EngineError};

/// The builder that this variable makes bears its name.
const BUILDKIT_HOST: &str = "BUILDKIT_HOST";

/// Exit codes, a documented interface (docs/exit-codes.md).
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// The build failed, or the command line is wrong, as with docker buildx.
    pub const FAILED: u8 = 1;
    /// Policy says no.
    pub const REFUSED: u8 = 3;
    /// No engine or no registry.
    pub const UNREACHABLE: u8 = 4;
    /// Interrupted, as a shell reports SIGINT.
    pub const INTERRUPTED: u8 = 130;
}

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line, a file or an environment variable is wrong.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// A place in a file is wrong.
    #[error("{message}")]
    Source {
        /// What is wrong.
        message: String,
        /// Where.
        at: Place,
        /// The file's bytes.
        text: Vec<u8>,
        /// What to do next.
        hint: Option<String>,
    },
    /// The engine built and failed.
    #[error("failed to build: {message}")]
    Build {
        /// The engine's words.
        message: String,
        /// What to do next.
        hint: Option<String>,
        /// The file that it blames and the lines, 1-based, first and last.
        blame: Option<(SourceText, Vec<(usize, usize)>)>,
    },
    /// Policy refuses the build.
    #[error("refused: {}", .violations.first().map_or("", |v| v.message.as_str()))]
    Refused {
        /// Names that the image would have had.
        names: Vec<String>,
        /// What speaks against it.
        violations: Vec<Violation>,
        /// The file that their lines are of.
        text: Option<SourceText>,
    },
    /// The engine cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A node of a builder cannot be used.
    #[error("cannot use the node {node:?} of the builder {builder:?}: {source}")]
    Node {
        /// The builder.
        builder: String,
        /// Its node.
        node: String,
        /// Why.
        source: Box<EngineError>,
    },
    /// The engine went away while it built.
    #[error("the engine went away during the build: {0}")]
    EngineLost(String),
    /// A registry gave no answer, or no good one.
    #[error("{message}")]
    Registry {
        /// What was asked and what came back.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// A file of ours cannot be written or read.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was to be done, on what.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// A question was answered, and the answer is printed; it finds fault.
    #[error("the answer's status is {0}")]
    Answered(u8),
    /// SIGINT or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

/// A file's text under the name that the user gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// As a path that leads there from here.
    pub shown: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as a path that leads there from here.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// How many characters it is about.
    pub length: usize,
}

impl Error {
    /// A wrong command line with nothing more to say.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: None }
    }

    /// A wrong command line and the right one.
    pub fn usage_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// A refusal that needs no build to be found.
    pub fn refused(violation: Violation) -> Self {
        Self::Refused { names: Vec::new(), violations: vec![violation], text: None }
    }

    /// Says which names stay as they were.
    pub(crate) fn naming(self, tags: &[Reference]) -> Self {
        match self {
            Self::Refused { violations, text, .. } => {
                let names = tags.iter().map(Reference::familiar).collect();
                Self::Refused { names, violations, text }
            }
            other => other,
        }
    }

    /// Adds to a refusal the exceptions that would lift it, as they are to be written.
    pub(crate) fn offering(mut self, exceptions: &Exceptions) -> Self {
        if let Self::Refused { violations, .. } = &mut self {
            exceptions.offer(violations);
        }
        self
    }

    /// A registry's login could not be found out, which was needed for `what`.
    pub(crate) fn no_login(what: &str, error: &CredentialError) -> Self {
        Self::Registry {
            message: format!("{what}: {error}"),
            hint: "mend the helper, or take it out of credsStore or credHelpers in Docker's \
                   config.json"
                .into(),
        }
    }

    /// An I/O error on `what`, a phrase like `write cofferdam.lock`.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// What the shell gets to see.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } | Self::Source { .. } | Self::Build { .. } | Self::Io { .. } => {
                exit::FAILED
            }
            Self::Refused { .. } => exit::REFUSED,
            Self::Engine(_) | Self::Node { .. } | Self::EngineLost(_) | Self::Registry { .. } => {
                exit::UNREACHABLE
            }
            Self::Answered(status) => *status,
            Self::Interrupted => exit::INTERRUPTED,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::Source { hint, .. } | Self::Build { hint, .. } => {
                hint.clone()
            }
            Self::Registry { hint, .. } => Some(hint.clone()),
            Self::Engine(error) => engine_hint(error),
            Self::Node { builder, source, .. } => Some(node_hint(builder, source)),
            Self::EngineLost(_) => Some(
                "nothing was tagged; see the engine's own log, start it again and repeat the build"
                    .into(),
            ),
            Self::Refused { .. } | Self::Io { .. } | Self::Answered(_) | Self::Interrupted => None,
        }
    }
}

fn node_hint(builder: &str, error: &EngineError) -> String {
    match error {
        EngineError::NoContainer { .. } | EngineError::Container { .. } => engine_hint(error),
        _ => None,
    }
    .unwrap_or_else(|| {
        let host = builder == BUILDKIT_HOST;
        let away = if host { "unset BUILDKIT_HOST" } else { "choose another with --builder" };
        format!("start buildkitd there and see that it may be reached from here, or {away}")
    })
}

fn engine_hint(error: &EngineError) -> Option<String> {
    use std::io::ErrorKind;
    Some(match error {
        EngineError::Unreachable { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
            "this user may not use the engine's socket: join the group `docker`, or run as a user who may"
                .into()
        }
        EngineError::Unreachable { endpoint: Endpoint::Ssh(_), .. } => {
            "try `ssh` to that machine yourself; it needs docker there, and a key that asks nothing"
                .into()
        }
        EngineError::Unreachable { endpoint: Endpoint::Tls(_), .. } => {
            "see that the engine listens there with TLS, and that ca.pem, cert.pem and key.pem are its own"
                .into()
        }
        EngineError::Unreachable { .. } => {
            "start the engine, or name another with DOCKER_HOST=unix:///path or tcp://host:port"
                .into()
        }
        EngineError::NoContainer { builder: Some(builder), .. } => {
            format!("`docker buildx inspect --bootstrap {builder}` creates and starts it")
        }
        EngineError::NoContainer { builder: None, .. } => {
            "start a container with moby/buildkit under that name, or name another".into()
        }
        EngineError::Container { name, .. } => {
            format!("see `docker logs {name}`; `docker buildx rm` and `create` make a new one")
        }
        EngineError::BadHost { .. } => {
            "write DOCKER_HOST=unix:///path/docker.sock, tcp://host:port or ssh://user@host".into()
        }
        EngineError::Lost { .. } => {
            "nothing was named; see the engine's own log, and repeat the build".into()
        }
        EngineError::NoUpgrade { .. } => "Docker 20.10 or newer is needed, on Linux".into(),
        EngineError::Api { .. } => {
            "check that DOCKER_HOST names a Docker engine that runs, 20.10 or newer".into()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_an_interface() {
        let io = || std::io::Error::other("x");
        let table = [
            (Error::usage("x"), 1),
            (Error::Build { message: "x".into(), hint: None, blame: None }, 1),
            (Error::io("write x")(io()), 1),
            (Error::Refused { names: vec![], violations: vec![], text: None }, 3),
            (Error::Engine(EngineError::NoImageId), 4),
            (Error::EngineLost("x".into()), 4),
            (Error::Registry { message: "x".into(), hint: "y".into() }, 4),
            (Error::Interrupted, 130),
        ];
        for (error, code) in table {
            assert_eq!(error.exit_code(), code, "{error}");
        }
    }

    #[test]
    fn a_socket_without_permission_and_no_socket_get_different_advice() {
        let hint = |kind: std::io::ErrorKind| {
            let endpoint = crate::engine::Endpoint::Unix("/s".into());
            Error::Engine(EngineError::Unreachable { endpoint, source: kind.into() })
                .hint()
                .unwrap()
        };
        assert!(hint(std::io::ErrorKind::PermissionDenied).contains("group"));
        assert!(hint(std::io::ErrorKind::NotFound).contains("DOCKER_HOST"));
    }
}
