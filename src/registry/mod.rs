//! What is asked of registries directly: tokens, so that passwords need not go to the engine.

mod http;
mod proxy;
mod token;

pub use http::{Http, HttpError};
pub use proxy::ProxyVariables;
pub use token::{Token, TokenError, TokenRequest, fetch};
