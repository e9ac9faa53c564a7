//! What was asked for about progress: the flag and the variables that go with it.

use std::str::FromStr;

use super::colors::Colors;
use super::columns::clean;

/// Lines of the log of a running step that `tty` progress shows.
const LOG_LINES: usize = 6;
/// More lines than any terminal has.
const MOST_LOG_LINES: usize = 1000;

/// The formats of `--progress`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressMode {
    /// `Tty` where stderr is a terminal, `Plain` elsewhere.
    #[default]
    Auto,
    /// A live picture of the build, redrawn in place.
    Tty,
    /// One line after the other.
    Plain,
    /// Nothing but errors; with buildx's flag of that name the image's ID follows on stdout, which
    /// is the caller's to print.
    Quiet,
    /// The stream of the engine as JSON, one object a line.
    RawJson,
    /// Nothing but errors.
    None,
}

/// A word that is no format of progress.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid progress mode {0:?}: auto, none, plain, quiet, rawjson or tty")]
pub struct UnknownMode(pub String);

impl FromStr for ProgressMode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        Ok(match text {
            "" | "auto" => Self::Auto,
            "tty" => Self::Tty,
            "plain" => Self::Plain,
            "quiet" => Self::Quiet,
            "rawjson" => Self::RawJson,
            "none" => Self::None,
            _ => return Err(UnknownMode(text.to_owned())),
        })
    }
}

impl ProgressMode {
    /// Whether people read along: they also get a verdict at the end.
    pub fn is_for_people(self) -> bool {
        matches!(self, Self::Auto | Self::Tty | Self::Plain)
    }
}

/// Everything that decides how progress looks, read once by whoever reads the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressSettings {
    /// The format.
    pub mode: ProgressMode,
    /// The colours of `tty`, used unless the printer has none.
    pub colors: Colors,
    /// Most lines of a running step's log that `tty` shows.
    pub log_lines: usize,
    /// Whether warnings are told with their explanation and place.
    pub debug: bool,
    /// Who builds.
    pub builder: Option<Builder>,
}

/// Who builds, in the words of buildx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builder {
    /// Its name, as `default`.
    pub name: String,
    /// How it is reached, as `docker`.
    pub driver: String,
}

impl Builder {
    pub(crate) fn short(&self) -> String {
        clean(&format!("{}:{}", self.driver, self.name))
    }

    pub(crate) fn long(&self) -> String {
        let Self { name, driver } = self;
        clean(&format!("building with \"{name}\" instance using {driver} driver"))
    }
}

impl Default for ProgressSettings {
    fn default() -> Self {
        Self {
            mode: ProgressMode::Auto,
            colors: Colors::default(),
            log_lines: LOG_LINES,
            debug: false,
            builder: None,
        }
    }
}

impl ProgressSettings {
    /// The settings for a value of `--progress`, with `BUILDKIT_PROGRESS` (only for `auto`),
    /// `BUILDKIT_COLORS` and `BUILDKIT_TTY_LOG_LINES` looked up by `variable`.
    ///
    /// Also returns complaints about variables that are worth a notice. Fails when
    /// `BUILDKIT_PROGRESS` is no format.
    pub fn new(
        mode: ProgressMode,
        debug: bool,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(Self, Vec<String>), UnknownMode> {
        let mode = match variable("BUILDKIT_PROGRESS") {
            Some(text) if mode == ProgressMode::Auto => text.parse()?,
            _ => mode,
        };
        let colors = variable("BUILDKIT_COLORS");
        let (colors, complaints) = Colors::parse(colors.as_deref().unwrap_or_default());
        let lines = variable("BUILDKIT_TTY_LOG_LINES").and_then(|text| text.parse().ok());
        let log_lines = lines.filter(|&lines: &usize| lines > 0).unwrap_or(LOG_LINES);
        let log_lines = log_lines.min(MOST_LOG_LINES);
        Ok((Self { mode, colors, log_lines, debug, builder: None }, complaints))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(mode: ProgressMode, name: &'static str, value: &'static str) -> ProgressSettings {
        let variable = |asked: &str| (asked == name).then(|| value.to_owned());
        ProgressSettings::new(mode, false, variable).unwrap().0
    }

    #[test]
    fn the_variable_counts_where_the_flag_leaves_the_choice() {
        let with = |mode| settings(mode, "BUILDKIT_PROGRESS", "plain").mode;
        assert_eq!(with(ProgressMode::Auto), ProgressMode::Plain);
        assert_eq!(with(ProgressMode::Tty), ProgressMode::Tty);
        assert_eq!(settings(ProgressMode::Auto, "X", "").mode, ProgressMode::Auto);
        let refused =
            ProgressSettings::new(ProgressMode::Auto, false, |_| Some("fancy".into())).unwrap_err();
        assert!(refused.to_string().contains("\"fancy\""), "{refused}");
    }

    #[test]
    fn log_lines_are_a_number_of_lines() {
        let with = |value| settings(ProgressMode::Auto, "BUILDKIT_TTY_LOG_LINES", value).log_lines;
        assert_eq!(with("20"), 20);
        assert_eq!(with("99999999"), MOST_LOG_LINES);
        for nothing in ["", "0", "-1", "many"] {
            assert_eq!(with(nothing), LOG_LINES, "{nothing}");
        }
    }
}
