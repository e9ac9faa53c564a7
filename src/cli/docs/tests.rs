use clap::CommandFactory as _;

use super::*;
use crate::cli::Cli;

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cofferdam", &mut script);
    String::from_utf8(script).unwrap()
}

/// Each shell that is installed here reads its script.
#[test]
fn shells_can_read_their_completions() {
    let dir = tempfile::tempdir().unwrap();
    for (shell, program) in [(Shell::Bash, "bash"), (Shell::Zsh, "zsh"), (Shell::Fish, "fish")] {
        let path = dir.path().join(program);
        std::fs::write(&path, script(shell)).unwrap();
        let check = std::process::Command::new(program).arg("-n").arg(&path).output();
        match check {
            Ok(output) => {
                assert!(output.status.success() && output.stderr.is_empty(), "{output:?}")
            }
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{program}"),
        }
    }
    assert!(script(Shell::PowerShell).contains("Register-ArgumentCompleter"));
}

#[test]
fn flags_and_commands_are_completed() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let script = script(shell);
        assert!(["keep-suid", "provenance", "install"].iter().all(|word| script.contains(word)));
    }
}

#[test]
fn every_command_has_a_page() {
    let dir = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(Cli::command(), dir.path()).unwrap();
    for name in ["cofferdam.1", "cofferdam-build.1", "cofferdam-install.1"] {
        let page = std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert!(page.contains(".TH") && page.contains(".SH SYNOPSIS"), "{name}");
    }
}
