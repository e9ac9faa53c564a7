//! A buildkitd, as far as a Docker engine can stand in for one: integration/stand-in.

use std::process::Command;

use super::{Engine, lab};

/// Starts the form `unix`, `tcp` or `tls` in front of an engine, to be shared by all tests; its
/// address, `unix://…` or `tcp://…`.
pub fn stand_in(engine: &Engine, form: &str) -> String {
    let told = script(engine, &[form]);
    let address = told.lines().find_map(|line| line.strip_prefix("export STAND_IN="));
    address.unwrap().to_string()
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
