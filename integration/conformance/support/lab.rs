//! The engines under test.

use std::path::{Path, PathBuf};
use std::process::Command;

const ALL: &str = "a b-classic b-containerd";

/// One engine of the lab, and the registry it reads from.
#[derive(Debug)]
pub struct Engine {
    pub name: String,
    /// `DOCKER_HOST`.
    pub host: String,
    /// `127.0.0.1:PORT`.
    pub registry: String,
    /// The real buildx.
    pub buildx: PathBuf,
}

/// The engines that this run is about.
pub fn names() -> Vec<String> {
    let named = std::env::var("COFFERDAM_TEST_ENGINES").unwrap_or_default();
    let named = if named.trim().is_empty() { ALL } else { &named };
    named.split_whitespace().map(String::from).collect()
}

/// The lab's scripts.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/lab")
}

/// An engine that is only talked about.
pub fn offline(name: &str) -> &'static Engine {
    let (host, registry, buildx) = (String::new(), String::new(), PathBuf::new());
    Box::leak(Box::new(Engine { name: name.into(), host, registry, buildx }))
}

/// Starts an engine if it does not run. It lives until the process ends, as the tests do.
pub fn up(name: &str) -> &'static Engine {
    let up = Command::new(scripts().join("up")).arg(name).output().unwrap();
    assert!(
        up.status.success(),
        "engine {name} is not up, and the tests are about nothing else.\n{}\
         run this as root, or with `integration/with-lab`; \
         COFFERDAM_TEST_ENGINES names the engines to test",
        String::from_utf8_lossy(&up.stderr)
    );
    let text = String::from_utf8(up.stdout).unwrap();
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("export {key}=")));
        line.unwrap_or_else(|| panic!("`up {name}` says nothing of {key}:\n{text}")).to_string()
    };
    Box::leak(Box::new(Engine {
        name: name.into(),
        host: value("DOCKER_HOST"),
        registry: value("REGISTRY"),
        buildx: value("COFFERDAM_BUILDX").into(),
    }))
}

impl Engine {
    /// The engine's socket.
    pub fn socket(&self) -> &Path {
        Path::new(self.host.strip_prefix("unix://").unwrap())
    }

    /// The small base.
    pub fn busybox(&self) -> String {
        format!("{}/busybox:latest", self.registry)
    }

    /// The base with set-uid files.
    pub fn debian(&self) -> String {
        format!("{}/debian:bookworm", self.registry)
    }
}
