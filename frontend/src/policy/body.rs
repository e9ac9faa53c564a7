//! The shell scripts of a Dockerfile, and the way from a byte of one to the file.

use std::ops::Range;

use super::view::Node;
use crate::dockerfile::{Args, Span, Word};
use crate::shell::{self, Script};

/// One script that a RUN (or a trigger's RUN) hands to a shell.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    pub node: Node<'a>,
    pub script: Script,
    pub body: Body,
}

/// The bytes of a script and where they stand in the file.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pub bytes: Vec<u8>,
    /// The file's bytes that these are, in order; where `whole` is set, they are not the same bytes.
    parts: Vec<Span>,
    /// Where each of them begins in `bytes`.
    starts: Vec<usize>,
    /// The place of everything, where single bytes have none (strings of the JSON form).
    whole: Option<Span>,
}

impl Body {
    fn verbatim(source: &[u8], parts: Vec<Span>) -> Self {
        let bytes = parts.iter().flat_map(|part| part.of(source)).copied().collect();
        let mut at = 0;
        let starts = parts.iter().map(|part| {
            at += part.len();
            at - part.len()
        });
        Self { bytes, starts: starts.collect(), parts, whole: None }
    }

    /// The file's bytes behind a range of the script: the smallest span that covers them.
    pub fn span(&self, range: Range<usize>) -> Span {
        if let Some(whole) = self.whole {
            return whole;
        }
        Span::hull(&self.parts(range.clone())).unwrap_or_else(|| {
            let at = self.parts(range.start..range.start + 1);
            let end = self.parts.last().map_or(0, |part| part.end);
            let at = at.first().map_or(end, |part| part.start);
            Span::new(at, at)
        })
    }

    /// The exact pieces, for edits; empty where the script is not written as it reads.
    pub fn parts(&self, range: Range<usize>) -> Vec<Span> {
        if self.whole.is_some() {
            return Vec::new();
        }
        let first = self.starts.partition_point(|start| *start <= range.start).saturating_sub(1);
        let mut found = Vec::new();
        for (part, at) in self.parts.iter().zip(&self.starts).skip(first) {
            if *at >= range.end {
                break;
            }
            let (from, to) = (range.start.max(*at), range.end.min(at + part.len()));
            if from < to {
                found.push(Span::new(part.start + from - at, part.start + to - at));
            }
        }
        found
    }

    /// The span of a range that is written in one piece; edits need one.
    pub fn exact(&self, range: Range<usize>) -> Option<Span> {
        match self.parts(range).as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

/// The scripts of one instruction: its line, and here-documents that are handed to a shell.
pub(super) fn runs<'a>(node: Node<'a>, source: &[u8]) -> Vec<Run<'a>> {
    let run = |body: Body| Run { node, script: shell::parse(&body.bytes), body };
    let mut found: Vec<Run<'a>> = match &node.instruction.args {
        Args::Text(word) => {
            let line = run(Body::verbatim(source, word.parts.clone()));
            let documents = here_documents(&line, source).into_iter().map(run).collect::<Vec<_>>();
            std::iter::once(line).chain(documents).collect()
        }
        Args::Exec(words) => exec(words).map(run).into_iter().collect(),
        _ => Vec::new(),
    };
    let mut outer = 0;
    for _ in 0..NESTED {
        let inner: Vec<Run<'a>> = found.iter().skip(outer).flat_map(nested).map(run).collect();
        outer = found.len();
        found.extend(inner);
    }
    found
}

/// How deep `bash -c "bash -c …"` is followed.
const NESTED: usize = 2;

/// The scripts that a script hands to another shell: `bash -c "…"`, `su postgres -c "…"`.
fn nested(outer: &Run<'_>) -> Vec<Body> {
    let inner = outer.script.commands.iter().filter_map(|command| {
        let call = command.call()?;
        if !(is_shell(call.name) || matches!(call.name, "su" | "runuser")) {
            return None;
        }
        let flag = call.args.iter().position(|word| {
            let flags = word.text.strip_prefix('-').filter(|flags| !flags.starts_with('-'));
            flags.is_some_and(|flags| flags.ends_with('c')) || word.text == "--command"
        });
        let script = call.args.get(flag? + 1)?;
        // Commands in substitutions were read with the outer script.
        if !script.quoted || script.text.contains("$(") || script.text.contains('`') {
            return None;
        }
        let span = outer.body.span(script.span.clone());
        Some(Body {
            bytes: script.text.clone().into_bytes(),
            parts: vec![span],
            starts: vec![0],
            whole: Some(span),
        })
    });
    inner.collect()
}

/// `["sh", "-c", "script"]`.
fn exec(words: &[Word]) -> Option<Body> {
    let [shell, flags, script, ..] = words else { return None };
    let flags = flags.text.strip_prefix('-')?;
    (is_shell(&shell.text) && flags.ends_with('c')).then(|| Body {
        bytes: script.text.clone().into_bytes(),
        parts: vec![script.span],
        starts: vec![0],
        whole: Some(script.span),
    })
}

/// Here-documents that are scripts: alone on the line, or the input of a shell.
fn here_documents(line: &Run<'_>, source: &[u8]) -> Vec<Body> {
    let documents = &line.node.instruction.heredocs;
    let alone = line.script.commands.iter().all(|command| command.words.is_empty());
    let to_shell = || {
        line.script.commands.iter().any(|command| {
            let call = command.call();
            call.is_some_and(|call| is_shell(call.name) && call.operands(&[]).next().is_none())
        })
    };
    if documents.is_empty() || !(alone || to_shell()) {
        return Vec::new();
    }
    documents
        .iter()
        .take(1)
        .filter(|document| !foreign(document.body.of(source)))
        .map(|document| {
            // `<<-` takes the tabs off each line.
            let mut parts = Vec::new();
            let mut start = document.body.start;
            for line in document.body.of(source).split_inclusive(|byte| *byte == b'\n') {
                let tabs = line.iter().take_while(|byte| **byte == b'\t').count();
                let cut = if document.chomp { tabs } else { 0 };
                parts.push(Span::new(start + cut, start + line.len()));
                start += line.len();
            }
            Body::verbatim(source, parts)
        })
        .collect()
}

/// Whether the first line names another interpreter than a shell.
fn foreign(script: &[u8]) -> bool {
    let Some(line) = script.strip_prefix(b"#!") else { return false };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    !line.split_whitespace().any(is_shell)
}

/// A POSIX shell or one that reads its language, by name or path.
pub(super) fn is_shell(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    matches!(name, "sh" | "bash" | "ash" | "dash" | "ksh" | "zsh" | "busybox")
}
