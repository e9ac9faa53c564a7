//! The debug log of `RUST_LOG`, above the picture that is being drawn.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use super::printer::{size, to_stderr};
use super::progress::rawjson;
use super::screen::Screen;

/// Where the log goes: the terminal of a printer, which writes it between two pictures.
#[derive(Clone, Debug)]
pub struct LogWriter(pub(super) Arc<Mutex<Screen>>);

impl Write for LogWriter {
    /// Takes whole lines: the log formats an event before it writes.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let mut screen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match screen.is_json() {
            true => rawjson::notice(String::from_utf8_lossy(lines).trim_end()),
            false => lines.to_vec(),
        };
        to_stderr(&screen.above(&text, size()));
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
