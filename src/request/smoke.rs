//! `--smoke`: commands that have to work in the hardened image.

use cofferdam_frontend::build::smoke::Command;

use crate::error::Error;

/// Reads the flags.
pub(super) fn read(typed: &[String]) -> Result<Vec<Command>, Error> {
    typed.iter().map(|text| command(text)).collect()
}

/// Like RUN: a JSON array is a program and its arguments, anything else a line for the shell.
fn command(text: &str) -> Result<Command, Error> {
    let command = match serde_json::from_str::<Vec<String>>(text) {
        Ok(words) => Command::Exec(words),
        Err(_) => Command::Shell(text.to_string()),
    };
    let empty = match &command {
        Command::Exec(words) => words.first().is_none_or(String::is_empty),
        Command::Shell(line) => line.trim().is_empty(),
    };
    if empty || text.contains('\0') {
        return Err(Error::usage_hint(
            format!("--smoke {text:?}: no command"),
            r#"write --smoke 'app --version', or --smoke '["app","--version"]' without a shell"#,
        ));
    }
    Ok(command)
}
