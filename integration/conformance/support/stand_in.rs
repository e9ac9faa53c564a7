//! A buildkitd, as far as a Docker engine can stand in for one: integration/stand-in.

use std::path::PathBuf;
use std::process::Command;

use super::{Engine, lab};

/// Starts the form `unix` or `tcp` in front of an engine, to be shared by all tests; its address,
/// `unix://…` or `tcp://…`.
pub fn stand_in(engine: &Engine, form: &str) -> String {
    told(&script(engine, &[form]), "STAND_IN")
}

/// The engine whose BuildKit has every exporter.
const COMPLETE: &str = "b-containerd";

/// A buildkitd with every exporter, whatever engine is under test; `None` when the run is not about
/// the engine that it takes.
pub fn buildkitd(form: &str) -> Option<String> {
    let taken = lab::names().iter().any(|name| name == COMPLETE);
    taken.then(|| stand_in(lab::up(COMPLETE), form))
}

/// The form `tls`; also the directory of its certificates, as integration/stand-in/README.md says.
pub fn stand_in_with_tls(engine: &Engine) -> (String, PathBuf) {
    let said = script(engine, &["tls"]);
    (told(&said, "STAND_IN"), told(&said, "STAND_IN_CERTS").into())
}

fn told(said: &str, name: &str) -> String {
    let start = format!("export {name}=");
    said.lines().find_map(|line| line.strip_prefix(&start)).unwrap().to_string()
}

/// Starts a container of the builder `name`; it is `buildx_buildkit_NAME0`.
pub fn container(engine: &Engine, name: &str) -> String {
    script(engine, &["container", name]);
    format!("buildx_buildkit_{name}0")
}

fn script(engine: &Engine, arguments: &[&str]) -> String {
    let script = lab::scripts().join("stand-in");
    let output = Command::new(script).arg(&engine.name).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "stand-in {} {arguments:?}:\n{said}", engine.name);
    String::from_utf8(output.stdout).unwrap()
}
