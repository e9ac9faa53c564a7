//! Results of one or of several platforms.

use std::collections::BTreeMap;

use super::BridgeError;

/// Something of a result: one, or one for each platform by the platform's id.
///
/// A map of one platform and a single result are different things to an exporter: the first makes
/// an index. Source: moby/buildkit, frontend/gateway/pb/gateway.proto, `Result`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts<T> {
    /// The result has no platforms.
    One(T),
    /// `linux/arm64` and the like to what was made for it.
    PerPlatform(BTreeMap<String, T>),
}

impl<T: Default> Default for Parts<T> {
    fn default() -> Self {
        Self::One(T::default())
    }
}

impl<T> Parts<T> {
    /// Each part with its platform's id, if it has one.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (Option<&str>, &T)> + Send + '_>
    where
        T: Sync,
    {
        match self {
            Self::One(part) => Box::new(std::iter::once((None, part))),
            Self::PerPlatform(parts) => {
                Box::new(parts.iter().map(|(id, part)| (Some(id.as_str()), part)))
            }
        }
    }

    /// The only part; of a map it is the only entry.
    pub fn single(self) -> Result<T, BridgeError> {
        let message = match self {
            Self::One(part) => return Ok(part),
            Self::PerPlatform(mut parts) => match (parts.pop_first(), parts.len()) {
                (Some((_, part)), 0) => return Ok(part),
                (_, more) => format!("expected one result, the engine gave {}", more + 1),
            },
        };
        Err(BridgeError::Build { message, blame: None })
    }
}

/// What an exporter gets.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The engine's names of the results; `None` for an empty image.
    pub references: Parts<Option<String>>,
    /// What goes with them, the image configurations included.
    pub metadata: BTreeMap<String, Vec<u8>>,
    /// The engine's names of directories that describe the images, by platform.
    pub sboms: BTreeMap<String, String>,
}
