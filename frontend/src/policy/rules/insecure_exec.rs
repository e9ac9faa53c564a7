//! A step without a sandbox.

use super::run_flag;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct InsecureExec;

static ABOUT: About = About {
    id: "insecure-exec",
    title: "a step without a sandbox",
    severity: Severity::Critical,
    also: &[],
    places: &[Place::Text, Place::Graph, Place::Request],
    strict_only: false,
    page: include_str!("../../../../docs/rules/insecure-exec.md"),
};

impl Rule for InsecureExec {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn decided_by_build(&self) -> bool {
        true
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let message = "the step runs with all rights on the machine that builds";
        run_flag::report(view, found, &ABOUT, ("security", "insecure"), message, |finding| {
            finding.help("use tools that need no privilege, such as mtools for disk images");
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{places, silent};

    #[test]
    fn only_insecure() {
        assert_eq!(
            places(&InsecureExec, "FROM a:1\nRUN --security=insecure x\n"),
            ["--security=insecure"]
        );
        silent(
            &InsecureExec,
            &["FROM a:1\nRUN --security=sandbox x\n", "FROM a:1\nRUN x --security=insecure\n"],
        );
    }
}
