//! Lines of a Dockerfile around an error, in the format of buildx.
//!
//! ```text
//! Dockerfile:3
//! --------------------
//!    1 |     FROM busybox
//!    2 |
//!    3 | >>> RUN false
//! --------------------
//! ```

use bollard_buildkit_proto::pb;

const RULE: &[u8] = b"--------------------\n";

/// A place in a source file, counted as the engine does: lines from 1, characters
/// from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: i32,
    /// The character in the line, from 0.
    pub character: i32,
}

/// The lines from `start` to `end`, both included; an `end` before `start` counts
/// as `start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Where the span begins.
    pub start: Place,
    /// Where it ends.
    pub end: Place,
}

impl Span {
    /// The span of whole lines.
    pub fn lines(first: i32, last: i32) -> Self {
        let at = |line| Place { line, character: 0 };
        Self { start: at(first), end: at(last) }
    }

    fn last_line(&self) -> i32 {
        self.end.line.max(self.start.line)
    }
}

impl From<&pb::Range> for Span {
    fn from(range: &pb::Range) -> Self {
        let place = |position: Option<pb::Position>| {
            position.map_or_else(Place::default, |position| Place {
                line: position.line,
                character: position.character,
            })
        };
        Self { start: place(range.start), end: place(range.end) }
    }
}

/// The excerpt of `source` that marks `spans`, byte for byte as buildx prints it;
/// nothing when there is no span or the first line of them does not exist.
pub fn excerpt(file: &str, source: &[u8], spans: &[Span]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = source.split(|&byte| byte == b'\n').collect();
    let marked = spans.iter().map(|span| span.start.line).min()?;
    let marked = usize::try_from(marked).ok().filter(|&line| line >= 1)?;
    if marked > lines.len() {
        return None;
    }
    let last = spans.iter().map(Span::last_line).max()?;
    let last = usize::try_from(last).ok()?.min(lines.len());
    let (first, last) = with_context(marked, last, lines.len());

    let mut out = format!("{file}:{marked}\n").into_bytes();
    out.extend_from_slice(RULE);
    for (number, text) in lines.iter().enumerate().map(|(at, text)| (at + 1, text)) {
        if number < first || number > last {
            continue;
        }
        let mark = if is_marked(spans, number) { ">>>" } else { "   " };
        out.extend_from_slice(format!(" {number:3} | {mark} ").as_bytes());
        out.extend_from_slice(text);
        out.push(b'\n');
    }
    out.extend_from_slice(RULE);
    Some(out)
}

/// Widens the lines to show: up to four more around a single line, up to two around
/// several, half on each side; a side that has no lines gives its share to nobody.
fn with_context(mut first: usize, mut last: usize, count: usize) -> (usize, usize) {
    let wanted = if first == last { 4 } else { 2 };
    let mut spent = 0;
    while spent < wanted {
        if first > 1 {
            first -= 1;
            spent += 1;
        }
        if last != count {
            last += 1;
            spent += 1;
        }
        // Counted even when there is nothing left to show, so that it ends.
        spent += 1;
    }
    (first, last)
}

fn is_marked(spans: &[Span], line: usize) -> bool {
    let Ok(line) = i32::try_from(line) else {
        return false;
    };
    spans.iter().any(|span| (span.start.line..=span.last_line()).contains(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, spans: &[Span]) -> String {
        excerpt("Dockerfile", source.as_bytes(), spans)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    #[test]
    fn a_single_line_has_two_lines_around_it() {
        assert_eq!(
            shown("a\nb\nc\nd\ne\nf\ng\n", &[Span::lines(4, 4)]),
            "Dockerfile:4\n\
             --------------------\n   \
                2 |     b\n   \
                3 |     c\n   \
                4 | >>> d\n   \
                5 |     e\n   \
                6 |     f\n\
             --------------------\n"
        );
    }

    #[test]
    fn the_end_of_the_file_is_a_line_of_its_own() {
        assert_eq!(
            shown("FROM busybox\n\nRUN false\n", &[Span::lines(3, 3)]),
            "Dockerfile:3\n\
             --------------------\n   \
                1 |     FROM busybox\n   \
                2 |     \n   \
                3 | >>> RUN false\n   \
                4 |     \n\
             --------------------\n"
        );
    }

    #[test]
    fn heredocs_and_several_spans_are_marked_line_by_line() {
        let source = "FROM a\nRUN <<E\nfalse\nE\nUSER b\nRUN c\nCMD d\n";
        assert_eq!(
            shown(source, &[Span::lines(2, 4), Span::lines(6, 0)]),
            "Dockerfile:2\n\
             --------------------\n   \
                1 |     FROM a\n   \
                2 | >>> RUN <<E\n   \
                3 | >>> false\n   \
                4 | >>> E\n   \
                5 |     USER b\n   \
                6 | >>> RUN c\n   \
                7 |     CMD d\n\
             --------------------\n"
        );
    }

    #[test]
    fn a_side_without_lines_gives_its_share_to_nobody() {
        let source = "a\nb\nc\nd\ne\nf\n";
        let lines = |spans: &[Span]| shown(source, spans).lines().count() - 3;
        assert_eq!(lines(&[Span::lines(1, 2)]), 3);
        assert_eq!(lines(&[Span::lines(1, 1)]), 3);
        assert_eq!(lines(&[Span::lines(3, 4)]), 4);
    }

    #[test]
    fn spans_outside_the_file_are_tolerated() {
        for span in [
            Span::lines(0, 3),
            Span::lines(-4, 1),
            Span::lines(9, 9),
            Span::lines(i32::MAX, i32::MAX),
            Span::lines(i32::MIN, i32::MIN),
        ] {
            assert_eq!(excerpt("f", b"a\nb", &[span]), None);
        }
        assert_eq!(excerpt("f", b"a\nb", &[]), None);
        assert_eq!(
            shown("a", &[Span::lines(1, i32::MAX)]),
            "Dockerfile:1\n--------------------\n   1 | >>> a\n--------------------\n"
        );
        assert!(shown("", &[Span::lines(1, 1)]).contains("   1 | >>> \n"));
    }

    #[test]
    fn bytes_stay_as_they_are() {
        let shown = excerpt("f", b"RUN \xff\r\n", &[Span::lines(1, 1)]).unwrap();
        assert!(shown.windows(14).any(|bytes| bytes == b" 1 | >>> RUN \xff"));
        assert!(shown.windows(2).any(|bytes| bytes == b"\r\n"));
    }

    proptest::proptest! {
        #[test]
        fn any_span_of_any_source_is_survived(
            source: Vec<u8>, spans: Vec<(i32, i32)>
        ) {
            let spans: Vec<Span> =
                spans.into_iter().map(|(first, last)| Span::lines(first, last)).collect();
            if let Some(shown) = excerpt("f", &source, &spans) {
                proptest::prop_assert!(shown.ends_with(RULE));
            }
        }
    }
}
