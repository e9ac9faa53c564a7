//! What a command calls once `sudo`, `env` and their like are taken away.

use super::{Command, Word};

/// A called program and its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The program's name without its directory.
    pub name: &'a str,
    pub args: &'a [Word],
    /// The word that is the name.
    pub word: &'a Word,
    pub command: &'a Command,
}

/// A program that runs the rest of its line: those of its options that take a value, and how many
/// of its first operands are its own.
fn wrapper(name: &str) -> Option<(&'static [&'static str], usize)> {
    Some(match name {
        "sudo" => (&["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-D", "-R", "-T", "-U"], 0),
        "doas" => (&["-u", "-C"], 0),
        "gosu" | "su-exec" | "setarch" => (&[], 1),
        "env" => (&["-u", "-C", "-S"], 0),
        "exec" => (&["-a"], 0),
        "timeout" => (&["-s", "-k"], 1),
        "nice" => (&["-n"], 0),
        "ionice" => (&["-c", "-n"], 0),
        "time" => (&["-f", "-o"], 0),
        "stdbuf" => (&["-i", "-o", "-e"], 0),
        "xargs" => (&["-n", "-P", "-I", "-L", "-d", "-s", "-a", "-E"], 0),
        "busybox" | "builtin" | "chronic" | "command" | "eatmydata" | "nohup" => (&[], 0),
        _ => return None,
    })
}

impl<'a> Call<'a> {
    pub(super) fn of(command: &'a Command) -> Option<Self> {
        let mut rest = command.words.as_slice();
        loop {
            let (word, args) = rest.split_first()?;
            let name = base_name(word)?;
            let call = Self { name, args, word, command };
            let Some((valued, operands)) = wrapper(name) else { return Some(call) };
            let skipped = own_words(name, args, valued, operands);
            match args.get(skipped..) {
                Some(inner) if !inner.is_empty() => rest = inner,
                _ => return Some(call),
            }
        }
    }

    /// The first argument that is no option: `install` of `apt-get -y install x`.
    pub fn subcommand(&self, valued: &'a [&'a str]) -> Option<&'a str> {
        self.operands(valued).next().and_then(Word::literal)
    }

    /// Arguments that are no options; `valued` are the options whose next word is their value.
    pub fn operands(&self, valued: &'a [&'a str]) -> impl Iterator<Item = &'a Word> + use<'a> {
        let mut skip = false;
        let mut only_operands = false;
        self.args.iter().filter(move |word| {
            let text = word.text.as_str();
            if std::mem::take(&mut skip) {
                return false;
            }
            if only_operands || word.quoted && !text.starts_with('-') || !text.starts_with('-') {
                return true;
            }
            only_operands = text == "--";
            skip = valued.contains(&text);
            text == "-"
        })
    }

    /// The word that gives one of these options: `-y` also within `-qy`, `--yes` also as `--yes=…`.
    pub fn option(&self, names: &[&str]) -> Option<&'a Word> {
        let gives = |word: &&Word| {
            let text = word.text.as_str();
            names.iter().any(|name| match (name.strip_prefix("--"), text.strip_prefix("--")) {
                (Some(long), Some(given)) => given.split('=').next() == Some(long),
                (None, None) if name.len() == 2 => text.strip_prefix('-').is_some_and(|cluster| {
                    name.ends_with(|c| {
                        cluster.split('=').next().is_some_and(|flags| flags.contains(c))
                    })
                }),
                _ => text == *name,
            })
        };
        self.args.iter().take_while(|word| word.text != "--").find(gives)
    }

    /// The value of a long or short option: `--output=x`, `--output x`, `-o x`, `-ox`.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        let mut args = self.args.iter();
        while let Some(word) = args.next() {
            if word.text == name {
                return args.next().map(|value| value.text.as_str());
            }
            let Some(rest) = word.text.strip_prefix(name) else { continue };
            match rest.strip_prefix('=') {
                Some(value) if name.starts_with("--") => return Some(value),
                None if !name.starts_with("--") => return Some(rest),
                _ => {}
            }
        }
        None
    }
}

/// How many words behind a wrapper are its own: options, their values, assignments of `env`.
fn own_words(name: &str, args: &[Word], valued: &[&str], mut operands: usize) -> usize {
    let mut words = args.iter().enumerate();
    while let Some((index, word)) = words.next() {
        let text = word.text.as_str();
        if text == "--" {
            return index + 1 + operands;
        }
        if valued.contains(&text) {
            words.next();
        } else if text.starts_with('-') || (matches!(name, "env" | "sudo") && text.contains('=')) {
        } else if operands > 0 {
            operands -= 1;
        } else {
            return index;
        }
    }
    args.len()
}

/// The last part of a path; `None` for a name that is expanded.
fn base_name(word: &Word) -> Option<&str> {
    let name = word.literal()?;
    Some(name.rsplit('/').next().unwrap_or(name)).filter(|name| !name.is_empty())
}
