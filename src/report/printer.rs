//! The one owner of the terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use cofferdam_frontend::dockerfile::Span as Bytes;
use cofferdam_frontend::graph::judge::Violation;
use tokio::sync::mpsc;

use super::display::Display;
use super::error::ErrorReport;
use super::excerpt::{Span, excerpt};
use super::filter::Filter;
use super::finding::{Finding, Level};
use super::ledger::Ledger;
use super::log::LogWriter;
use super::progress::settings::{ProgressMode, ProgressSettings};
use super::progress::{REFRESH, rawjson};
use super::refusal::Refusal;
use super::screen::{Painted, Screen, Size};
use super::snippet::Snippet;
use super::style::Style;
use super::verdict::Verdict;
use super::warnings::Warnings;
use crate::engine::StatusResponse;
use crate::error::{Error, Place, SourceText};

/// Where every rule has its page.
const RULES: &str = "https://github.com/cofferdam/cofferdam/blob/main/docs/rules";

/// What the status stream of a build told besides the progress.
#[derive(Debug, Default)]
pub struct Watched {
    /// When the steps ran.
    pub ledger: Ledger,
    /// The warnings of the engine.
    pub warnings: Warnings,
}

/// Writes everything that a person or a script reads.
#[derive(Debug)]
pub struct Printer {
    style: Style,
    screen: Arc<Mutex<Screen>>,
}

