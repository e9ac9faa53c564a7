//! A directory's place in the tree: its name and its parent, nothing more.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{Mode, openat};
use rustix::io::Errno;

use super::directory_flags;

/// A directory by its names from the root down.
///
/// Siblings share their ancestors, so a deep tree costs its depth once and not
/// once per path.
#[derive(Debug)]
pub struct Node {
    parent: Option<Arc<Node>>,
    name: Box<CStr>,
}

impl Node {
    /// The root of the walk.
    pub fn root() -> Arc<Self> {
        Arc::new(Self { parent: None, name: Box::default() })
    }

    /// The directory `name` in `parent`.
    pub fn child(parent: &Arc<Self>, name: Box<CStr>) -> Arc<Self> {
        Arc::new(Self { parent: Some(Arc::clone(parent)), name })
    }

    /// The directory it is in; `None` for the root.
    pub fn parent(&self) -> Option<&Arc<Self>> {
        self.parent.as_ref()
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    /// The absolute path within the root; `/` for the root itself.
    pub fn path(&self) -> Vec<u8> {
        let path = self.join(&[]);
        if path.is_empty() { b"/".to_vec() } else { path }
    }

    /// The absolute path of an entry of this directory.
    pub fn path_of(&self, name: &CStr) -> Vec<u8> {
        self.join(name.to_bytes())
    }

    /// The last bytes of the path of an entry, or of the directory when `name` is empty; whole names
    /// as far as they fit, and the last one always.
    pub fn end_of(&self, name: &CStr, longest: usize) -> Vec<u8> {
        let (mut names, mut length) = (Vec::new(), 0);
        let mut node = Some(self);
        let mut next = Some(name).filter(|name| !name.is_empty());
        while let Some(here) = node {
            let name = match next.take() {
                Some(name) => name,
                None => {
                    let Some(parent) = &here.parent else { break };
                    node = Some(parent);
                    &*here.name
                }
            };
            length += name.count_bytes() + 1;
            if length > longest && !names.is_empty() {
                break;
            }
            names.push(name);
        }
        if names.is_empty() {
            return b"/".to_vec();
        }
        let mut path = Vec::with_capacity(length);
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name.to_bytes());
        }
        path
    }

    fn join(&self, last: &[u8]) -> Vec<u8> {
        let names = self.names();
        let length = names.iter().map(|name| name.count_bytes() + 1).sum::<usize>();
        let mut path = Vec::with_capacity(length + 1 + last.len());
        for name in names.iter().rev().map(|name| name.to_bytes()) {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if !last.is_empty() {
            path.push(b'/');
            path.extend_from_slice(last);
        }
        path
    }

    /// Names from here up, the root's left out.
    fn names(&self) -> Vec<&CStr> {
        let mut names = Vec::new();
        let mut node = self;
        while let Some(parent) = &node.parent {
            names.push(&*node.name);
            node = parent;
        }
        names
    }

    /// Opens the directory name by name, so that neither its length nor a link matters.
    pub fn open(&self, root: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        let mut fd = openat(root, c".", directory_flags(), Mode::empty())?;
        for name in self.names().iter().rev() {
            fd = openat(fd.as_fd(), *name, directory_flags(), Mode::empty())?;
        }
        Ok(fd)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Dropping a long chain the usual way recurses once per level and would
        // overflow the stack on a hostile depth.
        let mut next = self.parent.take();
        while let Some(mut node) = next.and_then(Arc::into_inner) {
            next = node.parent.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_and_joined_by_one_slash() {
        let root = Node::root();
        let usr = Node::child(&root, c"usr".into());
        let bin = Node::child(&usr, c"bin".into());
        assert_eq!(root.path(), b"/");
        assert_eq!(root.path_of(c"su"), b"/su");
        assert_eq!(bin.path(), b"/usr/bin");
        assert_eq!(bin.path_of(c"su"), b"/usr/bin/su");
    }

    #[test]
    fn the_end_of_a_path_has_whole_names() {
        let usr = Node::child(&Node::root(), c"usr".into());
        let bin = Node::child(&usr, c"bin".into());
        assert_eq!(bin.end_of(c"su", 100), b"/usr/bin/su");
        assert_eq!(bin.end_of(c"", 100), b"/usr/bin");
        assert_eq!(bin.end_of(c"su", 8), b"/bin/su");
        assert_eq!(bin.end_of(c"long-name", 3), b"/long-name");
        assert_eq!(Node::root().end_of(c"", 3), b"/");
    }

    #[test]
    fn a_million_levels_are_dropped_without_recursion() {
        let mut node = Node::root();
        for _ in 0..1_000_000 {
            node = Node::child(&node, c"d".into());
        }
        drop(node);
    }
}
