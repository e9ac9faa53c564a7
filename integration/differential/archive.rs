//! Facts about an archive that a build wrote: of a tree, or of images.

use std::io::{Read, Result};

use crate::facts::Facts;
use crate::normal::Normal;
use crate::tree;

/// Adds `PREFIX/tree/…` for an archive of files.
pub fn tell(facts: &mut Facts, _normal: &Normal, prefix: &str, tar: impl Read) -> Result<()> {
    tree::of_tar(facts, prefix, tar)
}
