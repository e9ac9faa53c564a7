//! Build stages: which instructions belong together.

use std::ops::Range;

use super::check::is_stage_name;
use super::instruction::{Instruction, Keyword};
use super::logical::Word;
use super::text;

/// One FROM and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Counted from 0, as in `COPY --from=0`.
    pub index: usize,
    /// In lower case; `None` without a (valid) AS.
    pub name: Option<String>,
    /// The name as written.
    pub name_word: Option<Word>,
    /// What stands behind FROM, before expansion; `None` when nothing does.
    pub base: Option<Word>,
    /// The value of `--platform`, before expansion.
    pub platform: Option<Word>,
    /// The index of the FROM instruction.
    pub from: usize,
    /// The indexes of the stage's other instructions.
    pub body: Range<usize>,
}

pub(crate) fn stages(instructions: &[Instruction]) -> Vec<Stage> {
    let froms = instructions.iter().filter(|node| node.keyword == Keyword::From);
    let mut stages: Vec<Stage> = Vec::with_capacity(froms.count());
    for (at, node) in instructions.iter().enumerate() {
        if node.keyword != Keyword::From {
            if let Some(last) = stages.last_mut() {
                last.body.end = at + 1;
            }
            continue;
        }
        let words = node.words();
        let name_word = match words {
            [_, by, name] if text::equal_fold(&by.text, "as") => Some(name.clone()),
            _ => None,
        };
        let name = name_word
            .as_ref()
            .map(|word| text::lower(&word.text))
            .filter(|name| is_stage_name(name));
        stages.push(Stage {
            index: stages.len(),
            name,
            name_word,
            base: words.first().cloned(),
            platform: node.flag("platform").and_then(|flag| flag.value.clone()),
            from: at,
            body: at + 1..at + 1,
        });
    }
    stages
}
