//! Names of the image, and files of it that keep their bits.

use cofferdam_frontend::pins::reference::Reference;

use crate::config;
use crate::error::Error;

/// A file that keeps its set-uid bit, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Absolute path in the image.
    pub path: String,
    /// The reason, for the record.
    pub reason: String,
}

/// Reads `--tag`.
pub(super) fn read(name: &str) -> Result<Reference, Error> {
    Reference::parse_tag_name(name).map_err(|error| {
        Error::usage_hint(
            format!("invalid tag {name:?}: {error}"),
            "write -t name:tag, in lower case",
        )
    })
}

/// What the command line keeps, and what the configuration keeps beside it.
pub(super) fn keep_list(
    typed: &[String],
    configured: Vec<config::Keep>,
) -> Result<Vec<Keep>, Error> {
    let mut list: Vec<Keep> = typed.iter().map(|entry| keep(entry)).collect::<Result<_, _>>()?;
    for config::Keep { path, reason, .. } in configured {
        if list.iter().all(|keep| keep.path != path) {
            list.push(Keep { path, reason });
        }
    }
    Ok(list)
}

/// Reads `--keep-suid`.
fn keep(entry: &str) -> Result<Keep, Error> {
    let wrong = |what: &str| {
        Error::usage_hint(
            format!("--keep-suid {entry:?}: {what}"),
            "write --keep-suid /absolute/path='why it needs the bit'",
        )
    };
    let (path, reason) = entry.split_once('=').ok_or_else(|| wrong("it gives no reason"))?;
    if !path.starts_with('/') {
        return Err(wrong("the path is not absolute"));
    }
    if reason.trim().is_empty() {
        return Err(wrong("it gives no reason"));
    }
    Ok(Keep { path: path.to_string(), reason: reason.trim().to_string() })
}
