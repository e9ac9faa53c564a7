//! A terminal with somebody in front of it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::eventually;

/// More than any build here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// A program in a terminal; killed when dropped.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<Screen>>,
    reader: Option<JoinHandle<()>>,
}

/// What is on the screen, and what was there at some time.
pub struct Screen {
    parser: vt100::Parser,
    /// The screen after every read that changed it.
    pub seen: Vec<String>,
}

impl Terminal {
    /// Starts `command` as the only program of a new terminal.
    pub fn start(command: &Command, columns: u16, rows: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let child = Self::child(command, &theirs);
        let screen = Arc::new(Mutex::new(Screen {
            parser: vt100::Parser::new(rows, columns, 1000),
            seen: Vec::new(),
        }));
        let shown = Arc::clone(&screen);
        let mut output = File::from(ours.try_clone().unwrap());
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 1 << 16];
            // The terminal is gone when nobody has its other end any more.
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                shown.lock().unwrap().take(&bytes[..read]);
            }
        });
        Self { child, keyboard: File::from(ours), screen, reader: Some(reader) }
    }

    /// With the terminal as its controlling one, so that keys become signals.
    fn child(command: &Command, theirs: &File) -> Child {
        let end = || OwnedFd::from(theirs.try_clone().unwrap());
        let mut wrapped = Command::new("setsid");
        wrapped.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        wrapped.current_dir(command.get_current_dir().unwrap());
        wrapped.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap()
    }

    /// Presses keys.
    pub fn types(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).unwrap();
    }

    /// Makes the window another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.keyboard, size).unwrap();
        self.screen.lock().unwrap().parser.screen_mut().set_size(rows, columns);
    }

    /// Waits until the screen shows a text.
    pub fn waits_for(&self, text: &str) {
        let shown = || self.screen.lock().unwrap().text().contains(text);
        let shows = eventually(Duration::from_secs(30), shown);
        assert!(shows, "{text:?} never shows\n{}", self.screen.lock().unwrap().text());
    }

    /// Waits for the end; the exit code and the screen.
    pub fn ends(mut self) -> (Option<i32>, Screen) {
        let ended = eventually(LIMIT, || self.child.try_wait().unwrap().is_some());
        assert!(ended, "it did not end\n{}", self.screen.lock().unwrap().text());
        let code = self.child.wait().unwrap().code();
        self.reader.take().unwrap().join().unwrap();
        let mut screen = self.screen.lock().unwrap();
        let empty = Screen { parser: vt100::Parser::default(), seen: Vec::new() };
        (code, std::mem::replace(&mut *screen, empty))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Screen {
    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        let text = self.text();
        if self.seen.last() != Some(&text) {
            self.seen.push(text);
        }
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// What is on the screen, and what went off at its top.
    pub fn all(&mut self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        self.parser.screen_mut().set_scrollback(usize::MAX);
        let rows = usize::from(self.parser.screen().size().0);
        let above = self.parser.screen().scrollback();
        for back in (0..=above).rev() {
            self.parser.screen_mut().set_scrollback(back);
            let columns = self.parser.screen().size().1;
            let mut shown = self.parser.screen().rows(0, columns);
            match back {
                0 => lines.extend(shown.take(rows)),
                _ => lines.extend(shown.next()),
            }
        }
        lines
    }

    /// Whether the cursor can be seen.
    pub fn has_cursor(&self) -> bool {
        !self.parser.screen().hide_cursor()
    }
}
