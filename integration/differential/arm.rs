//! One of the two: a case in a directory of its own, run with one of the tools.

use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::corpus::{Case, File};
use crate::setting::Setting;
use crate::tree::OLD;

/// More than any build here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// Letters of a line that a person wants to read.
const LONGEST: usize = 400;

/// Whose `build` it is, and whose `docker`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The real buildx, also behind Docker's own command line.
    Buildx,
    Cofferdam,
    /// `DOCKER=cofferdam`.
    CofferdamAsDocker,
    /// Docker's own command line after `cofferdam install`.
    Installed,
}

/// A case that was run with a tool.
pub struct Arm {
    pub setting: &'static Setting,
    /// Name of its images.
    pub image: String,
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
    root: TempDir,
}

impl Arm {
    /// Runs the case.
    pub fn run(case: &Case, setting: &'static Setting, tool: Tool) -> Self {
        let first = Self::once(case, setting, tool);
        // containerd of 26.1 loses content under a build when another image is removed meanwhile,
        // does not take an image without a name twice at the same time, and now and then the
        // frontend of 26.1 finds no file in an archive that holds it.
        let losses = [
            ("content digest", "not found"),
            ("moby-dangling@", "already exists"),
            ("open Dockerfile", "no such file"),
        ];
        let lost = |(what, how)| first.stderr.contains(what) && first.stderr.contains(how);
        let again = first.exit != case.exit && losses.into_iter().any(lost);
        if again { Self::once(case, setting, tool) } else { first }
    }

