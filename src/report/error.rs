//! Errors that are no findings: one paragraph and what to do next.

use std::error::Error;

use super::snippet::Snippet;
use super::style::{Paint, Style};
use super::text::printable;

/// Something that went wrong, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorReport {
    /// What failed, on what.
    pub headline: String,
    /// The place in a file it is about.
    pub snippet: Option<Snippet>,
    /// Why, the nearest cause first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl ErrorReport {
    /// The report of an error and of everything that caused it.
    pub fn of(error: &dyn Error) -> Self {
        let causes = std::iter::successors(error.source(), |&cause: &&dyn Error| cause.source());
        Self {
            headline: error.to_string(),
            causes: causes.map(ToString::to_string).collect(),
            ..Self::default()
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the place it is about.
    #[must_use]
    pub fn with_snippet(mut self, snippet: Snippet) -> Self {
        self.snippet = Some(snippet);
        self
    }

    /// The lines of the report, without newlines.
    pub fn lines(&self, style: Style) -> Vec<String> {
        let word = style.paint(Paint::Bad, "error:");
        let mut lines = Vec::new();
        for (number, text) in self.message().lines().enumerate() {
            let text = printable(text);
            lines.push(match number {
                0 => format!("{word} {text}"),
                _ => format!("  {text}"),
            });
        }
        if let Some(snippet) = &self.snippet {
            lines.extend(snippet.lines(style));
        }
        if let Some(hint) = &self.hint {
            let word = style.paint(Paint::Strong, "hint:");
            lines.push(format!("{word} {}", printable(hint)));
        }
        lines
    }

    /// The headline and its causes in one sentence; a cause that an outer message
    /// already tells is not told twice.
    fn message(&self) -> String {
        let mut message = self.headline.trim().to_owned();
        for cause in self.causes.iter().map(|cause| cause.trim()) {
            if !message.ends_with(cause) {
                message = format!("{message}: {cause}");
            }
        }
        if message.is_empty() {
            message.push_str("unknown error");
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to reach the engine at {0}")]
    struct Reach(&'static str, #[source] std::io::Error);

    #[test]
    fn causes_and_hint_make_one_paragraph() {
        let error =
            Reach("unix:///var/run/docker.sock", std::io::Error::other("permission denied"));
        let report = ErrorReport::of(&error).with_hint("add yourself to the docker group");
        assert_eq!(
            report.lines(Style::PLAIN),
            [
                "error: failed to reach the engine at unix:///var/run/docker.sock: permission denied",
                "hint: add yourself to the docker group",
            ]
        );
    }

    #[test]
    fn a_cause_that_was_told_is_not_told_twice() {
        let report = ErrorReport {
            headline: "failed to solve: exit code: 1".into(),
            causes: vec!["exit code: 1".into(), String::new(), "killed".into()],
            ..ErrorReport::default()
        };
        assert_eq!(report.lines(Style::PLAIN), ["error: failed to solve: exit code: 1: killed"]);
    }

    #[test]
    fn long_stories_are_indented_and_commands_are_not_obeyed() {
        let report = ErrorReport {
            headline: "failed to parse\nline 2: \x1b[2J".into(),
            ..ErrorReport::default()
        };
        assert_eq!(report.lines(Style::PLAIN), ["error: failed to parse", "  line 2: \\u{1b}[2J"]);
        assert_eq!(ErrorReport::default().lines(Style::PLAIN), ["error: unknown error"]);
    }
}
