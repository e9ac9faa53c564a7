//! A directory to check in, and the program.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One denied finding by name, two that can be mended, one that cannot.
pub const SAMPLE: &str = "FROM debian:12\nADD app /srv/app\nRUN sudo true\nADD lib /srv/lib\n";

/// Rules of this file's findings; others may come and go.
pub const ONLY: [&str; 2] = ["local-add", "sudo"];

pub struct Bench {
    dir: tempfile::TempDir,
}

/// What a call came to.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Bench {
    /// A repository of its own, where only the rules of [`ONLY`] and those about the file's form count.
    pub fn new() -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(bench.path(".git")).unwrap();
        bench.write("cofferdam.toml", quiet(""));
        bench
    }

    pub fn with(file: &str, text: &str) -> Self {
        let bench = Self::new();
        bench.write(file, text);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn check(&self, args: &[&str]) -> Said {
        self.run(&[&["check"], args].concat(), b"")
    }

    /// Checks as somebody whom modes of files bind: root too, without its capabilities to pass over
    /// them (setpriv of util-linux).
    pub fn check_bound_by_modes(&self, args: &[&str]) -> Said {
        let program = env!("CARGO_BIN_EXE_cofferdam");
        let mut command = match rustix::process::geteuid().is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--bounding-set", "-dac_override,-dac_read_search", program]);
                command
            }
            false => Command::new(program),
        };
        self.output(command.arg("check").args(args))
    }

    /// What a program says in the directory.
    pub fn output(&self, command: &mut Command) -> Said {
        let output = command.current_dir(self.root()).output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub fn run(&self, args: &[&str], stdin: &[u8]) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cofferdam"))
            .args(args)
            .current_dir(self.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who reads no input closes it.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `rule file:line level` of everything that is found.
    pub fn found(&self, args: &[&str]) -> Vec<String> {
        let said = self.check(&[args, &["--format", "json"]].concat());
        let report: serde_json::Value =
            serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
        let list = report["findings"].as_array().unwrap().iter();
        list.map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap().to_string();
            let line = &finding["start"]["line"];
            format!("{} {}:{line} {}", text("rule"), text("file"), text("level"))
        })
        .collect()
    }
}

/// A configuration that allows every rule but those of [`ONLY`]; `more` stands before its tables.
pub fn quiet(more: &str) -> String {
    let own = ["bad-ignore", "unused-ignore", "parse-error"];
    let rules = cofferdam_frontend::policy::every_about();
    let text = cofferdam_frontend::policy::Place::Text;
    let looks = rules.iter().filter(|about| about.places.contains(&text));
    let off = looks.filter(|about| !ONLY.contains(&about.id) && !own.contains(&about.id));
    let off: String = off.map(|about| format!("{} = \"allow\"\n", about.id)).collect();
    format!("{more}\n[rules]\n{off}")
}
