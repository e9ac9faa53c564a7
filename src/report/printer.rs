//! The one owner of the terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

use cofferdam_frontend::graph::judge::Violation;
use tokio::sync::mpsc;

use super::error::ErrorReport;
use super::excerpt::{Span, excerpt};
use super::finding::{Finding, Level};
use super::plain::{PlainProgress, REFRESH, SystemClock};
use super::progress::settings::{ProgressMode, ProgressSettings};
use super::quiet::QuietProgress;
use super::refusal::Refusal;
use super::snippet::Snippet;
use super::style::Style;
use super::verdict::Verdict;
use super::{failure::Failure, filter::Filter};
use crate::engine::StatusResponse;
use crate::error::{Error, Place, SourceText};

/// Where every rule has its page.
const RULES: &str = "https://github.com/cofferdam/cofferdam/blob/main/docs/rules";

/// Writes everything that a person or a script reads.
#[derive(Debug)]
pub struct Printer {
    style: Style,
    /// Lines of several tasks never mix.
    stderr: Mutex<()>,
}

impl Default for Printer {
    fn default() -> Self {
        Self::new()
    }
}

impl Printer {
    /// A printer that uses colours on a terminal, unless `NO_COLOR` is set.
    pub fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = std::io::stderr().is_terminal() && !plain;
        Self { style: Style { color }, stderr: Mutex::new(()) }
    }

    /// Prints what the command was asked to print.
    pub fn stdout(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::io("write to stdout"))
    }

    /// Says something that is worth a line.
    pub fn notice(&self, text: &str) {
        self.lines(&[format!("cofferdam: {}", super::text::printable(text))]);
    }

    /// The last lines of a build that was sealed.
    pub fn verdict(&self, verdict: &Verdict) {
        self.lines(&verdict.lines(self.style));
    }

    /// The last lines of a command that failed.
    pub fn error(&self, error: &Error) {
        match error {
            Error::Refused { names, violations, text } => {
                let refusal = Refusal {
                    names: names.clone(),
                    findings: violations.iter().map(|v| finding(v, text.as_ref())).collect(),
                    all: String::new(),
                };
                self.lines(&refusal.lines(self.style));
            }
            Error::Build { blame: Some((source, lines)), .. } => {
                let spans: Vec<Span> = lines
                    .iter()
                    .map(|&(first, last)| Span::lines(as_line(first), as_line(last)))
                    .collect();
                if let Some(text) = excerpt(&source.shown, &source.bytes, &spans) {
                    self.raw(&text);
                }
                self.report(error, None);
            }
            Error::Source { at, text, .. } => self.report(error, Some(snippet(at, text))),
            _ => self.report(error, None),
        }
    }

    fn report(&self, error: &Error, snippet: Option<Snippet>) {
        let report = ErrorReport { snippet, hint: error.hint(), ..ErrorReport::of(error) };
        self.lines(&report.lines(self.style));
    }

    /// Fails where a live picture is asked for and stderr is no terminal.
    pub fn check(&self, mode: ProgressMode) -> Result<(), Error> {
        if mode == ProgressMode::Tty && !std::io::stderr().is_terminal() {
            return Err(Error::usage_hint(
                "--progress tty: stderr is not a terminal",
                "use --progress auto or plain",
            ));
        }
        Ok(())
    }

    /// Prints the progress of a build until its stream ends.
    ///
    /// Without steps to show, only the last words of failed ones are printed.
    pub async fn progress(
        &self,
        mut stream: mpsc::Receiver<StatusResponse>,
        settings: &ProgressSettings,
        filter: impl Filter,
    ) {
        if matches!(settings.mode, ProgressMode::Quiet | ProgressMode::None) {
            let mut quiet = QuietProgress::new(filter);
            while let Some(status) = stream.recv().await {
                quiet.update(&status);
            }
            return self.failures(&quiet.failures());
        }
        let mut plain = PlainProgress::new(SystemClock::default(), filter);
        loop {
            match tokio::time::timeout(REFRESH, stream.recv()).await {
                Ok(Some(status)) => self.with_stderr(|out| plain.update(&status, out)),
                Ok(None) => break,
                Err(_) => self.with_stderr(|out| plain.refresh(out)),
            }
        }
        self.with_stderr(|out| plain.finish(out));
    }

    fn failures(&self, failures: &[Failure]) {
        self.with_stderr(|out| failures.iter().try_for_each(|failure| failure.write(out)));
    }

    fn lines(&self, lines: &[String]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.raw(text.as_bytes());
    }

    fn raw(&self, text: &[u8]) {
        self.with_stderr(|out| out.write_all(text));
    }

    /// A reader that went away is no reason to stop a build.
    fn with_stderr(&self, write: impl FnOnce(&mut std::io::StderrLock<'_>) -> std::io::Result<()>) {
        let _turn = self.stderr.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = write(&mut std::io::stderr().lock());
    }
}

fn as_line(line: usize) -> i32 {
    i32::try_from(line).unwrap_or(i32::MAX)
}

fn snippet(at: &Place, source: &[u8]) -> Snippet {
    Snippet::of_file(&at.file, source, at.line, at.column, at.length)
}

fn finding(violation: &Violation, source: Option<&SourceText>) -> Finding {
    let snippet = match (violation.lines.first(), source) {
        (Some(&(_, line, _)), Some(source)) => {
            let text = source.bytes.split(|b| *b == b'\n').nth(line.saturating_sub(1));
            let text = text.unwrap_or_default().trim_ascii_end();
            let length = String::from_utf8_lossy(text).chars().count().max(1);
            Some(Snippet::of_file(&source.shown, &source.bytes, line, 1, length))
        }
        _ => None,
    };
    Finding {
        rule: violation.rule.to_string(),
        level: Level::Error,
        message: violation.message.clone(),
        snippet,
        fix: violation.fix.lines().map(String::from).collect(),
        see: Some(format!("{RULES}/{}.md", violation.rule)),
    }
}
