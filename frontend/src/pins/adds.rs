//! ADD of something remote: which addresses a Dockerfile names, and fixing them in its text.
//!
//! A download gets `--checksum=`, a git reference becomes its commit. Like names of images, they
//! change on their own lines only, and the result is read again. What ONBUILD defers is left alone:
//! it is a part of the image.

use std::collections::{BTreeMap, BTreeSet};

use super::digest::Digest;
use super::lock::{GitPlace, is_commit, is_public};
use super::pin::{PinError, images};
use super::rewrite::{apply, same_shape};
use crate::dockerfile::{
    Dockerfile, Globals, Instruction, Keyword, Lex, Scope, Span, Word, global_args, stage_env,
};
use crate::graph::without_credentials;
use crate::remote::GitContext;

/// What an ADD reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemoteSource {
    /// A file that is downloaded, by its address.
    Http(String),
    /// A branch or tag of a repository.
    Git(GitPlace),
}

/// One remote source of an ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteAdd {
    /// What it reads, variables expanded.
    pub source: RemoteSource,
    /// The line of the instruction, counted from 1.
    pub line: usize,
    /// Whether the target needs its stage.
    pub reachable: bool,
    /// Whether the text says which content it is.
    pub fixed: bool,
    /// What keeps a lock from fixing it.
    pub obstacle: Option<Obstacle>,
    /// Whether variables are a part of it.
    pub varies: bool,
    /// The bytes to replace by a checksum flag or a commit.
    place: Span,
    /// What stands before the commit there.
    hash: bool,
}

/// Why the text cannot be fixed from a lock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("its address holds a user or a password")]
    Credentials,
    #[error("an ADD of several sources takes no checksum: write one ADD for each")]
    Several,
    #[error("a variable is a part of it: name the commit")]
    Variable,
    #[error("{} is not set here", .0.join(", "))]
    Undefined(Vec<String>),
    #[error("its address has a query: name the commit there")]
    Query,
    #[error("it stands on several lines")]
    Scattered,
    #[error("{0}")]
    Address(String),
}

/// What a lock says about remote sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixes {
    /// Checksums by address.
    pub http: BTreeMap<String, Digest>,
    /// Commits.
    pub git: BTreeMap<GitPlace, String>,
}

impl RemoteSource {
    /// The address, without credentials.
    pub fn shown(&self) -> String {
        match self {
            Self::Http(url) => without_credentials(url),
            Self::Git(place) => without_credentials(&place.to_string()),
        }
    }
}

/// The remote sources of every ADD, in source order.
pub fn remote_adds(dockerfile: &Dockerfile, scope: &Scope) -> Vec<RemoteAdd> {
    let adds = |node: &Instruction| node.keyword == Keyword::Add;
    if !dockerfile.instructions.iter().any(adds) {
        return Vec::new();
    }
    let globals = global_args(dockerfile, scope);
    let reachable: BTreeSet<usize> = images(dockerfile, scope)
        .map(|images| images.reachable_stages.into_iter().collect())
        .unwrap_or_default();
    let reader =
        Reader { dockerfile, scope, globals: &globals, lex: Lex::new(dockerfile.escape()) };
    let mut found = Vec::new();
    for stage in dockerfile.stages() {
        // Variables change at ENV and ARG only: what is known of them serves until the next one.
        let mut known: Option<BTreeMap<String, String>> = None;
        for index in stage.body.clone() {
            let Some(node) = dockerfile.instructions.get(index) else { continue };
            match node.keyword {
                Keyword::Env | Keyword::Arg => known = None,
                Keyword::Add if may_be_remote(node) => {
                    let env = known.get_or_insert_with(|| {
                        stage_env(reader.dockerfile, reader.scope, reader.globals, &stage, index)
                    });
                    found.extend(reader.sources(node, reachable.contains(&stage.index), env));
                }
                _ => {}
            }
        }
    }
    found
}

/// Whether a source looks like an address, or could become one.
fn may_be_remote(node: &Instruction) -> bool {
    let Some((_, sources)) = node.words().split_last() else { return false };
    sources.iter().any(|word| ["://", "$", "@"].iter().any(|part| word.text.contains(part)))
}

struct Reader<'a> {
    dockerfile: &'a Dockerfile,
    scope: &'a Scope,
    globals: &'a Globals,
    lex: Lex,
}

