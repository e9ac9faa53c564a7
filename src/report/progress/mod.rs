//! How the progress of a build is shown: what was asked for, what the engine told, and the formats.

use std::time::Duration;

pub(crate) mod bytes;
pub mod colors;
pub(crate) mod columns;
mod definition;
mod gojson;
mod group;
pub(crate) mod interval;
mod jobs;
pub(crate) mod limiter;
mod lines;
mod picture;
pub(crate) mod rawjson;
pub mod settings;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod time;
pub(crate) mod trace;
pub(crate) mod tty;
pub(crate) mod vertex;
mod window;

/// How long the caller waits after the last message before it has the picture refreshed.
pub const REFRESH: Duration = Duration::from_millis(150);

/// Messages closer together than this are shown together.
pub const MESSAGES: Duration = Duration::from_millis(100);
