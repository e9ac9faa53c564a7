//! Which builder builds: flags, then the environment, then buildx's store, and a connection for
//! each of its nodes.

use std::path::{Path, PathBuf};

use super::Environment;
use super::connection::secured;
use crate::builders::{Asked, Builder, BuilderError, Contexts, Driver, Node, Reach, find};
use crate::engine::{Connection, Container, Endpoint, EngineKind, TlsFiles};
use crate::error::Error;
use crate::report::progress::settings as report;

/// The builder that builds.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it is.
    pub builder: Builder,
    /// How to reach each of its nodes, in their order.
    pub connections: Vec<Connection>,
}

impl Target {
    /// What answers at its nodes.
    pub fn kind(&self) -> EngineKind {
        match self.builder.driver {
            Driver::Docker => EngineKind::Docker,
            Driver::Container | Driver::Remote => EngineKind::BuildKit,
        }
    }

    /// What decides where a result goes when nobody says.
    pub fn outputs(&self) -> super::Driver {
        super::Driver {
            docker: self.builder.driver == Driver::Docker,
            default_load: self.builder.nodes.iter().any(|node| node.default_load),
        }
    }
}

impl Target {
    /// What buildx calls its driver.
    pub(super) fn driver(&self) -> &'static str {
        match self.builder.driver {
            Driver::Docker => "docker",
            Driver::Container => "docker-container",
            Driver::Remote => "remote",
        }
    }

    /// As buildx shows it.
    pub(super) fn shown(&self) -> report::Builder {
        report::Builder { name: self.builder.name.clone(), driver: self.driver().into() }
    }
}

/// What the search starts from.
pub(super) struct From<'a> {
    /// `--builder`, wherever it was given.
    pub flag: Option<&'a str>,
    /// Whether `--host` or `--context` was given.
    pub engine_named: bool,
    /// Docker's configuration directory.
    pub config_dir: &'a Path,
    /// The engine in use.
    pub engine: &'a Connection,
    /// What is known of contexts.
    pub contexts: Contexts<'a>,
    /// The engine of a context, or at an address.
    pub engine_at: &'a dyn Fn(&str) -> Result<Connection, Error>,
}

/// Finds the builder. Reads the store and certificates; nothing is dialled.
pub(super) fn target(from: &From<'_>, environment: &Environment) -> Result<Target, Error> {
    let (builder, host) = (environment.var("BUILDX_BUILDER"), environment.var("BUILDKIT_HOST"));
    let asked = Asked {
        name: from.flag.or(builder.as_deref()),
        buildkit_host: host.as_deref().filter(|_| !from.engine_named),
    };
    let builder =
        find(&directory(from.config_dir, environment), asked, from.contexts).map_err(wrong)?;
    let connections = builder.nodes.iter().map(|node| connection(&builder, node, from));
    let connections = connections.collect::<Result<_, _>>()?;
    Ok(Target { builder, connections })
}

fn wrong(error: BuilderError) -> Error {
    let hint = error.hint();
    Error::usage_hint(error.to_string(), hint)
}

/// `BUILDX_CONFIG`, else beside Docker's configuration.
fn directory(config_dir: &Path, environment: &Environment) -> PathBuf {
    let set = environment.os_var("BUILDX_CONFIG").filter(|directory| !directory.is_empty());
    set.map_or_else(|| config_dir.join("buildx"), PathBuf::from)
}

fn connection(builder: &Builder, node: &Node, from: &From<'_>) -> Result<Connection, Error> {
    let endpoint = match &node.reach {
        Reach::Docker(_) => return Ok(from.engine.clone()),
        Reach::Container { docker, container } => {
            let docker = match docker {
                None => from.engine.clone(),
                Some(engine) => (from.engine_at)(engine)?,
            };
            let builder = (builder.driver == Driver::Container).then(|| builder.name.clone());
            let container = Container { docker, name: container.clone(), builder };
            Endpoint::Container(Box::new(container))
        }
        Reach::Unix(path) => Endpoint::Unix(path.clone()),
        Reach::Tcp(address, None) => Endpoint::Tcp(address.clone()),
        Reach::Tcp(address, Some(options)) => {
            let (cert, key) = options.pair.clone().unzip();
            let files = TlsFiles {
                ca: Some(options.ca.clone()),
                cert,
                key,
                server_name: options.server_name.clone(),
                http2: true,
                skip_verify: false,
            };
            secured(Endpoint::Tcp(address.clone()), files)?
        }
    };
    Ok(Connection::from(endpoint))
}
