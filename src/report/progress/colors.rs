//! The colours of `tty` progress, in the words of `BUILDKIT_COLORS`.
//!
//! `run=green:warning=yellow:error=red:cancel=255,165,0`: names of the sixteen colours of
//! terminals, or three numbers below 256, as BuildKit reads them.

/// What a line of the progress is, as far as its colour goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A step that is done.
    Run,
    /// A step that was cut short.
    Cancel,
    /// A warning of the engine.
    Warning,
    /// A step that failed.
    Error,
}

/// One colour, as the parameters of the terminal's "select graphic rendition".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Color {
    /// One of the sixteen colours, or 39 for the terminal's own.
    Named(u8),
    /// One of 256 colours.
    Cube(u8),
}

/// The colours of all roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colors {
    run: Color,
    cancel: Color,
    warning: Color,
    error: Color,
}

impl Default for Colors {
    /// Blue, yellow, yellow and red, as BuildKit has them.
    fn default() -> Self {
        Self {
            run: Color::Named(34),
            cancel: Color::Named(33),
            warning: Color::Named(33),
            error: Color::Named(31),
        }
    }
}

impl Colors {
    /// Reads the value of `BUILDKIT_COLORS`; returns a complaint for every part that means nothing,
    /// which leaves the colour as it was.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let (mut colors, mut complaints) = (Self::default(), Vec::new());
        for part in text.trim_end_matches(['\n', '\r']).split(':').filter(|part| !part.is_empty()) {
            if let Err(why) = colors.set(unquoted(part)) {
                complaints.push(format!("BUILDKIT_COLORS: {part:?}: {why}"));
            }
        }
        (colors, complaints)
    }

    fn set(&mut self, part: &str) -> Result<(), &'static str> {
        let (key, value) = part.split_once('=').ok_or("write name=colour")?;
        let color = color(value)
            .ok_or("no colour of that name; write a name or three numbers below 256")?;
        *match key.to_ascii_lowercase().as_str() {
            "run" => &mut self.run,
            "cancel" => &mut self.cancel,
            "warning" => &mut self.warning,
            "error" => &mut self.error,
            _ => return Err("only run, cancel, warning and error have colours"),
        } = color;
        Ok(())
    }

    /// The parameters that select the colour of a role, as `34` or `38;5;208`.
    pub fn code(&self, role: Role) -> String {
        let color = match role {
            Role::Run => self.run,
            Role::Cancel => self.cancel,
            Role::Warning => self.warning,
            Role::Error => self.error,
        };
        match color {
            Color::Named(number) => number.to_string(),
            Color::Cube(number) => format!("38;5;{number}"),
        }
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

fn color(text: &str) -> Option<Color> {
    const NAMES: [&str; 8] =
        ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
    let name = text.to_ascii_lowercase();
    if name == "default" {
        return Some(Color::Named(39));
    }
    let (name, first) = match name.strip_prefix("light-") {
        Some(name) => (name, 90),
        None => (name.as_str(), 30),
    };
    if let Some(at) = NAMES.iter().position(|known| *known == name) {
        return Some(Color::Named(first + u8::try_from(at).ok()?));
    }
    let numbers: Option<Vec<u8>> =
        text.split(',').map(|number| unquoted(number).parse().ok()).collect();
    match numbers?.as_slice() {
        // The 6×6×6 cube of the 256 colours; shares of 43 make six steps of each.
        [red, green, blue] => {
            Some(Color::Cube(16 + 36 * (red / 43) + 6 * (green / 43) + blue / 43))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codes(text: &str) -> [String; 4] {
        let colors = Colors::parse(text).0;
        [Role::Run, Role::Cancel, Role::Warning, Role::Error].map(|role| colors.code(role))
    }

    #[test]
    fn names_and_numbers_are_colours() {
        assert_eq!(codes(""), ["34", "33", "33", "31"]);
        assert_eq!(codes("run=green:CANCEL=Light-Red"), ["32", "91", "33", "31"]);
        assert_eq!(codes("error=255,165,0:warning=default\n"), ["34", "33", "39", "38;5;214"]);
        assert_eq!(codes("\"run=white\":error=light-black"), ["37", "33", "33", "90"]);
    }

    #[test]
    fn what_means_nothing_is_complained_about_and_changes_nothing() {
        for text in ["run", "walk=red", "run=pink", "run=256,0,0", "run=1,2", "run=a=b", "run=#fff"]
        {
            let (colors, complaints) = Colors::parse(text);
            assert_eq!(colors, Colors::default(), "{text}");
            assert_eq!(complaints.len(), 1, "{text}");
        }
        assert_eq!(codes("oops:run=red"), ["31", "33", "33", "31"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".*", parts in "((run|error)=[a-z0-9,\"-]*:?)*") {
            Colors::parse(&text);
            Colors::parse(&parts);
        }
    }
}
