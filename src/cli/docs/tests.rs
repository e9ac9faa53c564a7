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

fn page(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every way to write the flags of a command, hidden ones too.
fn flags(command: &clap::Command) -> Vec<String> {
    let mut flags = Vec::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
        flags.extend(arg.get_long().map(|long| format!("--{long}")));
        flags.extend(arg.get_all_aliases().unwrap_or_default().iter().map(|a| format!("--{a}")));
        flags.extend(arg.get_short().map(|short| format!("-{short}")));
    }
    flags
}

/// The flags that a page names in backquotes, `--flag` or `--flag VALUE`.
fn named(page: &str) -> Vec<String> {
    let spans = page.split('`').skip(1).step_by(2);
    let words = spans.filter_map(|span| span.split([' ', '=', '[', ',']).next());
    words.filter(|word| word.starts_with('-') && word.len() > 1).map(String::from).collect()
}

#[test]
fn every_flag_is_documented_and_every_documented_flag_exists() {
    let mut cli = Cli::command();
    cli.build();
    let build = cli.find_subcommand("build").unwrap();
    let known = [flags(build), flags(&cli)].concat();
    let (text, connection) = (page("docs/build.md"), page("docs/connection.md"));
    let told = [named(&text), named(&connection)].concat();
    let help = ["--help", "-h", "--version", "-V"];
    for flag in known.iter().filter(|flag| !help.contains(&flag.as_str())) {
        assert!(told.contains(flag), "{flag} is in neither docs/build.md nor docs/connection.md");
    }
    for flag in told.iter().filter(|flag| !help.contains(&flag.as_str())) {
        assert!(known.contains(flag), "{flag} is documented and no flag");
    }
}

/// Variables that change what a build does, wherever they are read.
#[test]
fn every_variable_is_documented() {
    let text = page("docs/build.md") + &page("docs/connection.md");
    let sources = walkdir::WalkDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/request"));
    for entry in sources {
        let path = entry.unwrap().into_path();
        if path.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for word in source.split('"').skip(1).step_by(2) {
            let ours = ["BUILDX_", "BUILDKIT_", "DOCKER_", "EXPERIMENTAL_"];
            let name = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            if name && ours.iter().any(|prefix| word.starts_with(prefix)) {
                assert!(text.contains(word), "{}: {word} is in no page", path.display());
            }
        }
    }
}

#[test]
fn links_of_pages_lead_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages =
        walkdir::WalkDir::new(root.join("docs")).into_iter().map(|e| e.unwrap().into_path());
    let more = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    let pages = pages.chain(more.map(|name| root.join(name)));
    for path in pages.filter(|path| path.extension().is_some_and(|kind| kind == "md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                let found = path.parent().unwrap().join(target).exists();
                assert!(found, "{}: {link} leads nowhere", path.display());
            }
        }
    }
}
