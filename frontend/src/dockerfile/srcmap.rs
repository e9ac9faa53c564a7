//! Where each piece of a derived text came from.
//!
//! Joined lines, unquoted flags, CSV fields and JSON strings are all texts made of pieces of
//! another text. One map per step is enough to name the exact source bytes behind any part.

use super::span::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    at: usize,
    len: usize,
    from: Span,
}

impl Run {
    fn end(&self) -> usize {
        self.at + self.len
    }

    /// A verbatim run maps byte by byte; any other (an escape, a recoded byte) only as a whole.
    fn verbatim(&self) -> bool {
        self.len == self.from.len()
    }
}

/// A map from offsets of a derived text to ranges of the text it was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    runs: Vec<Run>,
    len: usize,
}

impl SourceMap {
    /// The map of a text that is `from`, byte by byte.
    pub(crate) fn verbatim(from: Span) -> Self {
        let mut map = Self::default();
        map.push(from.len(), from);
        map
    }

    /// Appends `len` bytes of derived text that stand for `from`.
    pub(crate) fn push(&mut self, len: usize, from: Span) {
        let at = self.len;
        self.len += len;
        if let Some(last) = self.runs.last_mut()
            && last.verbatim()
            && len == from.len()
            && last.from.end == from.start
        {
            last.len += len;
            last.from.end = from.end;
            return;
        }
        if self.runs.is_empty() {
            // Nearly every text is made of one piece.
            self.runs.reserve_exact(1);
        }
        self.runs.push(Run { at, len, from });
    }

    /// The source range of each run behind `range`, in order.
    fn pieces(&self, range: Span) -> impl Iterator<Item = Span> {
        let first = self.runs.partition_point(|run| run.end() <= range.start);
        let runs = self.runs.get(first..).unwrap_or_default();
        runs.iter().take_while(move |run| run.at < range.end).map(move |run| {
            if !run.verbatim() {
                return run.from;
            }
            let skip = range.start.saturating_sub(run.at);
            let end = range.end.min(run.end()) - run.at;
            Span::new(run.from.start + skip, run.from.start + end)
        })
    }

    /// The source ranges behind `range`, in order; neighbours are joined.
    pub(crate) fn map(&self, range: Span) -> Vec<Span> {
        // Nearly every range stands in one piece.
        let mut spans: Vec<Span> = Vec::with_capacity(1);
        for from in self.pieces(range) {
            match spans.last_mut() {
                Some(last) if last.end == from.start => last.end = from.end,
                _ if from.is_empty() => {}
                _ => spans.push(from),
            }
        }
        spans
    }

    /// The smallest source range that covers what is behind `range`; `None` when nothing is.
    pub(crate) fn hull(&self, range: Span) -> Option<Span> {
        self.pieces(range).filter(|piece| !piece.is_empty()).reduce(|hull, piece| Span {
            start: hull.start.min(piece.start),
            end: hull.end.max(piece.end),
        })
    }

    /// The source offset at which the byte at `offset` begins, or where the text ends.
    pub(crate) fn locate(&self, offset: usize) -> usize {
        let index = self.runs.partition_point(|run| run.end() <= offset);
        match self.runs.get(index) {
            Some(run) if run.verbatim() => run.from.start + offset.saturating_sub(run.at),
            Some(run) => run.from.start,
            None => self.runs.last().map_or(0, |run| run.from.end),
        }
    }

    /// The ranges behind `range` seen through a second map, from this map's source to its own.
    pub(crate) fn map_through(&self, range: Span, outer: &SourceMap) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for inner in self.map(range) {
            for span in outer.map(inner) {
                match spans.last_mut() {
                    Some(last) if last.end == span.start => last.end = span.end,
                    _ => spans.push(span),
                }
            }
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_over_two_runs_gives_two_spans() {
        let mut map = SourceMap::default();
        map.push(3, Span::new(0, 3));
        map.push(3, Span::new(5, 8));
        assert_eq!(map.map(Span::new(1, 5)), [Span::new(1, 3), Span::new(5, 7)]);
        assert_eq!(map.locate(3), 5);
        assert_eq!(map.locate(6), 8);
    }

    #[test]
    fn an_escape_is_atomic() {
        let mut map = SourceMap::default();
        map.push(1, Span::new(0, 1));
        map.push(1, Span::new(1, 3));
        map.push(1, Span::new(3, 4));
        assert_eq!(map.map(Span::new(0, 2)), [Span::new(0, 3)]);
        assert_eq!(map.map(Span::new(2, 3)), [Span::new(3, 4)]);
    }
}
