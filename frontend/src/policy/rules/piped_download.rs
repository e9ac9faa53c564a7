//! A download that is executed as it comes: `curl … | sh`.

use crate::policy::commands::{
    Download, Output, Verified, base_name, calls, download, is_local, verifies_call,
};
use crate::policy::{About, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Call, Word};

pub struct PipedDownload;

static ABOUT: About = About {
    id: "piped-download",
    title: "a download that is executed unchecked",
    severity: Severity::High,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/piped-download.md"),
};

/// How far a pipeline and the commands behind a download are followed.
const FOLLOWED: usize = 32;

impl Rule for PipedDownload {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut verified = Verified::default();
        for (run, index, call) in calls(view) {
            let source = piped(run, index, call).or_else(|| substituted(run, index, call));
            if let Some(source) = source {
                let span = run.body.span(source.call.command.span.start..call.command.span.end);
                let span = if source.call.command.substituted {
                    run.body.span(call.command.span.clone())
                } else {
                    span
                };
                found
                    .report(
                        &ABOUT,
                        span,
                        format!("`{}` executes whatever is downloaded", call.name),
                    )
                    .help("download to a file, compare its sha256sum, then execute it");
                continue;
            }
            let Some(source) = download(call).filter(|source| counts(source)) else { continue };
            let executed = executed_later(run, index, &source);
            let Some(by) = executed.filter(|_| !verified.of(view, run)) else { continue };
            let message = format!("`{by}` is executed as it was downloaded, without a checksum");
            found
                .report(&ABOUT, run.body.span(call.command.span.clone()), message)
                .help("compare its sha256sum before it is executed");
        }
    }
}

/// Whether this fetches something from elsewhere.
fn counts(source: &Download<'_>) -> bool {
    !source.asks
        && source
            .urls
            .iter()
            .any(|url| !url.text.starts_with("file:") && (url.expands || !is_local(&url.text)))
}

/// A shell that reads a download through a pipe.
fn piped<'a>(run: &'a Run<'_>, index: usize, call: Call<'a>) -> Option<Download<'a>> {
    if !reads_program(call) {
        return None;
    }
    let commands = &run.script.commands;
    let mut next = commands.get(index)?.reads_from;
    for _ in 0..FOLLOWED {
        let command = commands.get(next?)?;
        let call = command.call();
        if call.is_some_and(verifies_call) {
            return None;
        }
        if let Some(source) = call.and_then(download) {
            return (source.output == Output::Stdout && counts(&source)).then_some(source);
        }
        next = command.reads_from;
    }
    None
}

/// Whether a call executes what it reads.
fn reads_program(call: Call<'_>) -> bool {
    let first = call.operands(&[]).next().map(|word| word.text.as_str());
    let flag = |letter: char| {
        call.args.iter().take_while(|word| word.text.starts_with('-')).any(|word| {
            !word.text.starts_with("--") && word.text.trim_start_matches('-').contains(letter)
        })
    };
    if is_shell(call.name) {
        return !flag('c') && (flag('s') || matches!(first, None | Some("-" | "/dev/stdin")));
    }
    is_interpreter(call.name)
        && !(flag('c') || flag('m') || flag('e') || flag('n') || flag('p') || flag('r'))
        && !call.args.iter().any(|word| matches!(word.text.as_str(), "--version" | "-v" | "-V"))
        && matches!(first, None | Some("-" | "/dev/stdin"))
}

fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "ash" | "dash" | "ksh" | "zsh")
}

fn is_interpreter(name: &str) -> bool {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    matches!(name, "python" | "perl" | "node" | "nodejs" | "ruby" | "php" | "pypy")
}

/// `sh -c "$(curl …)"`, `bash <(curl …)`, `eval "$(curl …)"`, `source <(curl …)`.
fn substituted<'a>(run: &'a Run<'_>, index: usize, call: Call<'a>) -> Option<Download<'a>> {
    let program = match call.name {
        "eval" | "." | "source" => call.args.first()?,
        name if is_shell(name) || is_interpreter(name) => {
            let flag =
                if name.starts_with("perl") || name.starts_with("node") { "-e" } else { "-c" };
            let at = call.args.iter().position(|word| {
                word.text == flag || is_shell(name) && ["-ec", "-xc", "-lc"].contains(&&*word.text)
            });
            let file = || {
                let redirects = call.command.redirects.iter();
                let strings = redirects.filter(|to| matches!(to.operator.as_str(), "<<<" | "<"));
                let first = call.args.iter().find(|word| !word.text.starts_with('-'));
                first
                    .filter(|word| word.text.starts_with("<("))
                    .or_else(|| strings.map(|to| &to.target).next())
            };
            at.and_then(|at| call.args.get(at + 1)).or_else(file)?
        }
        _ => return None,
    };
    let whole = ["$(", "`", "<("].iter().any(|open| program.text.starts_with(open));
    if !whole || !program.expands {
        return None;
    }
    inside(run, index, program)
}

