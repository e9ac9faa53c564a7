//! Command lines as people write them in Makefiles, CI files and READMEs, and what each means.
//!
//! `lines/*.txt` hold them: `$` begins a command line, `=` its meaning, `!` the error and `~` a
//! notice. `COFFERDAM_BLESS=1 cargo test --test command_lines` writes what is found; look at it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot read has failed, and says where"
)]

mod meaning;
mod project;
mod words;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use cofferdam::error::exit;
use cofferdam::request::Environment;

/// Set in the process that stands in the project, with nothing on its standard input.
const INSIDE: &str = "COFFERDAM_COMMAND_LINES";
/// Fewer would not be the variety that is out there.
const FEWEST: usize = 300;

fn main() -> ExitCode {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .env(INSIDE, "1")
        .stdin(Stdio::null())
        .status()
        .unwrap();
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn inside() -> ExitCode {
    let lines = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/command_lines/lines");
    let project = project::Project::new();
    std::env::set_current_dir(project.path()).unwrap();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&lines).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut count, mut wrong) = (0, 0);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut found = String::new();
        for line in text.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => {
                    count += 1;
                    let told = tell(command);
                    let expected = expected(&text, command);
                    if told != expected {
                        wrong += 1;
                        eprintln!(
                            "{}\n$ {command}\nis\n{told}\nand not\n{expected}",
                            file.display()
                        );
                    }
                    write!(found, "{line}\n{told}").unwrap();
                }
                None if line.starts_with(['=', '!', '~']) => {}
                None => writeln!(found, "{line}").unwrap(),
            }
        }
        if std::env::var_os("COFFERDAM_BLESS").is_some() {
            std::fs::write(&file, found).unwrap();
            wrong = 0;
        }
    }
    eprintln!("{count} command lines, {wrong} mean something else");
    if wrong == 0 && count >= FEWEST { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the file says of a command line.
fn expected(text: &str, command: &str) -> String {
    let rest = text.lines().skip_while(|line| line.strip_prefix("$ ") != Some(command)).skip(1);
    let told = rest.take_while(|line| line.starts_with(['=', '!', '~']));
    told.fold(String::new(), |told, line| told + line + "\n")
}

/// What a command line means, or what is wrong with it.
fn tell(command: &str) -> String {
    let words::Words { variables, args } = words::split(command);
    let home = [("HOME".into(), "home".into())];
    let environment = Environment::given(home.into_iter().chain(variables));
    match cofferdam::cli::request(args, &environment) {
        Ok(request) => {
            let notices: String =
                request.notices.iter().map(|text| format!("~ {text}\n")).collect();
            format!("= {}\n{notices}", meaning::of(&request))
        }
        Err(error) => {
            let code = match error.exit_code() {
                exit::FAILED => String::new(),
                code => format!("exit {code}: "),
            };
            let hint = error.hint().map(|hint| format!(" = {hint}")).unwrap_or_default();
            format!("! {code}{}\n", format!("{error}{hint}").replace('\n', "; "))
        }
    }
}
