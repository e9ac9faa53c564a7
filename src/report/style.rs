//! Colours, which are only ever decoration.

/// How output is decorated; the caller knows whether a terminal reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are used.
    pub color: bool,
}

/// What a piece of text is, as far as its colour goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// It went well.
    Good,
    /// It failed or was refused.
    Bad,
    /// It deserves a look.
    Warning,
    /// The frame around text: line numbers, arrows.
    Frame,
    /// What is said, in front of the rest.
    Strong,
}

impl Style {
    /// No decoration.
    pub const PLAIN: Self = Self { color: false };
    /// Colours.
    pub const COLOR: Self = Self { color: true };

    /// The text in its colour, unchanged without colours.
    pub fn paint(self, paint: Paint, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Good => "1;32",
            Paint::Bad => "1;31",
            Paint::Warning => "1;33",
            Paint::Frame => "34",
            Paint::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
