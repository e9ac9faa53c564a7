//! What is said of a command that does not work in the hardened image.

use cofferdam_frontend::build::smoke::{Blame, Failure};

use super::words;
use crate::error::Error;

/// How the engine's words end when a program ran and failed.
const CODE: &str = "exit code: ";

/// What helps when stripping is not to blame.
const COMMAND: &str = "what it printed is above; it runs as a container of the image would, without \
                       ENTRYPOINT and network, and is a JSON array where there is no shell";

/// The error that names the command, its end, and the stripped files that it needs.
pub(super) fn failed(failure: Failure) -> Error {
    let Failure { command, platform, cause, blame } = failure;
    let (why, hint) = match &blame {
        Blame::NothingStripped => ("nothing was stripped from this image".into(), COMMAND.into()),
        Blame::Command => ("it fails in the image as it was built, too".into(), COMMAND.into()),
        Blame::Stripped(paths) => {
            let keep = |path: &String| format!("--keep-suid {path}='why it needs them'");
            let keeps: Vec<String> = paths.iter().map(keep).collect();
            (
                format!(
                    "it works in the image as it was built, and needs the bits of {}",
                    paths.join(" and ")
                ),
                format!("do without them, or leave them: {}", keeps.join(" ")),
            )
        }
    };
    let end = end(&cause);
    Error::Build {
        message: format!("smoke test failed on {platform}: {command}: {end}; {why}"),
        hint: Some(hint),
        blame: None,
    }
}

/// How the program ended, or why it did not begin.
fn end(cause: &str) -> String {
    let code = cause.rfind(CODE).and_then(|at| cause.get(at..));
    code.map_or_else(|| words::without_wrapping(cause), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engines_words_come_to_the_same_end() {
        for cause in [
            "process \"/bin/sh -c exit 3\" did not complete successfully: exit code: 3",
            "executor failed running [/bin/sh -c exit 3]: exit code: 3",
        ] {
            assert_eq!(end(cause), "exit code: 3");
        }
        assert_eq!(end("failed to solve: no such file"), "no such file");
    }

    #[test]
    fn the_file_to_keep_is_ready_to_paste() {
        let error = failed(Failure {
            command: "sudo -n true".into(),
            platform: "linux/amd64".into(),
            cause: "exit code: 1".into(),
            blame: Blame::Stripped(vec!["/usr/bin/sudo".into()]),
        });
        assert!(error.to_string().ends_with("needs the bits of /usr/bin/sudo"), "{error}");
        assert!(error.hint().unwrap().contains("--keep-suid /usr/bin/sudo='"));
    }
}
