//! Results that come back as files: whole and in their place, or not there at all.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Engine, Project, eventually, tests};

tests![
    local_output_merges,
    tar_output_and_stdout,
    refused_build_leaves_no_output,
    interrupted_output_leaves_nothing,
    full_disk_leaves_nothing,
];

/// Everything in a directory, sorted.
fn found(dir: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(dir).min_depth(1);
    let mut found: Vec<PathBuf> = entries
        .into_iter()
        .map(|entry| entry.unwrap().path().strip_prefix(dir).unwrap().to_path_buf())
        .collect();
    found.sort();
    found
}

fn shown(dir: &Path) -> Vec<String> {
    found(dir).iter().map(|path| path.display().to_string()).collect()
}

fn local_output_merges(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nCOPY a /d/a\nCOPY a /b\n# NAME\n");
    project.write("a", project.tag("new"));
    let out = project.beside("out");
    let shown_out = out.to_str().unwrap().to_string();
    project.build(&["-o", &shown_out]).run().succeeds();
    assert_eq!(shown(&out), ["b", "d", "d/a"]);
    std::fs::write(out.join("d/a"), "old").unwrap();
    std::fs::write(out.join("d/mine"), "mine").unwrap();
    project.build(&["-o", &format!("type=local,dest={shown_out}")]).run().succeeds();
    assert_eq!(shown(&out), ["b", "d", "d/a", "d/mine"]);
    assert_eq!(std::fs::read_to_string(out.join("d/a")).unwrap(), project.tag("new"));
    assert_eq!(std::fs::read_to_string(out.join("d/mine")).unwrap(), "mine");
}

fn tar_output_and_stdout(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nCOPY a /a\n# NAME\n");
    project.write("a", "in a tar");
    let target = project.beside("out.tar");
    project.build(&["-o", &format!("type=tar,dest={}", target.display())]).run().succeeds();
    let piped = project.build(&["-o", "-"]).run().succeeds();
    let second = project.beside("second.tar");
    std::fs::write(&second, &piped.stdout).unwrap();
    for tar in [&target, &second] {
        let content = Command::new("tar").arg("-xOf").arg(tar).arg("a").output().unwrap();
        assert_eq!(content.stdout, b"in a tar", "{content:?}");
    }
}

/// The secret is found in the context, which is after the build and before the export.
fn refused_build_leaves_no_output(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nCOPY . /x\nRUN --mount=type=secret,id=s cat /run/secrets/s >/dev/null; echo NAME\n",
    );
    project.write("token", "a-secret-value");
    let (out, tar) = (project.beside("out"), project.beside("out.tar"));
    for output in [format!("{}", out.display()), format!("type=tar,dest={}", tar.display())] {
        project.build(&["--secret", "id=s,src=token", "-o", &output]).run().fails(3);
    }
    assert!(!out.exists() && !tar.exists());
    std::fs::create_dir(&out).unwrap();
    let output = out.to_str().unwrap();
    project.build(&["--secret", "id=s,src=token", "-o", output]).run().fails(3);
    assert!(found(&out).is_empty());
}

/// The engine is in the middle of sending when Ctrl-C comes.
fn interrupted_output_leaves_nothing(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX AS big\nRUN echo NAME >/u && dd if=/dev/zero of=/big bs=1M count=256\n\
         FROM scratch\nCOPY --from=big /big /u /\n",
    );
    let out = project.beside("out");
    std::fs::create_dir(&out).unwrap();
    let mut running = project.build(&["-o", out.to_str().unwrap()]).start();
    let begun = || std::fs::read_dir(&out).unwrap().next().is_some();
    assert!(eventually(Duration::from_secs(60), begun), "nothing ever came");
    running.signal(Signal::INT);
    assert!(running.ends_within(Duration::from_secs(10)), "it does not end");
    let outcome = running.outcome();
    match outcome.code() {
        // It was faster than the signal.
        Some(0) => assert_eq!(shown(&out), ["big", "u"]),
        _ => {
            let outcome = outcome.fails(130);
            assert!(found(&out).is_empty(), "{:?}\n{}", shown(&out), outcome.told());
        }
    }
}

/// A small file system, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    /// None where this user may not mount.
    fn new(at: PathBuf) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(&at).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn full_disk_leaves_nothing(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nCOPY . /\n# NAME\n");
    project.write("big", vec![7; 4 << 20]);
    let Some(small) = Small::new(project.beside("small")) else { return };
    std::fs::write(small.0.join("there"), "before").unwrap();
    let directory = small.0.join("new");
    let outputs = [
        small.0.display().to_string(),
        directory.display().to_string(),
        format!("type=tar,dest={}", small.0.join("out.tar").display()),
    ];
    for output in outputs {
        project.build(&["-o", &output]).run().fails(1).says("No space left");
        assert_eq!(shown(&small.0), ["there"], "{output}");
    }
}
