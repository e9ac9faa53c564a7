//! What was asked for: flags, environment and files become one value, once.
//!
//! Nothing later reads the environment, and everything that can be wrong without an engine is
//! found here, before anything starts. One file for each idea: `flags` holds what was typed, the
//! others say what it means.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_frontend::build::smoke::Command;
use cofferdam_frontend::pins::reference::Reference;
use cofferdam_frontend::source_policy::SourcePolicy;

use crate::config::{Exceptions, Rules};
use crate::engine::session::{RegistryAuth, SecretStore, SshAgents};
use crate::error::Error;
use crate::registry::Http;
use crate::report::progress::settings::ProgressSettings;

mod allow;
mod annotation;
mod attest;
pub(crate) mod boolean;
mod builder;
mod call;
mod connection;
mod context;
mod csv;
mod docker_engines;
mod dockerfile;
mod environment;
mod flags;
mod hosts;
mod image;
mod known_hosts;
mod limits;
mod lock;
mod locking;
mod metadata;
mod named;
mod network;
mod output;
mod pairs;
mod platform;
mod policy;
mod progress;
mod read;
mod refusals;
mod secret;
mod size;
mod smoke;
mod source_policy;
mod ssh;
mod tags;
mod vcs;

pub use allow::Allow;
pub use annotation::{Annotation, AnnotationKind};
pub use attest::{Attest, Attests, parameters as attest_parameters};
pub use builder::Target;
pub use call::{Call, CallFormat, CallMethod};
pub use connection::{Docker, docker};
pub use context::Context;
pub use docker_engines::DockerEngines;
pub use dockerfile::{DockerfileSource, DockerfileText};
pub use environment::Environment;
pub use flags::{BuildFlags, ConnectionFlags, ImageFlags, LockFlags};
pub use hosts::{ExtraHost, HostAddress};
pub use image::{ImageRequest, image};
pub use limits::{Limits, Resources, Ulimit};
pub use lock::LOCK_FILE;
pub use locking::{LockAction, LockFormat, LockRequest, Upgrade, lock};
pub use metadata::{MetadataContent, MetadataProvenance};
pub use named::NamedContext;
pub use network::Network;
pub use output::{Attrs, Dest, Driver, LocalMode, Output, Outputs};
pub use policy::Policy;
pub use read::read;
pub use tags::Keep;

/// One build, checked as far as it can be without an engine.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// Where COPY and ADD read from.
    pub context: Context,
    /// The Dockerfile, or where it is.
    pub dockerfile: DockerfileSource,
    /// Contexts that have names.
    pub named_contexts: BTreeMap<String, NamedContext>,
    /// Names to give the image.
    pub tags: Vec<Reference>,
    /// The same as they were typed.
    pub typed_tags: Vec<String>,
    /// Stage to build.
    pub target: Option<String>,
    /// Platforms to build for, in normal form; the engine's own when there is none.
    pub platforms: Vec<String>,
    /// Whether an index is made even of one platform.
    pub index: bool,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: Vec<Annotation>,
    /// Build arguments.
    pub build_args: BTreeMap<String, String>,
    /// Secrets.
    pub secrets: SecretStore,
    /// Agents that steps may use.
    pub ssh: Option<SshAgents>,
    /// The network of RUN steps.
    pub network: Network,
    /// Names that RUN steps can resolve.
    pub hosts: Vec<ExtraHost>,
    /// What RUN steps may use.
    pub limits: Limits,
    /// What RUN steps may ask for.
    pub allow: Allow,
    /// Files that keep their bits, from the command line and from `cofferdam.toml`.
    pub keep: Vec<Keep>,
    /// Whether file capabilities are removed.
    pub strip_capabilities: bool,
    /// What has to work in the image.
    pub smoke: Vec<Command>,
    /// What `cofferdam.toml` allows this Dockerfile.
    pub exceptions: Exceptions,
    /// What it asks of every Dockerfile.
    pub rules: Rules,
    /// The lock file, whether it exists or not.
    pub lock_path: PathBuf,
    /// Whether inputs that the lock does not hold are refused.
    pub locked: bool,
    /// Statements that BuildKit is to add.
    pub attests: Attests,
    /// buildx's policies.
    pub policy: Policy,
    /// BuildKit's source policy.
    pub source_policy: SourcePolicy,
    /// What is asked instead of building.
    pub call: Option<Call>,
    /// Where the result goes.
    pub outputs: Outputs,
    /// Whether only the image's ID is printed.
    pub print_id: bool,
    /// How progress is shown.
    pub progress: ProgressSettings,
    /// Where to write the image's ID.
    pub iidfile: Option<PathBuf>,
    /// Where to write what was built.
    pub metadata_file: Option<PathBuf>,
    /// What that file tells beyond the image.
    pub metadata: MetadataContent,
    /// The builder: what builds, and how to reach it.
    pub builder: Target,
    /// Docker engines that what a BuildKit daemon built can be loaded into.
    pub docker: DockerEngines,
    /// Registry credentials.
    pub auth: RegistryAuth,
    /// How registries are asked from here.
    pub http: Arc<Http>,
    /// Where records are kept.
    pub data_dir: PathBuf,
    /// Where short-lived state is kept.
    pub state_dir: Option<PathBuf>,
    /// What git is asked about the context.
    pub vcs: Option<crate::vcs::Question>,
    /// Whether this runs in CI.
    pub in_ci: bool,
    /// What is worth a line before the build begins.
    pub notices: Vec<String>,
}

impl BuildRequest {
    /// The platform, if there is just one.
    pub fn platform(&self) -> Option<&str> {
        match self.platforms.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The context's directory, an empty one where there is none.
    pub fn directory(&self) -> PathBuf {
        self.context.dir().unwrap_or_else(|| Path::new("/var/empty")).to_path_buf()
    }

    /// Standard input turned out to be a Dockerfile: it needs no files.
    pub fn with_dockerfile_of_stdin(self, bytes: Vec<u8>) -> Result<Self, Error> {
        if self.dockerfile != DockerfileSource::Stdin {
            return Err(Error::usage_hint(
                "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles",
                "leave -f out, or send an archive that holds the file",
            ));
        }
        let dockerfile = DockerfileSource::Local(DockerfileText::nameless("stdin", bytes));
        Ok(Self { context: Context::Empty, dockerfile, ..self })
    }

    /// Standard input turned out to be an archive: it holds the Dockerfile.
    pub fn with_archive_of_stdin(self) -> Self {
        match self.dockerfile {
            DockerfileSource::Stdin => {
                Self { dockerfile: DockerfileSource::InContext { name: None }, ..self }
            }
            _ => self,
        }
    }
}

/// Whether a text says yes, as Go reads it.
pub fn is_true(text: &str) -> bool {
    boolean::parse(text) == Ok(true)
}

/// A file of an earlier build must not survive a failure of this one.
fn remove_if_there(path: &Path) -> Result<(), Error> {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    match std::fs::remove_file(path) {
        // What is wrong with the place itself is told where it is checked.
        Err(error) if !matches!(error.kind(), NotFound | IsADirectory | NotADirectory) => {
            Err(Error::io(format!("remove the old {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}
