//! Builders: which BuildKit builds, by buildx's own store.
//!
//! Nothing is dialled and no environment is read here: the store's directory and what Docker's
//! contexts are come from outside.

use std::path::Path;

mod error;
mod pick;
mod platform;
mod reach;
mod store;
pub(crate) mod suggest;
#[cfg(test)]
mod tests;

pub use error::BuilderError;
pub use pick::{Pick, Share, among, by_store};
pub use platform::Platform;
pub use reach::{Reach, TlsOptions};

use store::{Instance, InstanceNode, Store};

/// What buildx's docker-container driver calls its containers, before the node's name.
const CONTAINER_PREFIX: &str = "buildx_buildkit_";
/// The context that stands for no context.
const DEFAULT_CONTEXT: &str = "default";

/// What runs BuildKit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A Docker engine: what was built lands in its store.
    Docker,
    /// A container of buildx's.
    Container,
    /// A buildkitd that somebody else looks after.
    Remote,
}

/// A builder and its nodes, of which there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builder {
    /// Its name; `BUILDKIT_HOST` for the one that this variable makes.
    pub name: String,
    /// What all its nodes are.
    pub driver: Driver,
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// One BuildKit of a builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its address as it was written, for messages.
    pub address: String,
    /// How to get there.
    pub reach: Reach,
    /// The platforms that it was created for; it can build others.
    pub platforms: Vec<Platform>,
    /// Whether what is built there goes into Docker's store when nobody says otherwise.
    pub default_load: bool,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// `--builder`, else `BUILDX_BUILDER`; empty is none.
    pub name: Option<&'a str>,
    /// `BUILDKIT_HOST`, unless an engine was named on the command line; empty is none.
    pub buildkit_host: Option<&'a str>,
}

/// What is known of Docker's contexts.
#[derive(Clone, Copy)]
pub struct Contexts<'a> {
    /// The context in use.
    pub current: &'a str,
    /// The address of the default context's engine, as `DOCKER_HOST` is written.
    pub default_host: &'a str,
    /// The names of all contexts but the default one; only called when they matter.
    pub names: &'a dyn Fn() -> Vec<String>,
}

/// Finds the builder in the store below `directory`: the one that was asked for, else the one that
/// was chosen with `docker buildx use`, else `BUILDKIT_HOST`, else the Docker engine in use.
pub fn find(
    directory: &Path,
    asked: Asked<'_>,
    contexts: Contexts<'_>,
) -> Result<Builder, BuilderError> {
    let store = Store::new(directory);
    if let Some(name) = asked.name.filter(|name| !name.is_empty()) {
        return match store.instance(name)? {
            Some(instance) => read(instance, &store, name),
            None => of_context(name, &store, contexts),
        };
    }
    let key = match contexts.current {
        DEFAULT_CONTEXT => contexts.default_host,
        name => name,
    };
    if let Some(instance) = store.current(key)? {
        let name = instance.name.clone();
        return read(instance, &store, &name);
    }
    match asked.buildkit_host.filter(|host| !host.is_empty()) {
        Some(address) => of_host(address),
        None => Ok(docker(contexts.current)),
    }
}

/// A builder that is a context of Docker's; it must be the one in use, as with buildx.
fn of_context(name: &str, store: &Store, contexts: Contexts<'_>) -> Result<Builder, BuilderError> {
    if name == contexts.current {
        return Ok(docker(name));
    }
    let mut names = (contexts.names)();
    if name == DEFAULT_CONTEXT || names.iter().any(|other| other == name) {
        return Err(BuilderError::OtherContext(name.into()));
    }
    names.extend(store.names());
    names.push(DEFAULT_CONTEXT.into());
    names.sort();
    names.dedup();
    Err(BuilderError::Unknown { name: name.into(), near: suggest::near(name, names) })
}

fn docker(context: &str) -> Builder {
    let node = Node {
        name: context.into(),
        address: context.into(),
        reach: Reach::Docker(context.into()),
        platforms: Vec::new(),
        default_load: false,
    };
    Builder { name: context.into(), driver: Driver::Docker, nodes: vec![node] }
}

fn of_host(address: &str) -> Result<Builder, BuilderError> {
    const NAME: &str = "BUILDKIT_HOST";
    let reach = Reach::parse(address)
        .map_err(|reason| BuilderError::Host { address: address.into(), reason })?;
    let node = Node {
        name: NAME.into(),
        address: address.into(),
        reach,
        platforms: Vec::new(),
        default_load: false,
    };
    Ok(Builder { name: NAME.into(), driver: Driver::Remote, nodes: vec![node] })
}

fn read(instance: Instance, store: &Store, asked: &str) -> Result<Builder, BuilderError> {
    let Instance { name, driver, nodes } = instance;
    if name.is_empty() {
        let reason = "it names no builder".into();
        return Err(BuilderError::Damaged { path: store.path(asked), reason });
    }
    let known = match driver.as_str() {
        "docker-container" => Driver::Container,
        "remote" => Driver::Remote,
        _ => return Err(BuilderError::Driver { builder: name, driver }),
    };
    let read = |node: InstanceNode| {
        let told = node.name.clone();
        read_node(node, known).map_err(|reason| BuilderError::Node {
            builder: name.clone(),
            node: told,
            reason,
        })
    };
    let nodes = nodes.unwrap_or_default().into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if nodes.is_empty() {
        return Err(BuilderError::NoNodes(name));
    }
    Ok(Builder { name, driver: known, nodes })
}

/// The error is a reason.
fn read_node(node: InstanceNode, driver: Driver) -> Result<Node, String> {
    let InstanceNode { name, endpoint, platforms, driver_opts } = node;
    let options = driver_opts.unwrap_or_default();
    let (reach, default_load) = match driver {
        Driver::Remote => Reach::remote(&endpoint, &options)?,
        // Its other options shaped the container when it was made.
        _ => {
            let load = options.get("default-load");
            let load = load.map_or(Ok(false), |load| reach::boolean("default-load", load))?;
            let container = format!("{CONTAINER_PREFIX}{name}");
            reach::check_container(&container)?;
            let docker = Some(endpoint.clone()).filter(|endpoint| !endpoint.is_empty());
            (Reach::Container { docker, container }, load)
        }
    };
    let platforms = platforms.unwrap_or_default();
    let platforms = platforms.iter().map(|p| Platform::new(&p.os, &p.architecture, &p.variant));
    Ok(Node { name, address: endpoint, reach, platforms: platforms.collect(), default_load })
}
