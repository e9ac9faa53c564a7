//! Where a case runs: an engine, and the way in which both tools reach it.

use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::corpus::Case;
use crate::daemon::Daemon;
use crate::lab::{self, Engine};

/// The engine whose BuildKit also stands in for a buildkitd: it has every exporter.
const STAND_IN: &str = "b-containerd";

/// How long a setting may take to remove its images.
const TIDYING: Duration = Duration::from_secs(60);

/// An engine, with or without a builder of buildx before it.
pub struct Setting {
    /// First part of the tests' names.
    pub name: String,
    pub engine: &'static Engine,
    pub daemon: Daemon,
    /// `BUILDX_BUILDER` and where it is described.
    pub builder: Option<(String, TempDir)>,
    /// Images to remove when all is over: containerd of 26.1 loses content under builds that run
    /// while another image is removed.
    made: Mutex<Vec<String>>,
}

/// Those of this run. Listing must work without an engine.
pub fn all(offline: bool) -> Vec<&'static Setting> {
    let up = |name: &String| if offline { lab::offline(name) } else { lab::up(name) };
    let mut settings: Vec<&Setting> = Vec::new();
    for name in lab::names() {
        let engine = up(&name);
        settings.push(Setting::new(&name.replace('-', "_"), engine, None));
        if name == STAND_IN {
            for (name, form) in [("remote", "unix"), ("container", "container")] {
                let builder = if offline { None } else { Some(builder(engine, form)) };
                settings.push(Setting::new(name, engine, builder));
            }
        }
    }
    settings
}

/// Makes a builder of buildx from a form of the stand-in, see `integration/stand-in`.
fn builder(engine: &Engine, form: &str) -> (String, TempDir) {
    let started = Command::new(lab::scripts().join("stand-in")).args([&engine.name, form]).output();
    let started = started.unwrap();
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    let told = String::from_utf8(started.stdout).unwrap();
    let value = |key: &str| {
        let lines = told.lines();
        let mut values = lines.filter_map(|line| line.strip_prefix(&format!("export {key}=")));
        values.next().map(String::from)
    };
    let store = tempfile::Builder::new().prefix("cofferdam-diff-buildx-").tempdir().unwrap();
    let mut create = Command::new(&engine.buildx);
    create.env("BUILDX_CONFIG", store.path()).env("DOCKER_HOST", &engine.host).arg("create");
    let name = match value("STAND_IN_BUILDER") {
        Some(name) => {
            create.args(["--driver", "docker-container", "--name", &name]);
            name
        }
        None => {
            let address = value("STAND_IN").expect("the stand-in's address");
            create.args(["--driver", "remote", "--name", "far", &address]);
            "far".into()
        }
    };
    let created = create.output().unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    (name, store)
}

impl Setting {
    fn new(
        name: &str,
        engine: &'static Engine,
        builder: Option<(String, TempDir)>,
    ) -> &'static Self {
        let daemon = Daemon::new(engine.host.trim_start_matches("unix://"));
        let (name, made) = (name.into(), Mutex::default());
        Box::leak(Box::new(Self { name, engine, daemon, builder, made }))
    }

    /// Whether the case is for this engine and way.
    pub fn takes(&self, case: &Case) -> bool {
        let engine = case.engines.is_empty() || case.engines.contains(&self.engine.name);
        engine && !case.not.contains(&self.name)
    }

    /// Leaves an image, by name or ID, to [`Self::tidy`].
    pub fn owns(&self, image: &str) {
        let mut made = self.made.lock().unwrap();
        if !made.iter().any(|known| known == image) {
            made.push(image.into());
        }
    }

    /// Whether the engine still answers.
    pub fn engine_runs(&self) -> bool {
        UnixStream::connect(self.engine.socket()).is_ok()
    }

    /// Removes what the tests made, for as long as that is quicker than to remove the engine:
    /// containerd's store takes seconds for each of some hundred images.
    pub fn tidy(&self) {
        let end = Instant::now() + TIDYING;
        for image in self.made.lock().unwrap().drain(..) {
            if Instant::now() < end {
                let _ = self.daemon.remove_image(&image);
            }
        }
        if let Some((_, store)) = &self.builder {
            let _ = std::fs::remove_dir_all(store.path());
        }
    }
}
