//! A logical line: physical lines joined by continuations, with the way back to the source.

use super::span::Span;
use super::srcmap::SourceMap;
use super::text;

/// A piece of an instruction: what it means, and which bytes say so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Continuations are joined; for flags and JSON strings quotes and escapes are undone.
    pub text: String,
    /// The smallest source range that covers the word.
    pub span: Span,
    /// The exact source bytes: more than one range when a line continuation, a comment or a quote
    /// stands inside of the word.
    pub parts: Vec<Span>,
}

/// The joined text of one instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logical {
    pub(crate) bytes: Vec<u8>,
    pub(crate) map: SourceMap,
}

impl Logical {
    pub(crate) fn push(&mut self, source: &[u8], from: Span) {
        let piece = from.of(source);
        self.bytes.extend_from_slice(piece);
        self.map.push(piece.len(), from);
    }

    pub(crate) fn all(&self) -> Span {
        Span::new(0, self.bytes.len())
    }

    /// The joined bytes, as BuildKit reads them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The source bytes behind a range of the joined text, as one covering span.
    pub(crate) fn span(&self, range: Span) -> Span {
        self.map.hull(range).unwrap_or_else(|| self.at(range.start))
    }

    fn at(&self, offset: usize) -> Span {
        let at = self.map.locate(offset);
        Span::new(at, at)
    }

    /// The word that is `range`, as it stands.
    pub(crate) fn word(&self, range: Span) -> Word {
        let parts = self.map.map(range);
        let span = Span::hull(&parts).unwrap_or_else(|| self.at(range.start));
        Word { text: text::lossy(range.of(&self.bytes)), span, parts }
    }

    /// The word that is `range` of `decoded`, a text made from this one through `map`.
    pub(crate) fn decoded(&self, decoded: &str, map: &SourceMap, range: Span) -> Word {
        let parts = map.map_through(range, &self.map);
        let span = Span::hull(&parts).unwrap_or_else(|| self.at(map.locate(range.start)));
        Word {
            text: decoded.get(range.start..range.end).unwrap_or_default().to_owned(),
            span,
            parts,
        }
    }
}
