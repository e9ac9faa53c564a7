//! Byte ranges of the source and the way from an offset to a line.

/// A half-open byte range `start..end` of the Dockerfile's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// The range `start..end`; an `end` before `start` gives an empty range at `start`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// The bytes of this range, or nothing when the range lies outside of `source`.
    pub fn of(self, source: &[u8]) -> &[u8] {
        source.get(self.start..self.end).unwrap_or_default()
    }

    /// The smallest range that covers all of `spans`; `None` for an empty list.
    pub fn hull(spans: &[Span]) -> Option<Span> {
        let start = spans.iter().map(|span| span.start).min()?;
        let end = spans.iter().map(|span| span.end).max()?;
        Some(Span { start, end })
    }
}

/// A position for people: both count from 1, the column in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineCol {
    pub line: usize,
    pub column: usize,
}

/// Where each line begins; lines end at `\n` only, as in BuildKit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<usize>,
    len: usize,
}

impl LineIndex {
    pub fn new(source: &[u8]) -> Self {
        // Counting first is cheaper than growing the list.
        let newlines = source.iter().filter(|byte| **byte == b'\n').count();
        let mut starts = Vec::with_capacity(newlines + 1);
        starts.push(0);
        let ends = source.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        starts.extend(ends.map(|(at, _)| at + 1));
        Self { starts, len: source.len() }
    }

    /// The number of lines; a final newline opens one more, empty line.
    pub fn line_count(&self) -> usize {
        self.starts.len()
    }

    /// The line and column of a byte offset; an offset past the end gives the end.
    pub fn line_col(&self, offset: usize) -> LineCol {
        let offset = offset.min(self.len);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.wrapping_sub(1)).copied().unwrap_or(0);
        LineCol { line: line.max(1), column: offset - start + 1 }
    }

    /// The bytes of a line (counted from 1) with its line ending.
    pub fn line_span(&self, line: usize) -> Option<Span> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let end = self.starts.get(line).copied().unwrap_or(self.len);
        Some(Span { start, end })
    }

    /// The first and last line a span touches, for a source excerpt.
    pub fn lines_of(&self, span: Span) -> (usize, usize) {
        let last = if span.is_empty() { span.start } else { span.end - 1 };
        (self.line_col(span.start).line, self.line_col(last).line)
    }
}
