//! What is asked of registries directly: tokens, so that passwords need not go to the engine, and
//! names for what an engine pushed without one.

mod challenge;
mod http;
mod manifest;
mod proxy;
mod repository;
mod token;

pub use http::{Http, HttpError};
pub use manifest::Manifest;
pub use proxy::ProxyVariables;
pub use repository::{RegistryError, Repository};
pub use token::{Token, TokenError, TokenRequest, fetch};
