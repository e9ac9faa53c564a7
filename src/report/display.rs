//! The progress of one build on its way to the terminal.

use super::filter::Filter;
use super::plain::{PlainProgress, SystemClock};
use super::printer::Printer;
use super::progress::rawjson::RawJson;
use super::progress::settings::{ProgressMode, ProgressSettings};
use super::progress::tty::{End, TtyProgress};
use super::quiet::QuietProgress;
use crate::engine::StatusResponse;

/// The formats of progress.
enum Format<F> {
    Tty(Box<TtyProgress<SystemClock, F>>),
    Plain(Box<PlainProgress<SystemClock, F>>),
    RawJson(RawJson<F>),
    Silent(Box<QuietProgress<F>>),
}

/// Shows a build; dropping it leaves the terminal as it should be left.
pub(super) struct Display<'a, F: Filter> {
    printer: &'a Printer,
    format: Format<F>,
    ended: bool,
}

impl<'a, F: Filter> Display<'a, F> {
    /// Shows nothing yet.
    pub(super) fn new(printer: &'a Printer, settings: &ProgressSettings, filter: F) -> Self {
        let clock = SystemClock::default();
        let format = match settings.mode {
            ProgressMode::Auto if printer.is_terminal() => {
                Format::tty(printer, settings, clock, filter)
            }
            ProgressMode::Tty => Format::tty(printer, settings, clock, filter),
            ProgressMode::Auto | ProgressMode::Plain => {
                let builder = settings.builder.as_ref();
                let description = builder.map(|builder| builder.long()).unwrap_or_default();
                let plain = PlainProgress::new(clock, filter).with_description(description);
                Format::Plain(Box::new(plain))
            }
            ProgressMode::RawJson => Format::RawJson(RawJson::new(filter)),
            ProgressMode::Quiet | ProgressMode::None => {
                Format::Silent(Box::new(QuietProgress::new(filter)))
            }
        };
        Self { printer, format, ended: false }
    }

    /// Takes one message of the status stream.
    pub(super) fn update(&mut self, status: &StatusResponse) {
        match &mut self.format {
            Format::Tty(tty) => {
                if tty.update(status) {
                    self.refresh();
                }
            }
            Format::Plain(plain) => {
                self.printer.progress_bytes(|out| plain.update(status, out));
            }
            Format::RawJson(json) => {
                let line = json.encode(status);
                self.printer.progress_bytes(|out| {
                    out.extend_from_slice(&line);
                    Ok(())
                });
            }
            Format::Silent(quiet) => quiet.update(status),
        }
    }

    /// Shows what time has changed.
    pub(super) fn refresh(&mut self) {
        match &mut self.format {
            Format::Tty(tty) => self.printer.picture(|size| tty.picture(size)),
            Format::Plain(plain) => self.printer.progress_bytes(|out| plain.refresh(out)),
            Format::RawJson(_) | Format::Silent(_) => {}
        }
    }

    /// Shows the end and what failed.
    pub(super) fn finish(mut self) {
        self.end(End::Done);
    }

    fn end(&mut self, end: End) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let failures = match &mut self.format {
            Format::Tty(tty) => {
                self.printer.last_picture(|size| tty.last_picture(end, size));
                tty.failures()
            }
            Format::Plain(plain) => {
                self.printer.progress_bytes(|out| plain.finish(out));
                Vec::new()
            }
            Format::RawJson(json) => {
                let rest = json.finish();
                self.printer.progress_bytes(|out| {
                    out.extend_from_slice(&rest);
                    Ok(())
                });
                Vec::new()
            }
            Format::Silent(quiet) if end == End::Done => quiet.failures(),
            Format::Silent(_) => Vec::new(),
        };
        self.printer
            .progress_bytes(|out| failures.iter().try_for_each(|failure| failure.write(out)));
    }
}

impl<F: Filter> Format<F> {
    fn tty(printer: &Printer, settings: &ProgressSettings, clock: SystemClock, filter: F) -> Self {
        Self::Tty(Box::new(TtyProgress::new(clock, filter, settings, printer.style())))
    }
}

impl<F: Filter> Drop for Display<'_, F> {
    fn drop(&mut self) {
        self.end(End::Cut);
    }
}
