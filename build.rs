//! Builds the static helper that runs inside the engine, so that it can be carried in this binary.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CRATE: &str = "frontend/inspector";
/// What the helper is made of beside its own crate.
const PARTS: [&str; 3] = ["frontend/contents", "frontend/inventory", "frontend/search"];
const PROFILE: &str = "helper";

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target = env::var("TARGET")?;
    let crate_dir = root.join(CRATE);
    for part in PARTS.iter().chain([&CRATE]).map(|part| root.join(part)) {
        println!("cargo::rerun-if-changed={}", part.join("src").display());
        println!("cargo::rerun-if-changed={}", part.join("Cargo.toml").display());
    }

    let helper = build(&crate_dir, &out.join("helper"), &target)?;
    let carried = out.join("cofferdam-inspector");
    fs::copy(&helper, &carried)?;
    println!("cargo::rustc-env=COFFERDAM_HELPER={}", carried.display());
    Ok(())
}

/// Runs cargo with a target directory of its own: the outer cargo holds the lock of the usual one.
fn build(crate_dir: &Path, target_dir: &Path, target: &str) -> Result<PathBuf, Box<dyn Error>> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo
        .current_dir(crate_dir)
        .args(["build", "--locked", "--bin", "cofferdam-inspector", "--profile", PROFILE])
        .args(["--target", target])
        .arg("--target-dir")
        .arg(target_dir)
        // Nothing of the image may be needed to run it, not even a dynamic loader.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    // What the outer build was called with (clippy, coverage) is not for the helper.
    for name in ["RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "RUSTC_WRAPPER", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(name);
    }
    let status = cargo.status()?;
    if !status.success() {
        return Err(format!("building {CRATE} failed: {status}").into());
    }
    Ok(target_dir.join(target).join(PROFILE).join("cofferdam-inspector"))
}
