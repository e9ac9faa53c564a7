//! Values that must be absent, made ready to be searched for.

mod fields;
mod ordinary;
mod pieces;
mod public;
mod rarity;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::index::{Index, Owner, Pattern};
use crate::transform::Transform;

pub(crate) use self::rarity::rarest;

/// Shorter values stand in many files by accident; their absence cannot be proven.
pub const SHORTEST: usize = 8;

/// Which part of a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// All of it, without white space around it.
    Whole,
    /// One of its lines, counted from one.
    Line(usize),
    /// The password or token on one of its lines: what follows `password=`, say.
    Field(usize),
    /// Some of the bytes of a long one, from this byte on.
    Excerpt(usize),
}

/// Why the absence of a value, or of parts of it, is not proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Fewer than [`SHORTEST`] bytes.
    Short,
    /// One or two different bytes, over and over.
    Uniform,
    /// Text that everybody writes: a certificate, a section's name, a registry's address, `changeme`.
    Ordinary,
    /// More lines than are searched one by one; others of the same value are.
    Many,
}

impl Reason {
    /// What people are told of such a value.
    pub fn words(self) -> &'static str {
        match self {
            Self::Short => "shorter than 8 bytes",
            Self::Uniform => "one character over and over",
            Self::Ordinary => "a text that stands everywhere",
            Self::Many => "too many lines",
        }
    }
}

/// Parts of a value that are not searched for, all for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Which needle: [`Needles::id`] gives its name.
    pub needle: usize,
    /// Why.
    pub reason: Reason,
    /// The first such part.
    pub part: Part,
    /// How many there are.
    pub parts: usize,
}

impl Gap {
    /// Whether nothing of the value is searched for.
    pub fn is_whole(&self) -> bool {
        self.part == Part::Whole
    }
}

/// Known values under all transforms, in memory that is wiped.
pub struct Needles {
    ids: Vec<String>,
    gaps: Vec<Gap>,
    index: Index,
}

impl Needles {
    /// Makes needles of values and their ids; equal and overlapping values are fine.
    ///
    /// Each value is searched for without white space around it; one of several lines line by line,
    /// together with the passwords that stand on lines of credentials files; a long one by
    /// excerpts, of which one is enough.
    pub fn new<I, V>(values: impl IntoIterator<Item = (I, V)>) -> Self
    where
        I: Into<String>,
        V: AsRef<[u8]>,
    {
        let (mut ids, mut gaps, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
        for (needle, (id, value)) in values.into_iter().enumerate() {
            ids.push(id.into());
            let value = value.as_ref();
            let cut = pieces::cut(needle, value);
            gaps.extend(cut.gaps);
            for piece in cut.pieces {
                let Some(bytes) = value.get(piece.range) else { continue };
                for transform in Transform::ALL {
                    let owner = Owner { needle, part: piece.part, transform };
                    let forms = transform.forms(bytes).into_iter();
                    patterns.extend(forms.filter_map(|form| Pattern::new(form, owner)));
                }
            }
        }
        Self { ids, gaps, index: Index::new(patterns) }
    }

    /// The id of a needle, as given.
    pub fn id(&self, needle: usize) -> &str {
        self.ids.get(needle).map_or("", String::as_str)
    }

    /// What is not searched for, and why.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }
}

impl fmt::Debug for Needles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Needles").field("ids", &self.ids).field("gaps", &self.gaps).finish()
    }
}

#[cfg(test)]
mod tests;
