//! Why a builder cannot be used.

use std::path::PathBuf;

/// A builder cannot be used; found before anything is dialled.
#[derive(Debug, thiserror::Error)]
pub enum BuilderError {
    /// Nobody knows it.
    #[error("no builder {name:?} found")]
    Unknown {
        /// As it was named.
        name: String,
        /// A name that looks like it, or else all there are.
        near: Vec<String>,
    },
    /// It is a context that is not in use.
    #[error("the builder {0:?} is a Docker context, and another one is in use")]
    OtherContext(String),
    /// A file of the store is damaged.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file of the store cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its driver is none that we speak.
    #[error("the builder {builder:?} has the driver {driver:?}, which is not supported")]
    Driver {
        /// The builder.
        builder: String,
        /// What the store says.
        driver: String,
    },
    /// It has no nodes.
    #[error("the builder {0:?} has no nodes")]
    NoNodes(String),
    /// A node was created in a way that cannot work.
    #[error("the builder {builder:?} cannot be used: its node {node:?}: {reason}")]
    Node {
        /// The builder.
        builder: String,
        /// The node.
        node: String,
        /// Why.
        reason: String,
    },
    /// `BUILDKIT_HOST` makes no sense.
    #[error("BUILDKIT_HOST {address:?} cannot be used: {reason}")]
    Host {
        /// As it was given.
        address: String,
        /// Why.
        reason: String,
    },
}

impl BuilderError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { near, .. } => match near.as_slice() {
                [] => "`docker buildx ls` lists builders; without --builder and BUILDX_BUILDER \
                       the Docker engine builds"
                    .into(),
                [one] => format!("did you mean {one:?}?"),
                names => format!("there are {}", names.join(", ")),
            },
            Self::OtherContext(name) => format!("use `cofferdam --context={name} build`"),
            Self::Damaged { .. } => {
                "mend the file, or remove it and run `docker buildx create` again".into()
            }
            Self::Unreadable { .. } => {
                "make it readable for this user, or point BUILDX_CONFIG elsewhere".into()
            }
            Self::Driver { driver, .. } if driver == "kubernetes" => {
                "expose its buildkitd with a Service and `docker buildx create --driver remote \
                 tcp://HOST:PORT` with --driver-opt cacert=…,cert=…,key=…"
                    .into()
            }
            Self::Driver { .. } => {
                "known are docker, docker-container and remote: choose another with --builder"
                    .into()
            }
            Self::NoNodes(name) | Self::Node { builder: name, .. } => {
                format!(
                    "`docker buildx rm {name}`, then create it again; or choose another with --builder"
                )
            }
            Self::Host { .. } => {
                "write BUILDKIT_HOST=unix:///path, tcp://host:port or docker-container://name"
                    .into()
            }
        }
    }
}