    fn once(case: &Case, setting: &'static Setting, tool: Tool) -> Self {
        let root = tempfile::Builder::new().prefix("cofferdam-diff-").tempdir().unwrap();
        for directory in ["work", "home/.docker", "tmp"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let image = format!("cofferdam-diff-{}", unique());
        let mut arm =
            Self { setting, image, exit: 0, stdout: String::new(), stderr: String::new(), root };
        for file in &case.files {
            arm.write(file);
        }
        make_old(&arm.work());
        arm.set_up_docker(tool);
        arm.set_up_builders();
        let script = format!("set -e\n{}\n{}", build(case, setting, tool), case.script);
        (arm.exit, arm.stdout, arm.stderr) = run(arm.shell(&script, tool));
        arm
    }

    /// The directory that scripts run in.
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// The directory above it; nothing of it is the same in another arm.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Makes `docker build` of Docker's own command line what it is for this tool.
    fn set_up_docker(&self, tool: Tool) {
        let plugins = self.root.path().join("home/.docker/cli-plugins");
        std::fs::create_dir(&plugins).unwrap();
        let buildx = &self.setting.engine.buildx;
        std::os::unix::fs::symlink(buildx, plugins.join("docker-buildx")).unwrap();
        if tool == Tool::Installed {
            let (exit, _, stderr) = run(self.shell("$PROGRAM install", tool));
            assert_eq!(exit, 0, "cofferdam install: {stderr}");
        }
    }

    /// Gives the arm a store of builders of its own. buildx keeps the node's name there, under which
    /// a daemon keeps the directories that it was sent: those of another case would be changed into
    /// those of this one, which loses the times of directories.
    fn set_up_builders(&self) {
        let Some((_, store)) = &self.setting.builder else { return };
        for entry in walkdir::WalkDir::new(store.path()) {
            let entry = entry.unwrap();
            let to = self.builders().join(entry.path().strip_prefix(store.path()).unwrap());
            if entry.file_type().is_dir() {
                std::fs::create_dir_all(to).unwrap();
            } else if entry.file_name() != ".buildNodeID" {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }

    fn builders(&self) -> PathBuf {
        self.root.path().join("builders")
    }

    /// How it ended, for a person.
    pub fn told(&self) -> String {
        let told = format!("exit {}\nstdout: {}\nstderr:\n{}", self.exit, self.stdout, self.stderr);
        let short = |line: &str| line.chars().take(LONGEST).collect::<String>() + "\n";
        told.lines().map(short).collect()
    }

    fn write(&self, file: &File) {
        let path = self.work().join(&file.path);
        if file.path.ends_with('/') {
            std::fs::create_dir_all(&path).unwrap();
        } else {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let names = [
                ("{{image}}", self.image.as_str()),
                ("{{registry}}", &self.setting.engine.registry),
                ("{{busybox}}", &self.setting.engine.busybox()),
                ("{{debian}}", &self.setting.engine.debian()),
            ];
            let text =
                names.iter().fold(file.text.clone(), |text, (name, is)| text.replace(name, is));
            std::fs::write(&path, text).unwrap();
        }
        let mode = file.mode.unwrap_or(if path.is_dir() { 0o755 } else { 0o644 });
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn shell(&self, script: &str, tool: Tool) -> Command {
        let engine = self.setting.engine;
        let cofferdam = PathBuf::from(env!("CARGO_BIN_EXE_cofferdam"));
        let program = if tool == Tool::Buildx { &engine.buildx } else { &cofferdam };
        let home = self.root.path().join("home");
        let mut shell = Command::new("/bin/bash");
        shell.args(["-c", script]).current_dir(self.work()).env_clear();
        shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        shell.env("HOME", &home).env("DOCKER_CONFIG", home.join(".docker"));
        shell.env("TMPDIR", self.root.path().join("tmp")).env("DOCKER_HOST", &engine.host);
        shell.env("PROGRAM", program).env("IMAGE", &self.image).env("REGISTRY", &engine.registry);
        shell.env("BUSYBOX", engine.busybox()).env("DEBIAN", engine.debian());
        if let Some((name, _)) = &self.setting.builder {
            shell.env("BUILDX_BUILDER", name).env("BUILDX_CONFIG", self.builders());
        }
        // Attestations make an index of an image; ours are kept elsewhere until somebody asks.
        shell.env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1");
        let docker =
            if tool == Tool::CofferdamAsDocker { program.as_path() } else { "docker".as_ref() };
        shell.env("DOCKER", docker);
        // Commits that are the same in every run.
        for who in ["AUTHOR", "COMMITTER"] {
            shell.env(format!("GIT_{who}_NAME"), "nobody");
            shell.env(format!("GIT_{who}_EMAIL"), "nobody@example.com");
            shell.env(format!("GIT_{who}_DATE"), "2020-09-13T12:26:40Z");
        }
        shell
    }
}

/// What `build` means in scripts. Both tools build anew, so that neither is served what the other
/// one made; and a builder gives its result to nobody until it is told to.
fn build(case: &Case, setting: &Setting, tool: Tool) -> String {
    let has = |flags: &[&str]| flags.iter().any(|flag| case.script.contains(flag));
    let anew = tool == Tool::Buildx && !has(&["--no-cache"]);
    let load = setting.builder.is_some() && !has(&[" -o", "--output", "--load", "--push"]);
    let flags = [(anew, " --no-cache"), (load, " --load")];
    let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, flag)| *flag).collect();
    format!(r#"build() {{ "$PROGRAM" build{flags} "$@"; }}"#)
}

/// Gives everything below the same age.
fn make_old(directory: &Path) {
    let time = SystemTime::UNIX_EPOCH + OLD;
    for entry in walkdir::WalkDir::new(directory) {
        let file = std::fs::File::open(entry.unwrap().path()).unwrap();
        file.set_modified(time).unwrap();
    }
}

/// Random hex digits.
fn unique() -> String {
    let mut bytes = [0_u8; 6];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Exit code and both streams; a process that does not end is killed with all its children.
fn run(mut command: Command) -> (i32, String, String) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap();
    let drain = |mut from: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = from.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = drain(Box::new(child.stdout.take().unwrap()));
    let stderr = drain(Box::new(child.stderr.take().unwrap()));
    let exit = wait(&mut child);
    let (stdout, mut stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    if exit.is_none() {
        stderr += &format!("\nit did not end within {LIMIT:?}");
    }
    (exit.unwrap_or(-1), stdout, stderr)
}

fn wait(child: &mut Child) -> Option<i32> {
    let end = Instant::now() + LIMIT;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let group = Pid::from_raw(child.id().cast_signed()).unwrap();
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
    let _ = child.wait();
    None
}
