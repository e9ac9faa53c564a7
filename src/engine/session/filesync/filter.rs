//! Which entries of a tree are sent, with the semantics of fsutil's filtered file system.

use super::{
    error::{FilesyncError, Stop},
    patternmatcher::{BadPattern, MatchInfo, PatternError, PatternMatcher},
    stat::Stat,
};

/// Characters that make a pattern more than a path.
const PATTERN_CHARS: [char; 6] = ['*', '[', ']', '?', '^', '\\'];

/// Compiled include and exclude patterns.
#[derive(Debug, Default)]
pub(super) struct Filter {
    include: Option<Side>,
    exclude: Option<Side>,
}

/// One list of patterns and what it says about whole directories.
#[derive(Debug)]
struct Side {
    kind: &'static str,
    matcher: PatternMatcher,
    /// Paths with a trailing slash at or below which a pattern could still let something in;
    /// `None` when wildcards leave that open, so that every directory has to be walked.
    openings: Option<Vec<String>>,
}

impl Side {
    fn new(
        kind: &'static str,
        patterns: &[String],
        exclusions_open: bool,
    ) -> Result<Self, FilesyncError> {
        let matcher = PatternMatcher::new(patterns)
            .map_err(|source| FilesyncError::Patterns { kind, source })?;
        let openings = matcher
            .patterns()
            .iter()
            .filter(|pattern| pattern.exclusion() == exclusions_open)
            .map(|pattern| {
                let text = pattern.text();
                let text = text.strip_suffix("/**").unwrap_or(text);
                let text = text.strip_suffix("/*").unwrap_or(text);
                (!text.contains(PATTERN_CHARS)).then(|| format!("{text}/"))
            })
            .collect();
        Ok(Self { kind, matcher, openings })
    }

    fn judge(
        &self,
        path: &[u8],
        parent: Option<&MatchInfo>,
        info: Option<&mut MatchInfo>,
    ) -> Result<bool, FilesyncError> {
        self.matcher.matches_using_parent(path, parent, info).map_err(|BadPattern| {
            let all =
                self.matcher.patterns().iter().map(|p| p.text()).collect::<Vec<_>>().join(" ");
            FilesyncError::Patterns { kind: self.kind, source: PatternError::Syntax(all) }
        })
    }

    fn may_open_below(&self, dir_slash: &[u8]) -> bool {
        self.openings.as_ref().is_none_or(|openings| {
            openings.iter().any(|opening| opening.as_bytes().starts_with(dir_slash))
        })
    }
}

impl Filter {
    /// Compiles the lists; an empty list filters nothing.
    ///
    /// # Errors
    /// A malformed pattern.
    pub(super) fn new(include: &[String], exclude: &[String]) -> Result<Self, FilesyncError> {
        let side = |kind, patterns: &[String], exclusions_open| {
            (!patterns.is_empty()).then(|| Side::new(kind, patterns, exclusions_open)).transpose()
        };
        Ok(Self {
            include: side("include patterns", include, false)?,
            exclude: side("exclude patterns", exclude, true)?,
        })
    }
}

/// What a walk does with a directory next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Go on; below a directory too.
    Walk {
        /// The entry itself is filtered out, so that not being allowed to read it is no error.
        skipped: bool,
    },
    /// Nothing below can be sent.
    Prune,
}

/// Metadata on demand: `None` when the entry is gone by now.
pub(super) type Looked = Result<Option<Entry>, FilesyncError>;

/// An entry to be sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// What is announced.
    pub stat: Stat,
    /// Identity of the file, for noticing changes.
    pub identity: Identity,
    /// More than one name leads here.
    pub linked: bool,
}

/// Device and inode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    /// Device.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
}

/// A directory on the way to the current entry.
#[derive(Debug)]
struct Visited {
    path_slash: Vec<u8>,
    include: MatchInfo,
    exclude: MatchInfo,
    /// Metadata of a directory that is only sent if something below it is.
    waiting: Option<Looked>,
}

/// The state of one walk: feed it entries in order, get those that are sent, parents first.
#[derive(Debug)]
pub(super) struct FilterWalk<'f> {
    filter: &'f Filter,
    parents: Vec<Visited>,
}

impl<'f> FilterWalk<'f> {
    /// Starts at the root.
    pub(super) fn new(filter: &'f Filter) -> Self {
        Self { filter, parents: Vec::new() }
    }

    /// Judges one entry; `look` is called at most once, and only if the metadata may be needed.
    ///
    /// # Errors
    /// A malformed pattern, a failed look, or what `emit` returns.
    pub(super) fn visit(
        &mut self,
        path: &[u8],
        is_dir: bool,
        look: impl FnOnce() -> Looked,
        emit: &mut dyn FnMut(Entry) -> Result<(), Stop>,
    ) -> Result<Next, Stop> {
        while self.parents.last().is_some_and(|parent| !path.starts_with(&parent.path_slash)) {
            self.parents.pop();
        }
        let parent = self.parents.last();
        let (mut include, mut exclude) = (MatchInfo::default(), MatchInfo::default());
        let mut path_slash = Vec::new();
        if is_dir {
            path_slash.reserve_exact(path.len() + 1);
            path_slash.extend_from_slice(path);
            path_slash.push(b'/');
        }
        let mut skipped = false;
        if let Some(side) = &self.filter.include {
            let info = is_dir.then_some(&mut include);
            if !side.judge(path, parent.map(|p| &p.include), info)? {
                if is_dir && !side.may_open_below(&path_slash) {
                    return Ok(Next::Prune);
                }
                skipped = true;
            }
        }
        if let Some(side) = &self.filter.exclude {
            let info = is_dir.then_some(&mut exclude);
            if side.judge(path, parent.map(|p| &p.exclude), info)? {
                if is_dir && !side.may_open_below(&path_slash) {
                    return Ok(Next::Prune);
                }
                skipped = true;
            }
        }
        let mut waiting = None;
        if !skipped {
            let Some(entry) = look()? else {
                return Ok(Next::Prune);
            };
            if !self.flush_parents(emit)? {
                return Ok(Next::Prune);
            }
            emit(entry)?;
        } else if is_dir {
            waiting = Some(look());
        }
        if is_dir {
            self.parents.push(Visited { path_slash, include, exclude, waiting });
        }
        Ok(Next::Walk { skipped })
    }

    /// Sends the directories above that wait for a first entry; false when one is gone.
    fn flush_parents(
        &mut self,
        emit: &mut dyn FnMut(Entry) -> Result<(), Stop>,
    ) -> Result<bool, Stop> {
        for parent in &mut self.parents {
            match parent.waiting.take() {
                None => {}
                Some(Ok(Some(entry))) => emit(entry)?,
                Some(Ok(None)) => {
                    parent.waiting = Some(Ok(None));
                    return Ok(false);
                }
                Some(Err(error)) => return Err(error.into()),
            }
        }
        Ok(true)
    }
}