/// Whether standard output is looked at by a person.
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
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
        Self { style: Style { color }, screen: Arc::default() }
    }

    /// Where a debug log goes, so that it and a picture that is being drawn stay readable.
    pub fn log(&self) -> LogWriter {
        LogWriter(Arc::clone(&self.screen))
    }

    /// Standard output as a file, for a result that streams into it.
    pub fn stdout_file(&self) -> Result<std::fs::File, Error> {
        let stdout = std::os::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned();
        stdout.map(std::fs::File::from).map_err(Error::io("write to stdout"))
    }

    /// How what goes to standard output is decorated: with colours on a terminal.
    pub fn stdout_style(&self) -> Style {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Style { color: std::io::stdout().is_terminal() && !plain }
    }

    /// Writes a report to standard error, decorated as that is.
    pub fn stderr_report(&self, report: impl FnOnce(Style) -> Vec<u8>) {
        self.raw(&report(self.style));
    }

    /// Prints what the command was asked to print.
    pub fn stdout(&self, bytes: &[u8]) -> Result<(), Error> {
        // The same terminal may show both.
        let mut screen = self.screen();
        to_stderr(&screen.leave());
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::io("write to stdout"))
    }

    /// Says something that is worth a line, above a picture that is being drawn.
    pub fn notice(&self, text: &str) {
        let mut screen = self.screen();
        let line = match screen.is_json() {
            true => rawjson::notice(text),
            false => format!("cofferdam: {}\n", super::text::printable(text)).into_bytes(),
        };
        to_stderr(&screen.above(&line, size()));
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
            // It was printed where it was asked for.
            Error::Answered(_) => {}
            Error::Source { at, text, .. } => self.report(error, Some(snippet(at, text))),
            _ => self.report(error, None),
        }
    }

    fn report(&self, error: &Error, snippet: Option<Snippet>) {
        let report = ErrorReport { snippet, hint: error.hint(), ..ErrorReport::of(error) };
        self.lines(&report.lines(self.style));
    }

    /// Takes note of who reads; fails where a live picture is asked for and stderr is no terminal.
    pub fn check(&self, mode: ProgressMode) -> Result<(), Error> {
        self.screen().set_json(mode == ProgressMode::RawJson);
        if mode == ProgressMode::Tty && !self.is_terminal() {
            return Err(Error::usage_hint(
                "--progress tty: stderr is not a terminal",
                "use --progress auto or plain",
            ));
        }
        Ok(())
    }

    /// Shows the progress of a build until its stream ends, then the warnings of the engine; returns
    /// what was read from the stream.
    ///
    /// Where it is dropped before, what was shown last stays, with what still ran as cancelled.
    pub async fn progress(
        &self,
        mut stream: mpsc::Receiver<StatusResponse>,
        settings: &ProgressSettings,
        filter: impl Filter,
    ) -> Watched {
        let filter = Arc::new(filter);
        let mut watched = Watched::default();
        self.screen().set_json(settings.mode == ProgressMode::RawJson);
        let mut display = Display::new(self, settings, Arc::clone(&filter));
        loop {
            match tokio::time::timeout(REFRESH, stream.recv()).await {
                Ok(Some(status)) => {
                    watched.warnings.extend(&status.warnings);
                    watched.ledger.read(&status, SystemTime::now());
                    display.update(&status);
                }
                Ok(None) => break,
                Err(_) => display.refresh(),
            }
        }
        display.finish();
        if settings.mode.is_for_people() {
            self.raw(&watched.warnings.summary(settings.debug, self.style, &filter));
        }
        watched
    }

    /// Whether somebody looks at a screen.
    pub(super) fn is_terminal(&self) -> bool {
        std::io::stderr().is_terminal()
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// Draws a picture in the place of the last one.
    pub(super) fn picture(&self, paint: impl FnOnce(Size) -> Vec<Painted>) {
        let mut screen = self.screen();
        let size = size();
        to_stderr(&screen.draw(paint(size), size));
    }

    /// Draws the picture that stays.
    pub(super) fn last_picture(&self, paint: impl FnOnce(Size) -> Vec<Painted>) {
        let mut screen = self.screen();
        let size = size();
        to_stderr(&screen.draw(paint(size), size));
        screen.leave();
    }

    /// Writes a piece of progress that is no picture; it may end in the middle of a line.
    pub(super) fn progress_bytes(&self, write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail.
        let _ = write(&mut bytes);
        let mut screen = self.screen();
        screen.pass(&bytes);
        to_stderr(&bytes);
    }

    fn lines(&self, lines: &[String]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.raw(text.as_bytes());
    }

    fn raw(&self, text: &[u8]) {
        let mut screen = self.screen();
        to_stderr(&screen.above(text, size()));
    }

    /// Lines of several tasks never mix: whoever writes holds this.
    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader that went away is no reason to stop a build.
pub(super) fn to_stderr(bytes: &[u8]) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// The size of the terminal at this moment.
pub(super) fn size() -> Size {
    let told = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
    let told = told.filter(|told| told.ws_col > 0 && told.ws_row > 0);
    told.map_or(Size::UNKNOWN, |told| Size {
        columns: usize::from(told.ws_col),
        rows: usize::from(told.ws_row),
    })
}

fn as_line(line: usize) -> i32 {
    i32::try_from(line).unwrap_or(i32::MAX)
}

fn snippet(at: &Place, source: &[u8]) -> Snippet {
    Snippet::of_file(&at.file, source, at.line, at.column, at.length)
}

/// Column and length in characters of a span, as far as it is on its first line.
fn marked(source: &[u8], line: usize, span: Bytes) -> (usize, usize) {
    let before = source.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1));
    let start: usize = before.map(<[u8]>::len).sum();
    let rest = source.get(start..).unwrap_or_default();
    let text = rest.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let at = span.start.saturating_sub(start).min(text.len());
    let end = span.end.saturating_sub(start).clamp(at, text.len());
    let chars = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().count();
    let (before, marked) = text.split_at(at);
    (chars(before) + 1, chars(marked.get(..end - at).unwrap_or_default()).max(1))
}

fn finding(violation: &Violation, source: Option<&SourceText>) -> Finding {
    let snippet = match (violation.lines.first(), source) {
        (Some(&(_, line, _)), Some(source)) if violation.span.is_some() => {
            let (column, length) = marked(&source.bytes, line, violation.span.unwrap_or_default());
            Some(Snippet::of_file(&source.shown, &source.bytes, line, column, length))
        }
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
        notes: Vec::new(),
        fix: violation.fix.lines().map(String::from).collect(),
        see: Some(format!("{RULES}/{}.md", violation.rule)),
    }
}
