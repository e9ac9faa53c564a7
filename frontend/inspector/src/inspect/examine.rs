//! What looks at the names and bytes of a layer: several at once, in one walk.

use std::sync::Arc;

use rustix::fs::{FileType, Stat};

use super::content::Content;
use crate::report::encode_path;
use crate::report::inspection::LONGEST_PATH;
use crate::walk::Node;

/// Bytes of a path that are looked at; only hostile ones are longer, and a tree of them would cost
/// the square of its depth.
const PATH_SEEN: usize = 16 * 1024;

/// Looks at what a layer added or changed; each thread has its own.
///
/// Its findings go to the [`super::output::Sink`] that it was made with.
pub trait Examine: Send {
    /// Sees a name: of a file, a directory, a link or anything else.
    fn name(&mut self, name: &Name<'_>);
    /// Whether it wants to see the bytes of a regular file.
    fn wants(&self, at: &At) -> bool;
    /// Sees the bytes of a regular file, from the first on.
    fn content(&mut self, at: &At, content: &mut Content) -> std::io::Result<()>;
}

/// A place in a layer.
#[derive(Debug, Clone)]
pub struct At {
    /// The layer, counted from zero.
    pub layer: usize,
    /// The directory.
    pub node: Arc<Node>,
    /// The entry of the directory; empty for the directory itself.
    pub name: Box<std::ffi::CStr>,
    /// What the file system says of it.
    pub stat: Stat,
}

/// A name, and what goes with it without being a file's bytes.
#[derive(Debug)]
pub struct Name<'a> {
    /// Where.
    pub at: &'a At,
    /// What kind of file.
    pub kind: FileType,
    /// What a symbolic link leads to.
    pub target: Option<&'a [u8]>,
    /// Extended attributes: name and value.
    pub attributes: &'a [(Vec<u8>, Vec<u8>)],
}

impl At {
    /// The path within the image; the end of it if it is longer than anybody's.
    pub fn path(&self) -> Vec<u8> {
        self.node.end_of(&self.name, PATH_SEEN)
    }
}

/// A path as it goes into a record.
pub fn shown(path: &[u8]) -> String {
    let text = encode_path(path);
    let mut start = text.len().saturating_sub(LONGEST_PATH);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default().to_string()
}
