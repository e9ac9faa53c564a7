//! What a lock lacks, what is to be renewed, and what nobody names any more.

use std::collections::BTreeSet;

use cofferdam_frontend::pins::{Elsewhere, Entry, GitPlace, ImageSource, LockedImage, Reference};

use super::wanted::Wanted;
use crate::error::Error;
use crate::inputs::LockFile;
use crate::request::{LockAction, LockRequest, Upgrade};

/// What there is to do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) tasks: Vec<Task>,
    /// Entries that go.
    pub(super) unused: Vec<Entry>,
    /// Entries that this Dockerfile does not name and somebody else may.
    pub(super) kept: Vec<Entry>,
}

/// One thing to be asked of the world.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) what: What,
    /// Where it is named.
    pub(super) line: Option<usize>,
    pub(super) why: Why,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Image {
        reference: Reference,
        /// What the lock holds.
        before: Option<Box<LockedImage>>,
        /// The platforms that it is needed for; all when nobody says.
        platforms: Option<BTreeSet<String>>,
        named: Option<Elsewhere>,
    },
    Http(String),
    Git(GitPlace),
}

/// Why it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Missing,
    /// It is locked, but not for these platforms.
    Lacks(Vec<String>),
    /// It is to be renewed.
    Again,
}

impl What {
    /// As the lock calls it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Image { reference, .. } => reference.canonical(),
            Self::Http(url) => url.clone(),
            Self::Git(place) => place.to_string(),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Image { .. } => "image",
            Self::Http(_) => "http",
            Self::Git(_) => "git",
        }
    }

    /// Whether a word of `--upgrade=` means it.
    fn is_meant_by(&self, word: &str) -> bool {
        match self {
            Self::Image { reference, .. } => Reference::parse_normalized(word).is_ok_and(|asked| {
                asked.name() == reference.name()
                    && (asked.tag.is_none() || asked.canonical() == reference.canonical())
            }),
            Self::Http(url) => url == word,
            Self::Git(place) => place.url == word || place.to_string() == word,
        }
    }
}

impl Plan {
    /// Compares what is wanted with what is there.
    pub(super) fn new(
        request: &LockRequest,
        wanted: &Wanted,
        file: &LockFile,
    ) -> Result<Self, Error> {
        let lock = &file.content;
        let mut plan = Self::default();
        let in_text = request.action == LockAction::Dockerfile;
        for entry in lock.entries().filter(|entry| !wanted.holds(entry)) {
            let elsewhere = matches!(&entry, Entry::Image(image) if image.named.is_some());
            match request.prune || (wanted.whole && !elsewhere && !in_text) {
                true => plan.unused.push(entry),
                false => plan.kept.push(entry),
            }
        }
        // Everything that stays is asked for; what is there already is left out at the end.
        let mut all = everything(wanted, file);
        if !in_text {
            all.extend(plan.kept.iter().map(kept));
        }
        let mut meant = BTreeSet::new();
        for mut task in all {
            let again = match &request.upgrade {
                Upgrade::None => false,
                Upgrade::All => true,
                Upgrade::Named(words) => {
                    let own: Vec<&String> =
                        words.iter().filter(|word| task.what.is_meant_by(word)).collect();
                    let any = !own.is_empty();
                    meant.extend(own);
                    any
                }
            };
            if again && task.why != Why::Missing {
                task.why = Why::Again;
            }
            if task.why != Why::Lacks(Vec::new()) {
                plan.tasks.push(task);
            }
        }
        match &request.upgrade {
            Upgrade::Named(words) => match words.iter().find(|word| !meant.contains(word)) {
                Some(word) => Err(Error::usage_hint(
                    format!("--upgrade={word}: neither the Dockerfile nor the lock names it"),
                    "write it as they do, for example --upgrade=debian:bookworm",
                )),
                None => Ok(plan),
            },
            _ => Ok(plan),
        }
    }
}

/// A task for everything that the Dockerfile names; one with nothing to do lacks no platforms.
fn everything(wanted: &Wanted, file: &LockFile) -> Vec<Task> {
    let lock = &file.content;
    let there = |known: bool| if known { Why::Lacks(Vec::new()) } else { Why::Missing };
    let images = wanted.images.iter().map(|(name, image)| {
        let before = lock.get(name).cloned().map(Box::new);
        let why = match (before.as_deref(), &image.platforms) {
            (None, _) => Why::Missing,
            (
                Some(LockedImage { source: ImageSource::Registry { platforms, .. }, .. }),
                Some(all),
            ) => {
                let lacks = all.iter().filter(|name| !platforms.contains_key(*name));
                Why::Lacks(lacks.cloned().collect())
            }
            _ => Why::Lacks(Vec::new()),
        };
        let what = What::Image {
            reference: image.reference.clone(),
            before,
            platforms: image.platforms.clone(),
            named: image.named,
        };
        Task { what, line: image.line, why }
    });
    let http = wanted.http.iter().map(|(url, line)| Task {
        what: What::Http(url.clone()),
        line: Some(*line),
        why: there(lock.http(url).is_some()),
    });
    let git = wanted.git.iter().map(|(place, line)| Task {
        what: What::Git(place.clone()),
        line: Some(*line),
        why: there(lock.git(place).is_some()),
    });
    images.chain(http).chain(git).collect()
}

/// An entry of somebody else, who wants nothing new.
fn kept(entry: &Entry) -> Task {
    let what = match entry {
        Entry::Image(image) => match Reference::parse_normalized(image.name()) {
            Ok(reference) => What::Image {
                reference,
                before: Some(Box::new(image.clone())),
                platforms: None,
                named: image.named,
            },
            // Names in a lock were checked when it was read.
            Err(_) => What::Http(image.name().to_string()),
        },
        Entry::Http(http) => What::Http(http.url.clone()),
        Entry::Git(git) => What::Git(git.at.clone()),
    };
    Task { what, line: None, why: Why::Lacks(Vec::new()) }
}
