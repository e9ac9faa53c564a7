//! Completion of `docker cofferdam …`, which the Docker CLI asks its plugins for.
//!
//! The answer is one candidate a line, a tab and its description, and at last a directive. Source:
//! spf13/cobra, completions.go.

use std::ffi::OsString;

use clap::Command;

/// The plugin's own name, then words, the last of them unfinished.
pub(super) fn answer(command: &mut Command, words: &[OsString], described: bool) -> Vec<u8> {
    command.build();
    let (last, before) = match words.split_last() {
        Some((last, before)) => (last.to_string_lossy(), before),
        None => Default::default(),
    };
    let mut within = &*command;
    for word in before.iter().skip(1) {
        within = within.find_subcommand(word).unwrap_or(within);
    }
    let mut candidates: Vec<(String, String)> = Vec::new();
    let help = |text: Option<&clap::builder::StyledStr>| {
        text.map(|text| text.to_string().lines().next().unwrap_or_default().to_string())
            .unwrap_or_default()
    };
    if last.starts_with('-') {
        for arg in within.get_arguments().filter(|arg| !arg.is_hide_set()) {
            if let Some(long) = arg.get_long() {
                candidates.push((format!("--{long}"), help(arg.get_help())));
            }
        }
    } else {
        for sub in within.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            candidates.push((sub.get_name().to_string(), help(sub.get_about())));
        }
    }
    candidates.retain(|(name, _)| name.starts_with(last.as_ref()));
    // Where nothing of ours fits, the shell's own completion of files does.
    let directive = if candidates.is_empty() { 0 } else { 4 };
    let mut lines: String = candidates
        .iter()
        .map(|(name, about)| match described && !about.is_empty() {
            true => format!("{name}\t{about}\n"),
            false => format!("{name}\n"),
        })
        .collect();
    lines += &format!(":{directive}\n");
    lines.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn of(line: &str) -> String {
        let build = Command::new("build").about("Build an image").arg(Arg::new("tag").long("tag"));
        let mut command = Command::new("cofferdam").disable_help_subcommand(true).subcommand(build);
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        String::from_utf8(answer(&mut command, &words, true)).unwrap()
    }

    #[test]
    fn commands_flags_and_files_are_completed() {
        assert_eq!(of("cofferdam b"), "build\tBuild an image\n:4\n");
        assert_eq!(of("cofferdam build --t"), "--tag\n:4\n");
        assert_eq!(of("cofferdam build sr"), ":0\n");
    }
}