impl Reader<'_> {
    fn sources(
        &self,
        node: &Instruction,
        reachable: bool,
        env: &BTreeMap<String, String>,
    ) -> Vec<RemoteAdd> {
        let Some((_, sources)) = node.words().split_last() else { return Vec::new() };
        let alone = sources.len() == 1 && node.heredocs.is_empty();
        let found = sources.iter().filter_map(|word| self.source(node, word, env, alone));
        found.map(|found| RemoteAdd { reachable, ..found }).collect()
    }

    fn source(
        &self,
        node: &Instruction,
        word: &Word,
        env: &BTreeMap<String, String>,
        alone: bool,
    ) -> Option<RemoteAdd> {
        let done = self.lex.expand(&word.text, env).ok()?;
        let text = done.text;
        let undefined: Vec<String> = done.undefined.into_iter().collect();
        let keyword = node.keyword_word.parts.last().unwrap_or(&node.keyword_word.span);
        let add = |source, place, hash| RemoteAdd {
            source,
            line: node.line,
            reachable: false,
            fixed: false,
            obstacle: None,
            varies: text != word.text,
            place,
            hash,
        };
        let flag = node.flag("checksum").and_then(|flag| flag.value.as_ref());
        let checksum = flag.is_some_and(|value| !value.text.is_empty());
        // `github.com/…` alone is a path here, unlike as a context.
        let git = match text.starts_with("github.com/") {
            true => None,
            false => GitContext::parse(&text),
        };
        let Some(git) = git else {
            if !["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) {
                return None;
            }
            let found =
                add(RemoteSource::Http(text.clone()), Span::new(keyword.end, keyword.end), false);
            let obstacle = if !undefined.is_empty() {
                Some(Obstacle::Undefined(undefined))
            } else if !is_public(&text) {
                Some(Obstacle::Credentials)
            } else if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
                Some(Obstacle::Address("it is no address".into()))
            } else if alone {
                None
            } else {
                Some(Obstacle::Several)
            };
            return Some(RemoteAdd { fixed: checksum, obstacle, ..found });
        };
        let git = match git {
            Ok(git) => git,
            Err(error) => {
                let place = GitPlace { url: error.url, reference: None };
                let found = add(RemoteSource::Git(place), word.span, false);
                return Some(RemoteAdd {
                    obstacle: Some(Obstacle::Address(error.problem)),
                    ..found
                });
            }
        };
        let fixed = git.fixed_commit().is_some() || checksum;
        let place = GitPlace { url: git.remote.clone(), reference: git.reference.clone() };
        let (at, hash) = commit_place(self.dockerfile.source(), word);
        let obstacle = if !is_public(&git.remote) {
            Some(Obstacle::Credentials)
        } else if !undefined.is_empty() {
            Some(Obstacle::Undefined(undefined))
        } else if text.split('#').next().is_some_and(|address| address.contains('?')) {
            Some(Obstacle::Query)
        } else if text != word.text {
            // What a base sets would come before what this file says.
            Some(Obstacle::Variable)
        } else if at.is_none() {
            Some(Obstacle::Scattered)
        } else {
            None
        };
        let found = add(RemoteSource::Git(place), at.unwrap_or(word.span), hash);
        Some(RemoteAdd { fixed, obstacle, ..found })
    }
}

/// The bytes of the reference in `address#reference:directory`, and whether `#` is missing.
fn commit_place(source: &[u8], word: &Word) -> (Option<Span>, bool) {
    let [part] = word.parts.as_slice() else { return (None, false) };
    if part.of(source) != word.text.as_bytes() {
        return (None, false);
    }
    let Some(hash) = word.text.find('#') else {
        return (Some(Span::new(part.end, part.end)), true);
    };
    let fragment = word.text.get(hash + 1..).unwrap_or_default();
    let length = fragment.find(':').unwrap_or(fragment.len());
    let start = part.start + hash + 1;
    (Some(Span::new(start, start + length)), false)
}

/// Writes what is known of them into the text; gives the bytes and the lines that changed.
///
/// With `reachable` only what the target needs.
pub fn pin_adds(
    source: &[u8],
    scope: &Scope,
    fixes: &Fixes,
    reachable: bool,
) -> Result<(Vec<u8>, Vec<usize>), PinError> {
    let before = Dockerfile::parse(source);
    let adds = remote_adds(&before, scope);
    let (mut edits, mut lines) = (Vec::new(), Vec::new());
    let mut expected = Vec::new();
    for add in &adds {
        let wanted = (!reachable || add.reachable) && !add.fixed && add.obstacle.is_none();
        let (text, after) = match (&add.source, wanted) {
            (RemoteSource::Http(url), true) => match fixes.http.get(url) {
                Some(digest) => (format!(" --checksum={digest}"), add.source.clone()),
                None => (String::new(), add.source.clone()),
            },
            (RemoteSource::Git(place), true) => match fixes.git.get(place) {
                Some(commit) if is_commit(commit) => {
                    let hash = if add.hash { "#" } else { "" };
                    let url = place.url.clone();
                    let fixed = GitPlace { url, reference: Some(commit.clone()) };
                    (format!("{hash}{commit}"), RemoteSource::Git(fixed))
                }
                _ => (String::new(), add.source.clone()),
            },
            (source, false) => (String::new(), source.clone()),
        };
        expected.push((after, add.fixed || !text.is_empty()));
        if !text.is_empty() {
            lines.push(add.line);
            edits.push((add.place, text));
        }
    }
    if edits.is_empty() {
        return Ok((source.to_vec(), lines));
    }
    let bytes = apply(source, edits)?;
    prove(&before, &adds, &expected, &bytes, scope)?;
    Ok((bytes, lines))
}

/// Reads the result again: the same file, but for what was fixed.
fn prove(
    before: &Dockerfile,
    adds: &[RemoteAdd],
    expected: &[(RemoteSource, bool)],
    bytes: &[u8],
    scope: &Scope,
) -> Result<(), PinError> {
    let fail =
        |line: usize, detail: &str| Err(PinError::Unproven { line, detail: detail.to_owned() });
    let after = Dockerfile::parse(bytes);
    same_shape(before, &after).or_else(|detail| fail(0, detail))?;
    let named = |dockerfile: &Dockerfile| -> Result<Vec<_>, PinError> {
        let found = images(dockerfile, scope)?.inputs.into_iter();
        Ok(found.map(|input| (input.kind, input.reference, input.line, input.reachable)).collect())
    };
    if named(before)? != named(&after)? {
        return fail(0, "the images changed");
    }
    let found = remote_adds(&after, scope);
    if found.len() != adds.len() {
        return fail(0, "the remote sources changed");
    }
    for ((old, new), (source, fixed)) in adds.iter().zip(&found).zip(expected) {
        if new.line != old.line || new.reachable != old.reachable {
            return fail(old.line, "the meaning of the line changed");
        }
        if new.source != *source || new.fixed != *fixed {
            return fail(old.line, "what fixes it did not arrive");
        }
    }
    Ok(())
}
