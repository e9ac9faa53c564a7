//! The base with tools.

use std::process::Command;
use std::sync::OnceLock;

use super::lab::scripts;

/// Debian with python, pip, git, curl and ssh; made when it is first asked for.
pub fn tools() -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    let make = || {
        let made = Command::new(scripts().join("tools-base")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().trim().to_string()
    };
    NAME.get_or_init(make).clone()
}
