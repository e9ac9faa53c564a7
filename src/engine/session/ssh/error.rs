//! Why an agent cannot be offered.

use std::path::PathBuf;

/// What is wrong with a `--ssh` value.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// Nothing is named and the environment has none.
    #[error("--ssh {id}: there is no ssh agent; set SSH_AUTH_SOCK, or name a key: --ssh {id}=PATH")]
    NoAgent {
        /// The id.
        id: String,
    },
    /// The same id again.
    #[error("--ssh names the id {id:?} twice")]
    Twice {
        /// The id.
        id: String,
    },
    /// A path cannot be read.
    #[error("cannot read the ssh key or socket {}: {source}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nobody listens there.
    #[error("no ssh agent answers at {}: {source}", path.display())]
    Dead {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Sockets and keys, or several sockets.
    #[error("--ssh {id}: name either one socket or private keys, not both")]
    Mixed {
        /// The id.
        id: String,
    },
    /// Raw needs one socket.
    #[error("--ssh {id}: raw=true needs exactly one socket")]
    Raw {
        /// The id.
        id: String,
    },
    /// A key needs a passphrase.
    #[error(
        "the ssh key {} is protected by a passphrase: ssh-add it to an agent and give --ssh default",
        path.display()
    )]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// A file is no private key.
    #[error("{} is neither a socket nor a private ssh key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A key of a kind that is not signed with here.
    #[error(
        "the ssh key {} is of a kind that only an agent can use (known: RSA from 2048 bits on, ECDSA P-256 and P-384, Ed25519): ssh-add it and give --ssh default",
        path.display()
    )]
    Unsupported {
        /// The file.
        path: PathBuf,
    },
}
