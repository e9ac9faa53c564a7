//! What is asked of registries and other servers directly: tokens, so that passwords need not go to
//! the engine, names for what an engine pushed without one, and digests for the lock.

mod body;
mod challenge;
mod download;
mod http;
mod manifest;
mod platforms;
mod proxy;
mod repository;
mod token;

pub use body::Body;
pub use download::Downloaded;
pub use http::{Http, HttpError};
pub use manifest::Manifest;
pub use platforms::{Content, platform_of_config};
pub use proxy::ProxyVariables;
pub use repository::{Refusal, RegistryError, Repository};
pub use token::{Token, TokenError, TokenRequest, fetch};
