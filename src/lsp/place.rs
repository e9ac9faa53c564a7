//! Byte offsets and the positions of editors.

use cofferdam_frontend::dockerfile::{LineIndex, Span};
use tower_lsp_server::ls_types::{Position, PositionEncodingKind, Range};

/// What an editor counts within a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes, where the editor offers it.
    Utf8,
    /// Halves of UTF-16's pairs, which every editor knows.
    #[default]
    Utf16,
}

impl Unit {
    /// The better one of those that an editor offers.
    pub(super) fn choose(offered: Option<&[PositionEncodingKind]>) -> Self {
        let utf8 = offered.is_some_and(|offered| offered.contains(&PositionEncodingKind::UTF8));
        if utf8 { Self::Utf8 } else { Self::Utf16 }
    }

    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn length(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
        }
    }
}

/// A text, and how positions in it are counted.
pub(super) struct Places<'a> {
    text: &'a str,
    lines: LineIndex,
    unit: Unit,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str, unit: Unit) -> Self {
        Self { text, lines: LineIndex::new(text.as_bytes()), unit }
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        let at = self.lines.line_col(offset);
        let start = self.lines.line_span(at.line).unwrap_or_default().start;
        // An offset within a character counts as the character's start.
        let end = (start..=offset.min(self.text.len()))
            .rev()
            .find(|end| self.text.is_char_boundary(*end))
            .unwrap_or(start);
        let before = self.text.get(start..end).unwrap_or_default();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position::new(number(at.line - 1), number(self.unit.length(before)))
    }

    pub(super) fn range(&self, span: Span) -> Range {
        Range::new(self.position(span.start), self.position(span.end))
    }
}

/// Whether two ranges share a place; ones that only meet do.
pub(super) fn meet(a: &Range, b: &Range) -> bool {
    a.start <= b.end && b.start <= a.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_as_the_editor_counts() {
        let text = "FROM a\nRUN ä𝄞b\n";
        let at = text.find('b').unwrap();
        let place = |unit| Places::new(text, unit).position(at);
        assert_eq!(place(Unit::Utf16), Position::new(1, 7));
        assert_eq!(place(Unit::Utf8), Position::new(1, 10));
        // In the middle of a character, and behind the end.
        let places = Places::new(text, Unit::Utf16);
        assert_eq!(places.position(at - 1), Position::new(1, 5));
        assert_eq!(places.position(999), Position::new(2, 0));
    }
}
