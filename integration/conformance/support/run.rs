//! The program under test, run as a user runs it.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::terminal::Terminal;

/// More than any build here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// A command line.
pub struct Cofferdam {
    command: Command,
}

impl Cofferdam {
    /// With nothing in its environment but a `PATH`.
    pub fn new(program: &Path, dir: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(args).current_dir(dir).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Self { command }
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in another directory.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs as another user.
    pub fn user(mut self, uid: u32) -> Self {
        self.command.uid(uid).gid(uid);
        self
    }

    /// Runs to the end.
    pub fn run(mut self) -> Outcome {
        Outcome::of(&mut self.command)
    }

    /// Starts with a terminal of that size as all of its streams.
    pub fn on_terminal(self, columns: u16, rows: u16) -> Terminal {
        Terminal::start(&self.command, columns, rows)
    }

    /// Starts.
    pub fn start(mut self) -> Running {
        Running::start(&mut self.command)
    }
}

/// A command that was started; killed when dropped.
pub struct Running {
    child: Child,
    started: Instant,
    line: String,
    output: Option<[JoinHandle<Vec<u8>>; 2]>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let line = format!("{command:?}");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        let output = [drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap())];
        Self { child, started: Instant::now(), line, output: Some(output) }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it ended, or the time was over.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        super::eventually(limit, || self.child.try_wait().unwrap().is_some())
    }

    /// Waits for the end.
    pub fn outcome(mut self) -> Outcome {
        let ended = self.ends_within(LIMIT);
        if !ended {
            let _ = self.child.kill();
        }
        let status = self.child.wait().unwrap();
        let [stdout, stderr] = self.output.take().unwrap().map(|reader| reader.join().unwrap());
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        let line = std::mem::take(&mut self.line);
        let outcome = Outcome { line, status, stdout, stderr, elapsed: self.started.elapsed() };
        assert!(ended, "it did not end within {LIMIT:?}\n{}", outcome.told());
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn drain(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Outcome {
    line: String,
    status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub elapsed: Duration,
}

impl Outcome {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        Running::start(command).outcome()
    }

    /// The exit code.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// stdout as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Exit code 0, and no crash.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// A failure with this code, told without a crash.
    #[track_caller]
    pub fn fails(self, code: i32) -> Self {
        let outcome = self.exits(code);
        let told = outcome.stderr.lines().any(|line| {
            ["error: ", "refused ", "error["].iter().any(|start| line.starts_with(start))
        });
        assert!(told, "it does not say what failed\n{}", outcome.told());
        outcome
    }

    /// A failure with this code, told in one paragraph that ends with the next step.
    #[track_caller]
    pub fn explains(self, code: i32) -> Self {
        let outcome = self.fails(code);
        outcome.expect_paragraph();
        outcome
    }

    /// The same, where it may be the build that fails or the registry.
    #[track_caller]
    pub fn explains_input(self) -> Self {
        let code = if self.code() == Some(4) { 4 } else { 1 };
        self.explains(code)
    }

    #[track_caller]
    fn expect_paragraph(&self) {
        let outcome = self;
        let words = outcome.paragraph();
        // A refusal may end with an exception to write, which has six lines of its own.
        let limit = if words.iter().any(|line| line.trim() == "[[exception]]") { 18 } else { 12 };
        assert!(words.len() <= limit, "that is more than a paragraph\n{}", outcome.told());
        let next = words.iter().any(|line| line.starts_with("hint: ") || line.contains("= fix: "));
        assert!(next, "it does not say what to do next\n{}", outcome.told());
    }

    /// stderr holds the word somewhere.
    #[track_caller]
    pub fn says(self, word: &str) -> Self {
        assert!(self.stderr.contains(word), "it does not say {word:?}\n{}", self.told());
        self
    }

    /// Neither stream holds the word.
    #[track_caller]
    pub fn never_says(self, word: &str) -> Self {
        let said = self.stderr.contains(word) || self.out().contains(word);
        assert!(!said, "it says {word:?}\n{}", self.told());
        self
    }

    /// The lines from the error on.
    pub fn paragraph(&self) -> Vec<&str> {
        let lines = self.stderr.lines();
        lines
            .skip_while(|line| !line.starts_with("error") && !line.starts_with("refused"))
            .collect()
    }

    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "{}", self.told());
        for crash in ["panicked at", "RUST_BACKTRACE", "stack backtrace"] {
            assert!(!self.stderr.contains(crash), "it crashed\n{}", self.told());
        }
        self
    }

    /// Everything about it, for a person.
    pub fn told(&self) -> String {
        let Self { line, status, stderr, elapsed, .. } = self;
        format!("{line}: {status}, {elapsed:?}\nstdout: {}\nstderr:\n{stderr}", self.out())
    }
}
