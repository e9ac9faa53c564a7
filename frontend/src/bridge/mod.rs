//! The few calls a frontend makes to BuildKit, so that the same code runs in the command line,
//! inside an image, and against a fake.
//!
//! Source of the protocol: `moby.buildkit.v1.frontend.LLBBridge`
//! (moby/buildkit, frontend/gateway/pb/gateway.proto).

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use bollard_buildkit_proto::pb;

mod container;
pub mod fake;
mod parts;

pub use container::{Container, Ended, Input, Limits, Mount, Mounted};
pub use parts::{Outcome, Parts};

/// What an engine said it can do (`Ping`).
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    /// Enabled capabilities of the gateway API, for example `proto.refarray`.
    pub gateway: BTreeSet<String>,
    /// Enabled capabilities of the graph language, for example `exec.mount.bind`.
    pub llb: BTreeSet<String>,
    /// Platforms of the first worker; the first one is its own.
    pub platforms: Vec<pb::Platform>,
}

/// Gateway and graph capabilities without which a hardened build is not possible.
const REQUIRED: [(&str, bool); 4] = [
    ("proto.refarray", true),
    ("return", true),
    ("exec.mount.bind", false),
    ("source.local", false),
];

impl Capabilities {
    /// Names what a hardened build needs and this engine lacks; empty when it can build.
    pub fn missing(&self) -> Vec<&'static str> {
        REQUIRED
            .iter()
            .filter(|(cap, gateway)| {
                let offered = if *gateway { &self.gateway } else { &self.llb };
                !offered.contains(*cap)
            })
            .map(|(cap, _)| *cap)
            .collect()
    }
}

/// A request to make a result, either from a frontend or from a graph.
#[derive(Clone, Debug)]
pub enum Solve {
    /// Let the engine's frontend translate a Dockerfile; nothing runs yet.
    Frontend {
        /// Name of the frontend, for example `dockerfile.v0`.
        name: String,
        /// Its options (`filename`, `target`, `build-arg:…`).
        options: BTreeMap<String, String>,
        /// Graphs that it may use by name; `context` is the build context.
        inputs: BTreeMap<String, pb::Definition>,
    },
    /// Run exactly this graph.
    Definition {
        /// The graph.
        definition: pb::Definition,
        /// Whether to run it now rather than when a part of it is asked for.
        evaluate: bool,
    },
}

/// A handle on the engine's side and the graph behind it.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// The engine's name of the result; `None` for an empty image.
    pub reference: Option<String>,
    /// The graph that makes it; `None` for an empty image.
    pub definition: Option<pb::Definition>,
}

/// One solved result.
#[derive(Clone, Debug, Default)]
pub struct Solved {
    /// What was made, for each platform if the frontend told platforms apart.
    pub parts: Parts<Made>,
    /// What a frontend says about it, for example `containerimage.config`.
    pub metadata: BTreeMap<String, Vec<u8>>,
}

/// A place in a source file that the engine blames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blame {
    /// Name of the file as the engine knows it.
    pub filename: String,
    /// First and last line, both 1-based.
    pub lines: Vec<(usize, usize)>,
}

/// Why a call to the engine gave no result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BridgeError {
    /// The engine answered, and the answer is that the build failed.
    #[error("{message}")]
    Build {
        /// The engine's own words.
        message: String,
        /// Where in the Dockerfile, when the engine says so.
        blame: Option<Blame>,
    },
    /// The engine did not answer.
    #[error("lost the engine: {0}")]
    Lost(String),
}

impl BridgeError {
    /// Whether it says that a file is not there.
    pub fn is_missing_file(&self) -> bool {
        let missing = ["no such file or directory", "file does not exist", "not found"];
        matches!(self, Self::Build { message, .. } if missing.iter().any(|m| message.contains(m)))
    }
}

/// BuildKit as a frontend sees it.
pub trait Bridge {
    /// Asks what the engine can do.
    fn ping(&self) -> impl Future<Output = Result<Capabilities, BridgeError>> + Send;
    /// Makes a result.
    fn solve(&self, request: Solve) -> impl Future<Output = Result<Solved, BridgeError>> + Send;
    /// Reads one whole file of a result; `limit` bounds its size in bytes.
    fn read_file(
        &self,
        reference: &str,
        path: &str,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<u8>, BridgeError>> + Send;
    /// Reads the first `length` bytes of a file of a result; a shorter file gives all it has.
    fn read_start(
        &self,
        reference: &str,
        path: &str,
        length: usize,
    ) -> impl Future<Output = Result<Vec<u8>, BridgeError>> + Send;
    /// Runs a program in a container of its own, until it has said everything.
    ///
    /// A program that fails is a result; one whose output is larger than the limit, cut off, or
    /// that could not be started is an error.
    fn run(
        &self,
        container: Container,
        input: Option<Input>,
        limits: Limits,
    ) -> impl Future<Output = Result<Ended, BridgeError>> + Send;
}
