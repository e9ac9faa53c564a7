//! An endpoint with everything that goes along with each request to it.

use std::fmt;

use super::Endpoint;

/// A header of the user's own; its value may be a credential of a proxy and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The header's name.
    pub name: String,
    /// The header's value.
    pub value: String,
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

/// How to talk to a Docker engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Headers of every HTTP request (`HttpHeaders`, `DOCKER_CUSTOM_HEADERS`).
    pub headers: Vec<Header>,
    /// The API version to speak, `1.41` and the like (`DOCKER_API_VERSION`); none asks the engine.
    pub api_version: Option<(usize, usize)>,
    /// Which of the user's words led here, as a phrase: `the context "x"`.
    pub origin: String,
}

impl From<Endpoint> for Connection {
    fn from(endpoint: Endpoint) -> Self {
        Self { endpoint, headers: Vec::new(), api_version: None, origin: String::new() }
    }
}
