//! Characters that nobody sees and that make a line mean something else than it shows.

use crate::dockerfile::{ItemKind, Span};
use crate::policy::{About, Edit, Findings, Place, Rule, Severity, View};

pub struct InvisibleCharacters;

static ABOUT: About = About {
    id: "invisible-characters",
    title: "bidirectional or invisible characters",
    severity: Severity::High,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/invisible-characters.md"),
};

impl Rule for InvisibleCharacters {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let source = view.file.source();
        if source.is_ascii() {
            return;
        }
        // One finding for each line, which takes all of its characters away.
        let mut line: Option<(usize, Span, char, Vec<Edit>)> = None;
        let mut report = |line: Option<(usize, Span, char, Vec<Edit>)>| {
            let Some((_, span, first, edits)) = line else { return };
            let message = format!("U+{:04X} {}", u32::from(first), name(first));
            found.report(&ABOUT, span, message).safe_fix("take what is not seen away", edits);
        };
        for (offset, character) in hidden(source) {
            let span = Span::new(offset, offset + character.len_utf8());
            if !is_bidi(character) && in_comment(view, offset) {
                continue;
            }
            let number = view.file.line_col(offset).line;
            match &mut line {
                Some((open, whole, _, edits)) if *open == number => {
                    whole.end = span.end;
                    edits.push(Edit::replace(span, ""));
                }
                _ => {
                    let next = (number, span, character, vec![Edit::replace(span, "")]);
                    report(line.replace(next));
                }
            }
        }
        report(line);
    }
}

/// Embeddings, overrides and isolates of writing direction.
fn is_bidi(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn name(character: char) -> &'static str {
    match character {
        character if is_bidi(character) => {
            "changes the direction of writing: the line is not what it shows"
        }
        '\u{200e}' | '\u{200f}' | '\u{61c}' => "is a mark of direction that is not seen",
        '\u{feff}' => "is a byte-order mark that is not at the start",
        '\u{ad}' => "is a hyphen that is not seen",
        _ => "is not seen",
    }
}

/// All hidden characters with their offsets.
fn hidden(source: &[u8]) -> impl Iterator<Item = (usize, char)> {
    let mut offset = 0;
    source.utf8_chunks().flat_map(move |chunk| {
        let start = offset;
        offset += chunk.valid().len() + chunk.invalid().len();
        let mut before = None;
        chunk.valid().char_indices().filter_map(move |(at, character)| {
            let joined = before.is_some_and(|before: char| !before.is_ascii());
            before = Some(character);
            let offset = start + at;
            let hides = match character {
                character if is_bidi(character) => true,
                '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{61c}'
                | '\u{2060}'..='\u{2064}'
                | '\u{ad}'
                | '\u{180e}'
                | '\u{2028}'
                | '\u{2029}' => true,
                '\u{feff}' => offset > 0,
                // They join letters of some scripts, and emoji.
                '\u{200c}' | '\u{200d}' | '\u{e0000}'..='\u{e007f}' => !joined,
                _ => false,
            };
            hides.then_some((offset, character))
        })
    })
}

/// Whether a byte stands in a comment, between instructions or within one.
fn in_comment(view: &View<'_>, offset: usize) -> bool {
    let holds = |span: &Span| span.start <= offset && offset < span.end;
    match view.file.item_at(offset).map(|item| item.kind) {
        Some(ItemKind::Comment) => true,
        Some(ItemKind::Instruction(index)) => view
            .file
            .instructions
            .get(index)
            .is_some_and(|instruction| instruction.comments.iter().any(holds)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{findings, fixed, silent, speaks};

    #[test]
    fn what_is_not_seen() {
        speaks(
            &InvisibleCharacters,
            &[
                "FROM a:1\nRUN echo \u{202e}x\u{202c} \u{200b}y\n",
                "FROM a:1\n# hidden \u{2066}x\n",
                "FROM a:1\nRUN a \\\n# \u{202e}\n  b\n",
                "FROM a:1\nENV A=x\u{200b}y\n",
                "FROM a:1\nENV A=\u{200d}y\n",
                "FROM a:1\nENV \u{feff}A=y\n",
            ],
        );
        let found = findings(&InvisibleCharacters, "FROM a:1\nENV A=x\u{200b}y\nENV B=\u{ad}\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].message, "U+200B is not seen");
    }

    #[test]
    fn what_is_seen_and_comments() {
        silent(
            &InvisibleCharacters,
            &[
                "FROM a:1\nLABEL a=\"größer 日本語 שלום مرحبا\"\n",
                "FROM a:1\nRUN echo 👨\u{200d}👩 می\u{200c}خواهم ✓ … – “x” \u{a0}\n",
                "\u{feff}FROM a:1\n",
                "# a\u{200b}b \u{200f}\nFROM a:1\nRUN a \\\n# x\u{200b}\n b\n",
            ],
        );
    }

    #[test]
    fn invalid_bytes_keep_their_places() {
        let source = b"FROM a:1\nENV A=\xff\xff\xe2\x80\xae\n";
        let file = crate::dockerfile::Dockerfile::parse(source);
        let settings = crate::policy::Settings::default();
        let found = crate::policy::check(&file, &settings, |about| about.id == ABOUT.id);
        assert_eq!(found[0].span.of(source), b"\xe2\x80\xae");
    }

    #[test]
    fn the_fix_takes_all_of_a_line() {
        assert_eq!(
            fixed(&InvisibleCharacters, "FROM a:1\nRUN x\u{200b}y \u{202e}z\n"),
            "FROM a:1\nRUN xy z\n"
        );
    }
}
