//! A command line of a shell: variables in front, words, quotes.

use std::ffi::OsString;

/// A command line.
pub struct Words {
    /// `NAME=value` in front of the command.
    pub variables: Vec<(OsString, OsString)>,
    /// The command, by our name, and its words.
    pub args: Vec<OsString>,
}

/// Takes a line apart; `docker` and `$(DOCKER)` are our name.
pub fn split(line: &str) -> Words {
    let mut words = tokens(line).into_iter().peekable();
    let mut variables = Vec::new();
    while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
        variables.push((OsString::from(name), OsString::from(value)));
        words.next();
    }
    let rest = words.skip(1).map(OsString::from);
    Words { variables, args: std::iter::once("cofferdam".into()).chain(rest).collect() }
}

fn tokens(line: &str) -> Vec<String> {
    let (mut words, mut word, mut begun, mut quote) = (Vec::new(), String::new(), false, None);
    for c in line.chars() {
        match (quote, c) {
            (None, ' ') => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
                continue;
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (_, c) => word.push(c),
        }
        begun = true;
    }
    if begun {
        words.push(word);
    }
    words
}
