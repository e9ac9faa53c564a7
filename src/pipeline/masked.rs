//! What we say ourselves, without the secrets that may stand in it: a Dockerfile, a trigger of a
//! base or the engine's words may hold one.

use cofferdam_frontend::graph::judge::Violation;
use cofferdam_search::Needles;

use crate::error::{Error, SourceText};

/// An error as it may be shown.
pub(super) fn error(needles: &Needles, error: Error) -> Error {
    if needles.is_empty() {
        return error;
    }
    match error {
        Error::Refused { names, violations, text } => Error::Refused {
            names,
            violations: violations.into_iter().map(|one| violation(needles, one)).collect(),
            text: text.map(|text| source(needles, text)),
        },
        Error::Build { message, hint, blame } => Error::Build {
            message: text(needles, &message),
            hint: hint.map(|hint| text(needles, &hint)),
            blame: blame.map(|(text, lines)| (source(needles, text), lines)),
        },
        Error::Registry { message, hint } => {
            Error::Registry { message: text(needles, &message), hint }
        }
        Error::Source { message, at, text: bytes, hint } => Error::Source {
            message: text(needles, &message),
            at,
            text: covered(needles, bytes),
            hint: hint.map(|hint| text(needles, &hint)),
        },
        other => other,
    }
}

fn violation(needles: &Needles, violation: Violation) -> Violation {
    let Violation { rule, message, lines, span, fix } = violation;
    let (message, fix) = (text(needles, &message), text(needles, &fix));
    Violation { rule, message, lines, span, fix }
}

fn source(needles: &Needles, source: SourceText) -> SourceText {
    let SourceText { shown, bytes } = source;
    SourceText { shown, bytes: covered(needles, bytes) }
}

/// A text with a mark in place of each secret.
pub(super) fn text(needles: &Needles, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    while let Some(range) = first(needles, &bytes) {
        bytes.splice(range, *b"***");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A file with marks as long as the secrets, so that its places stay where they were.
fn covered(needles: &Needles, mut bytes: Vec<u8>) -> Vec<u8> {
    while let Some(range) = first(needles, &bytes) {
        for byte in bytes.get_mut(range).unwrap_or_default() {
            if *byte != b'\n' {
                *byte = b'*';
            }
        }
    }
    bytes
}

/// Hits may overlap, and not all of them are kept: one after the other.
fn first(needles: &Needles, bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let found = needles.search(bytes);
    let hit = found.hits.first()?;
    let start = usize::try_from(hit.offset).ok()?;
    Some(start..(start + hit.length).min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_ours_holds_a_secret_and_places_stay() {
        let needles = Needles::new([("s", "hunter2-hunter3")]);
        let said = "a hunter2-hunter3, hunter2-hunter3 and 68756e746572322d68756e74657233";
        assert_eq!(text(&needles, said), "a ***, *** and ***");
        let file = b"ENV A=hunter2-hunter3\nRUN x\n".to_vec();
        assert_eq!(covered(&needles, file), b"ENV A=***************\nRUN x\n");
        let many = "hunter2-hunter3 ".repeat(50);
        assert!(!text(&needles, &many).contains("hunter2"));
    }
}
