//! A container that starts a manager of processes.

use super::Case;
use crate::finding::Finding;
use crate::text::name;

pub(super) const RULE: &str = "several-processes";

/// Words of a command that may name the manager: a wrapper and its options come first.
const WORDS: usize = 4;

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let manager = case.config.command().take(WORDS).enumerate().find_map(|(at, word)| {
        let is = match name(word) {
            "supervisord" | "s6-svscan" | "runsvdir" | "runit" | "runsvdir-start" | "circusd"
            | "my_init" | "systemd" => true,
            "init" => at == 0 && word == "/sbin/init",
            _ => false,
        };
        is.then_some(word)
    });
    let Some(manager) = manager else { return Vec::new() };
    let message = format!("the container starts a manager of several processes, {manager}");
    let fix = "one program for each container: docker sees it fail, and stops it as it wants";
    vec![Finding::new(RULE, message, fix)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    fn told(command: &[&str]) -> usize {
        let mut image = Image::default();
        image.config.entrypoint = command.iter().map(ToString::to_string).collect();
        image.found(RULE).len()
    }

    #[test]
    fn managers_are_told_and_programs_are_not() {
        assert_eq!(told(&["/usr/bin/supervisord", "-n"]), 1);
        assert_eq!(told(&["tini", "--", "s6-svscan", "/etc/s6"]), 1);
        assert_eq!(told(&["/sbin/init"]), 1);
        for other in [&["node", "init"][..], &["tini", "--", "node"], &["/app/init"], &[]] {
            assert_eq!(told(other), 0, "{other:?}");
        }
    }
}
