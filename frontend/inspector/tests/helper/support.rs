//! Trees to strip, and the helper's binary to strip them with.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cofferdam_inspector::report::StripReport;
use cofferdam_inspector::report::before::Before;
use rustix::fs::{AtFlags, Mode, OFlags, XattrFlags};

/// `cap_net_raw=ep`, version 2.
pub(crate) const NET_RAW: [u8; 20] = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const HELPER: &str = env!("CARGO_BIN_EXE_cofferdam-inspector");

macro_rules! skip_without_root {
    () => {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: needs root");
            return;
        }
    };
}
pub(crate) use skip_without_root;

/// A directory to strip and a place for the report beside it.
pub(crate) struct Tree(tempfile::TempDir);

impl Tree {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        Self(dir)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    pub(crate) fn report_path(&self) -> PathBuf {
        self.0.path().join("report.json")
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn file(&self, path: &str, mode: u32) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "content").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    pub(crate) fn dir(&self, path: &str, mode: u32) {
        fs::create_dir_all(self.path(path)).unwrap();
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.path(path)).unwrap().mode() & 0o7777
    }

    /// A chain of directories of one name; the last one, open, and its path within the root.
    pub(crate) fn deep(&self, name: &str, levels: usize) -> (OwnedFd, String) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut fd = rustix::fs::open(self.root(), flags, Mode::empty()).unwrap();
        let mut path = String::new();
        for _ in 0..levels {
            rustix::fs::mkdirat(&fd, name, Mode::from_raw_mode(0o755)).unwrap();
            fd = rustix::fs::openat(&fd, name, flags, Mode::empty()).unwrap();
            path = format!("{path}/{name}");
        }
        (fd, path)
    }

    pub(crate) fn run(&self, extra: &[&str]) -> Output {
        self.run_on(&self.root(), extra)
    }

    pub(crate) fn run_on(&self, root: &Path, extra: &[&str]) -> Output {
        let mut command = Command::new(HELPER);
        command.arg("strip").arg("--root").arg(root).arg("--report").arg(self.report_path());
        command.args(extra).output().unwrap()
    }

    /// Strips and reads the report; fails the test when the helper fails or says anything.
    pub(crate) fn strip(&self, extra: &[&str]) -> StripReport {
        self.read(&self.run(extra))
    }

    /// The same with few file descriptors.
    pub(crate) fn strip_with_limit(&self, descriptors: u32) -> StripReport {
        let script = format!("ulimit -n {descriptors}; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh", HELPER, "strip", "--root"]).arg(self.root());
        self.read(&command.arg("--report").arg(self.report_path()).output().unwrap())
    }

    fn read(&self, output: &Output) -> StripReport {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        StripReport::parse(&fs::read(self.report_path()).unwrap()).unwrap()
    }
}

/// Inspects layers, with what is known of those below.
pub(crate) fn inspect<A: AsRef<OsStr>>(
    args: impl IntoIterator<Item = A>,
    below: Option<&Before>,
) -> Output {
    let mut command = Command::new(HELPER);
    command.arg("inspect").args(args).args(below.map(|_| "--before"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut helper = command.spawn().unwrap();
    let input = below.map(Before::to_bytes).unwrap_or_default();
    helper.stdin.take().unwrap().write_all(&input).unwrap();
    helper.wait_with_output().unwrap()
}

impl Drop for Tree {
    fn drop(&mut self) {
        // The standard library's removal holds a descriptor per level.
        let _ = Command::new("rm").arg("-rf").arg(self.root()).status();
    }
}

pub(crate) fn file_at(dir: &OwnedFd, name: &str, mode: u32) {
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o600)).unwrap();
    rustix::fs::fchmod(fd.as_fd(), Mode::from_raw_mode(mode)).unwrap();
}

pub(crate) fn mode_at(dir: &OwnedFd, name: &str) -> u32 {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).unwrap().st_mode & 0o7777
}

pub(crate) fn set_capability(path: &Path, attribute: &[u8]) {
    rustix::fs::lsetxattr(path, "security.capability", attribute, XattrFlags::empty()).unwrap();
}

pub(crate) fn capability(path: &Path) -> Option<Vec<u8>> {
    let mut buffer = [0_u8; 64];
    let length = rustix::fs::lgetxattr(path, "security.capability", &mut buffer).ok()?;
    Some(buffer[..length].to_vec())
}

/// Runs a script in its own mount namespace; `None` (and a reason) where that is not permitted.
pub(crate) fn in_namespace(tree: &Tree, script: &str) -> Option<Output> {
    let unshare = ["--mount", "--propagation", "private"];
    if !Command::new("unshare").args(unshare).arg("true").status().is_ok_and(|s| s.success()) {
        eprintln!("skipped: no mount namespace of one's own here");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(unshare).args(["sh", "-c", script]);
    command.env("ROOT", tree.root()).env("REPORT", tree.report_path()).env("HELPER", HELPER);
    Some(command.output().unwrap())
}
