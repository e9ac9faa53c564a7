//! The hook every text of the engine passes before anybody reads it.

use std::borrow::Cow;

/// Rewrites what the engine says, for example to mask secret values.
pub trait Filter {
    /// One piece of the log of a step, without its newline; the bytes may not be
    /// UTF-8, and the result must hold no newline.
    ///
    /// Pieces are whole lines when [`Filter::whole_lines`] is true.
    fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(line)
    }

    /// A text that is no log line: the name of a step, of a transfer, an error,
    /// a warning.
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }

    /// Whether unfinished lines wait until they end, so that nothing can hide
    /// by arriving in two pieces.
    ///
    /// A line longer than one mebibyte is passed on unfinished.
    fn whole_lines(&self) -> bool {
        false
    }
}

/// Changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unfiltered;

impl Filter for Unfiltered {}

impl<F: Filter + ?Sized> Filter for Box<F> {
    fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        (**self).line(line)
    }

    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        (**self).text(text)
    }

    fn whole_lines(&self) -> bool {
        (**self).whole_lines()
    }
}

impl<F: Filter + ?Sized> Filter for std::sync::Arc<F> {
    fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        (**self).line(line)
    }

    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        (**self).text(text)
    }

    fn whole_lines(&self) -> bool {
        (**self).whole_lines()
    }
}