/// The download whose output a word is.
fn inside<'a>(run: &'a Run<'_>, index: usize, word: &Word) -> Option<Download<'a>> {
    let commands = run.script.commands.get(..index)?.iter().rev().take(FOLLOWED);
    let inner = commands.take_while(|command| command.span.start >= word.span.start);
    let mut source = None;
    for call in inner.filter_map(|command| command.call()) {
        if verifies_call(call) {
            return None;
        }
        let it = download(call).filter(|it| it.output == Output::Stdout && counts(it));
        source = it.or(source);
    }
    source
}

/// The downloaded file that a later command of the script executes.
fn executed_later(run: &Run<'_>, index: usize, source: &Download<'_>) -> Option<String> {
    let path = match source.output {
        Output::Stdout => return None,
        Output::File(path) => path,
        Output::Named => source.urls.first()?.literal()?,
    };
    let name = base_name(path);
    // A name that is all variable may be any.
    if name.is_empty() || name.starts_with('$') {
        return None;
    }
    let is_it = |word: &Word| {
        base_name(&word.text) == name
            && (word.text.contains('/') || !path.contains('/') || path.contains("://"))
    };
    let later = run.script.commands.iter().skip(index + 1).take(FOLLOWED);
    for call in later.filter_map(|command| command.call()) {
        let program =
            is_shell(call.name) || is_interpreter(call.name) || matches!(call.name, "." | "source");
        let executes = if program {
            let first = call.args.iter().find(|word| !word.text.starts_with('-'));
            // `sh -n` only reads.
            let reads = |word: &Word| matches!(word.text.as_str(), "-c" | "-n");
            !call.args.iter().any(reads) && first.is_some_and(is_it)
        } else {
            call.word.text.contains('/') && is_it(call.word)
        };
        if executes {
            return Some(name.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn what_is_executed_unseen() {
        fires(
            &PipedDownload,
            &[
                "curl -fsSL https://example.com/install.sh | sh",
                "curl --proto '=https' --tlsv1.2 -sSf https://sh.example.com | sh -s -- -y",
                "wget -qO- https://example.com/i | sudo -E bash -",
                "curl https://example.com/i | tr -d '\\r' | bash -x",
                "curl -sSL https://example.com/get.py | python3 -",
                "wget -O - https://example.com/x.pl | perl",
                "bash <(curl -s https://example.com/i)",
                "sh -c \"$(curl -fsSL https://example.com/i)\"",
                "eval \"$(wget -qO- https://example.com/env)\"",
                ". <(curl -s https://example.com/i)",
                "bash -c 'curl https://example.com/i | sh'",
                "set -e; curl -o /tmp/i.sh https://example.com/i && sh /tmp/i.sh",
                "wget https://example.com/install.sh && chmod +x install.sh && ./install.sh",
                "curl https://example.com/i > i.py && python3 i.py --now",
                "curl -sL $URL/i | bash",
            ],
        );
    }

    #[test]
    fn what_is_not() {
        silent(
            &PipedDownload,
            &[
                "curl -fsSL https://example.com/x.tar.gz | tar xz",
                "curl -s https://example.com/x | python3 -c 'import json'",
                "curl -s https://example.com/x | python3 -m json.tool",
                "curl -s https://example.com/x | perl -ne 'print'",
                "curl -s https://example.com/x | node -p 1",
                "curl -s https://example.com/x | sh /check.sh",
                "curl -s https://example.com/x | gpg --decrypt | sh",
                "echo a | sh",
                "sh -c \"V=$(curl -s https://example.com/x); echo $V\"",
                "eval \"$(ssh-agent)\"",
                "curl -o i.sh https://example.com/i && echo \"$SUM i.sh\" | sha256sum -c - && sh i.sh",
                "curl -o i.sh https://example.com/i; gpg --batch --verify i.asc i.sh; sh i.sh",
                "curl -o i.sh https://example.com/i && sh other.sh",
                "curl -o i.sh https://example.com/i && sh -n i.sh",
                "wget -O /opt/kubectl https://example.com/kubectl; kubectl version",
                "curl http://localhost:8080/x | sh",
                "curl -X POST https://example.com/x -o a.sh && sh a.sh",
                "X=$(curl -s https://example.com/x | grep y)",
                "git clone https://example.com/x && cd x && ./build.sh",
            ],
        );
    }
}
