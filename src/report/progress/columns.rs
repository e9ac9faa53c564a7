//! Text measured in columns of a terminal.

use unicode_width::UnicodeWidthChar as _;

use crate::report::text::printable;

/// One line of foreign text that takes exactly [`width`] columns on every terminal: nothing in it
/// is obeyed, and no character changes the width of its neighbour.
pub(crate) fn clean(text: &str) -> String {
    // Variation selectors make an emoji wide on some terminals and not on others.
    let mut text = printable(text);
    text.retain(|character| !matches!(character, '\u{fe00}'..='\u{fe0f}'));
    text
}

/// How many columns cleaned text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// How many columns a character takes: two for wide ones, none for those that combine.
pub(crate) fn columns(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// The longest beginning of cleaned text that fits into `limit` columns.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let mut taken = 0;
    for (at, character) in text.char_indices() {
        taken += columns(character);
        if taken > limit {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// `left` and `right` at the two ends of a line of `limit` columns; `right` must fit, `left` is cut
/// so that a blank stays between them.
pub(crate) fn justified(left: &str, right: &str, limit: usize) -> String {
    let room = limit.saturating_sub(width(right));
    let left = cut(left, room.saturating_sub(1));
    let gap = room.saturating_sub(width(left));
    format!("{left}{:gap$}{right}", "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_and_combining_characters_are_counted_as_terminals_do() {
        assert_eq!(width("日本"), 4);
        assert_eq!(width("e\u{301}a"), 2);
        assert_eq!(cut("日本語", 5), "日本");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("e\u{301}a", 1), "e\u{301}");
        assert_eq!(clean("❤\u{fe0f}\x1b[0m\u{202e}"), "❤\\u{1b}[0m\\u{202e}");
    }

    #[test]
    fn both_ends_of_a_line_are_kept() {
        assert_eq!(justified("ab", "cd", 8), "ab    cd");
        assert_eq!(justified("abcdefgh", "cd", 8), "abcde cd");
        assert_eq!(justified("日本語", "cd", 8), "日本  cd");
        assert_eq!(justified("ab", "", 4), "ab  ");
    }

    proptest! {
        #[test]
        fn a_cut_is_a_beginning_that_fits(text in ".*", limit in 0..40usize) {
            let text = clean(&text);
            let short = cut(&text, limit);
            prop_assert!(text.starts_with(short) && width(short) <= limit);
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert_eq!(width(&justified(&text, "1.0s", limit.max(4))), limit.max(4));
        }
    }
}
