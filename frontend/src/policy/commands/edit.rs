//! Edits of words in a script.

use crate::policy::{Edit, Run};
use crate::shell::Word;

/// Takes a word away, with the blanks before it on its line; nothing where the script is not
/// written as it reads.
pub fn remove_word(run: &Run<'_>, word: &Word) -> Vec<Edit> {
    let bytes = run.body.bytes.get(..word.span.start).unwrap_or_default();
    let blanks = bytes.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    // Blanks of the line before stay there.
    let from = (word.span.start - blanks..word.span.start)
        .find(|from| run.body.exact(*from..word.span.end).is_some())
        .unwrap_or(word.span.start);
    let parts = run.body.parts(from..word.span.end);
    parts.into_iter().map(|part| Edit::replace(part, "")).collect()
}

/// Puts text behind a word; nothing where the script is not written as it reads.
pub fn insert_after(run: &Run<'_>, word: &Word, text: &str) -> Vec<Edit> {
    let at = run.body.parts(word.span.clone()).last().map(|part| part.end);
    at.map(|at| Edit::insert(at, text)).into_iter().collect()
}
