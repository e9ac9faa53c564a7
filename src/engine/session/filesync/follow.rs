//! Resolution of followed paths: the engine names files it will copy, and the links on the way to them
//! and their targets have to be sent too. Scoped to the tree, with the semantics of fsutil's `FollowLinks`.

use std::collections::BTreeSet;

use rustix::{
    fs::{AtFlags, FileType, readlinkat, statat},
    io::Errno,
};

use super::{
    disk::{full_path, is_gone},
    error::FilesyncError,
    names::Names,
    patternmatcher::{
        clean::{base, clean, dir, join},
        gomatch,
    },
    root::Root,
};

/// More targets than any real context has; ends what a hostile tangle of wildcards and links could cost.
const MAX_STEPS: usize = 1_000_000;

/// Looks at links of a tree.
pub(super) trait Links {
    /// Target of a symbolic link; `None` if there is no such entry or it is no link.
    fn target(&self, path: &str) -> Result<Option<String>, FilesyncError>;
    /// Names in a directory; `None` if there is no such directory.
    fn names(&self, path: &str) -> Result<Option<Vec<String>>, FilesyncError>;
}

/// A tree without links.
pub(super) struct NoLinks;

impl Links for NoLinks {
    fn target(&self, _: &str) -> Result<Option<String>, FilesyncError> {
        Ok(None)
    }

    fn names(&self, _: &str) -> Result<Option<Vec<String>>, FilesyncError> {
        Ok(None)
    }
}

impl Links for Root {
    fn target(&self, path: &str) -> Result<Option<String>, FilesyncError> {
        let found = self.open_dir(root_relative(&dir(path)).as_bytes()).and_then(|parent| {
            let stat = statat(&parent, base(path), AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
                return Ok(None);
            }
            readlinkat(&parent, base(path), Vec::new()).map(Some)
        });
        match found {
            Ok(target) => Ok(target.map(|target| target.to_string_lossy().into_owned())),
            Err(error) => absent(self, path, error).map(|()| None),
        }
    }

    fn names(&self, path: &str) -> Result<Option<Vec<String>>, FilesyncError> {
        use std::os::fd::AsFd as _;
        let listed =
            self.open_dir(root_relative(path).as_bytes()).and_then(|dir| Names::read(dir.as_fd()));
        match listed {
            Ok(names) => Ok(Some(
                (0..)
                    .map_while(|at| names.get(at))
                    .map(|(name, _)| name.to_string_lossy().into_owned())
                    .collect(),
            )),
            Err(error) => absent(self, path, error).map(|()| None),
        }
    }
}

fn root_relative(path: &str) -> &str {
    if path == "." { "" } else { path.trim_start_matches('/') }
}

fn absent(root: &Root, path: &str, source: Errno) -> Result<(), FilesyncError> {
    if is_gone(source) {
        return Ok(());
    }
    let path = full_path(root, root_relative(path).as_bytes());
    Err(FilesyncError::Io { action: "resolve", path, source })
}

/// Include patterns for the paths and everything their links lead to; `None` means the whole tree.
pub(super) fn follow_links(
    links: &dyn Links,
    paths: &[String],
) -> Result<Option<Vec<String>>, FilesyncError> {
    let mut resolver = Resolver { links, resolved: BTreeSet::new(), steps: 0 };
    for path in paths {
        resolver.append(path)?;
    }
    Ok(dedupe(resolver.resolved.into_iter().collect()))
}

/// Drops paths below the one before; `None` if the root is among them.
pub(super) fn dedupe(paths: Vec<String>) -> Option<Vec<String>> {
    let mut kept: Vec<String> = Vec::with_capacity(paths.len());
    for path in paths {
        if path == "." {
            return None;
        }
        let above = kept.last().map_or("", String::as_str);
        if !path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/')) {
            kept.push(path);
        }
    }
    Some(kept)
}

struct Resolver<'l> {
    links: &'l dyn Links,
    resolved: BTreeSet<String>,
    steps: usize,
}

impl Resolver<'_> {
    fn append(&mut self, path: &str) -> Result<(), FilesyncError> {
        // A work list instead of recursion, so that chains of links cost no stack.
        let mut work = vec![path.to_owned()];
        while let Some(path) = work.pop() {
            let mut targets = self.resolve(&path)?;
            targets.reverse();
            work.append(&mut targets);
        }
        Ok(())
    }

    /// Follows one path to its first link and returns where to go on.
    fn resolve(&mut self, path: &str) -> Result<Vec<String>, FilesyncError> {
        let path = clean(path.trim_start_matches('/'));
        // A leading `..` cannot leave the root.
        let path = path.trim_start_matches("../");
        let mut rest = if path == ".." { "." } else { path };
        let mut current = ".".to_owned();
        loop {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(FilesyncError::TooManyEntries);
            }
            let (part, tail) = rest.split_once('/').unwrap_or((rest, ""));
            current = join(&current, part);
            let targets = self.read_link(&current, true)?;
            rest = tail;
            let Some(targets) = targets else {
                if rest.is_empty() {
                    self.resolved.insert(current);
                    return Ok(Vec::new());
                }
                continue;
            };
            if !self.resolved.insert(current) {
                return Ok(Vec::new());
            }
            return Ok(targets.iter().map(|target| join(target, rest)).collect());
        }
    }

    fn read_link(&self, path: &str, wildcards: bool) -> Result<Option<Vec<String>>, FilesyncError> {
        let name = base(path);
        if wildcards && has_wildcards(name) {
            let parent = dir(path);
            let mut targets: Option<Vec<String>> = None;
            for entry in self.links.names(&parent)?.unwrap_or_default() {
                if gomatch::matches(name.as_bytes(), entry.as_bytes()).unwrap_or(false)
                    && let Some(found) = self.read_link(&join(&parent, &entry), false)?
                {
                    targets.get_or_insert_default().extend(found);
                }
            }
            return Ok(targets);
        }
        if path == "." {
            return Ok(None);
        }
        let Some(target) = self.links.target(path)? else {
            return Ok(None);
        };
        let target = clean(&target);
        if target.starts_with('/') {
            return Ok(Some(vec![target]));
        }
        Ok(Some(vec![join("/", &join(&dir(path), &target))]))
    }
}

fn has_wildcards(name: &str) -> bool {
    let mut escaped = false;
    name.chars().any(|c| {
        let literal = std::mem::take(&mut escaped);
        escaped = c == '\\' && !literal;
        !literal && matches!(c, '*' | '?' | '[')
    })
}
