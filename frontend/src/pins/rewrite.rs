//! Changing bytes of a Dockerfile so that everything else stays where it is.

use super::pin::PinError;
use crate::dockerfile::{Dockerfile, Instruction, Span};

/// The source with each span replaced by its text; spans must not overlap.
pub(super) fn apply(source: &[u8], mut edits: Vec<(Span, String)>) -> Result<Vec<u8>, PinError> {
    edits.sort();
    let mut out = Vec::with_capacity(source.len() + edits.len() * 80);
    let mut copied = 0;
    for (span, text) in edits {
        let between = source.get(copied..span.start);
        let (Some(between), true) = (between, span.end <= source.len()) else {
            return Err(PinError::Unproven {
                line: 0,
                detail: "two names share the same bytes".to_owned(),
            });
        };
        out.extend_from_slice(between);
        out.extend_from_slice(text.as_bytes());
        copied = span.end;
    }
    out.extend_from_slice(source.get(copied..).unwrap_or_default());
    Ok(out)
}

/// Whether both files have the same instructions on the same lines; the error is what differs.
pub(super) fn same_shape(before: &Dockerfile, after: &Dockerfile) -> Result<(), &'static str> {
    if before.lines().line_count() != after.lines().line_count() {
        return Err("the number of lines changed");
    }
    let shape = |dockerfile: &Dockerfile| -> Vec<_> {
        let node = |at: &Instruction| (at.keyword, at.line, at.heredocs.len());
        dockerfile.instructions.iter().map(node).collect()
    };
    if shape(before) != shape(after) || before.errors.len() != after.errors.len() {
        return Err("the instructions changed");
    }
    Ok(())
}
