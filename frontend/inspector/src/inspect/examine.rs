//! What looks at the names and bytes of a layer: several at once, in one walk.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, OnceLock};

use rustix::fs::{FileType, Stat};

use super::compare::Below;
use super::content::Content;
use crate::error::Failure;
use crate::report::encode_path;
use crate::report::inspection::LONGEST_PATH;
use crate::walk::Node;

/// Bytes of a path that are looked at; only hostile ones are longer, and a tree of them would cost
/// the square of its depth.
const PATH_SEEN: usize = 16 * 1024;

/// One thing that the layers of an image are examined for, the lowest first.
pub trait Examination: Sync {
    /// What one thread needs to examine a layer.
    fn examiner<'s>(&'s self, layer: LayerRoot<'s>) -> Box<dyn Examine + 's>;
    /// Ends a layer that has been seen whole.
    fn end(&mut self, layer: LayerRoot<'_>) -> Result<(), Failure> {
        let _ = layer;
        Ok(())
    }
}

/// A layer and what is below it, open.
#[derive(Debug, Clone, Copy)]
pub struct LayerRoot<'a> {
    /// The layer, counted from zero.
    pub number: usize,
    /// Its file system: with all that is below it, where [`Self::below`] is known.
    pub root: BorrowedFd<'a>,
    /// The file system that it was made on.
    pub below: Option<&'a Below>,
}

/// Looks at what a layer added or changed; each thread has its own.
///
/// Its findings go to the [`super::output::Sink`] that it was made with.
pub trait Examine: Send {
    /// Whether it wants to see extended attributes, which cost an open file for each name.
    fn wants_attributes(&self) -> bool;
    /// Sees a name: of a file, a directory, a link or anything else.
    fn name(&mut self, name: &Name<'_>);
    /// What it wants to see of a regular file.
    fn wants(&self, at: &At) -> Want;
    /// Sees the bytes of a regular file, from the first on.
    fn content(&mut self, at: &At, content: &mut Content) -> std::io::Result<()>;
}

/// What somebody wants to see of a regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Nothing.
    Nothing,
    /// Its bytes, if there are any, under one of its names.
    Bytes,
    /// Its bytes under each of its names, even when there are none: the name says what they mean.
    EachName,
}

/// A place in a layer.
#[derive(Debug)]
pub struct At {
    /// The layer, counted from zero.
    pub layer: usize,
    /// The directory.
    pub node: Arc<Node>,
    /// The entry of the directory; empty for the directory itself.
    pub name: Box<CStr>,
    /// What the file system says of it.
    pub stat: Stat,
    /// The path, once somebody has asked for it: several do.
    path: OnceLock<Vec<u8>>,
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
    /// Extended attributes, name and value, if somebody wants them.
    pub attributes: &'a [(Vec<u8>, Vec<u8>)],
}

impl At {
    /// A place, of which the file system says `stat`.
    pub fn new(layer: usize, node: Arc<Node>, name: Box<CStr>, stat: Stat) -> Self {
        Self { layer, node, name, stat, path: OnceLock::new() }
    }

    /// The path within the image; the end of it if it is longer than anybody's.
    pub fn path(&self) -> &[u8] {
        self.path.get_or_init(|| self.node.end_of(&self.name, PATH_SEEN))
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
