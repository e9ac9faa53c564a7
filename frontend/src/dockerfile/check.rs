//! What BuildKit's instruction parser refuses although the line could be read.

use std::collections::BTreeSet;

use super::error::{ParseError, ParseErrorKind};
use super::heredoc;
use super::instruction::{Args, FlagKind, Instruction, Keyword};
use super::logical::{Logical, Word};
use super::span::{LineIndex, Span};
use super::split::Flag;
use super::text;
use super::values::{self, MountFault};

struct Report<'a> {
    lines: &'a LineIndex,
    errors: &'a mut Vec<ParseError>,
}

impl Report<'_> {
    fn add(&mut self, kind: ParseErrorKind, span: Span) {
        let line = self.lines.line_col(span.start).line;
        self.errors.push(ParseError { kind, span, line });
    }
}

/// Checks one instruction; a trigger's arguments are only checked where its ONBUILD runs.
pub(crate) fn instruction(
    node: &Instruction,
    logical: &Logical,
    trigger: bool,
    lines: &LineIndex,
    errors: &mut Vec<ParseError>,
) {
    let mut report = Report { lines, errors };
    let name = node.keyword.name();
    if trigger {
        match text::upper(node.keyword_word.text.trim()).as_str() {
            // A chain that the parser saw has its error already.
            "ONBUILD" if node.keyword != Keyword::Onbuild => {
                report.add(ParseErrorKind::OnbuildChain, node.span);
            }
            name @ ("MAINTAINER" | "FROM") => {
                report.add(ParseErrorKind::OnbuildTrigger(name.to_owned()), node.span);
            }
            _ => {}
        }
        return;
    }
    // HEALTHCHECK NONE never looks at its flags.
    if !is_health_none(node) {
        flags(node, logical, &mut report);
    }
    match (node.keyword, &node.args) {
        (Keyword::Unknown, _) => report.add(
            ParseErrorKind::UnknownInstruction(node.keyword_word.text.clone()),
            node.keyword_word.span,
        ),
        (_, Args::Broken(_)) => {}
        (Keyword::From, _) => from(node, &mut report),
        (Keyword::Add | Keyword::Copy, _) if node.words().len() < 2 => {
            report.add(ParseErrorKind::NoDestination(name), node.span);
        }
        (Keyword::Env | Keyword::Label | Keyword::Arg, _) => {
            if node.pairs().is_empty() {
                report.add(ParseErrorKind::AtLeastOneArgument(name), node.span);
            }
            for pair in node.pairs() {
                if pair.name.text.is_empty() {
                    report.add(ParseErrorKind::BlankName(name), pair.name.span);
                }
            }
        }
        (
            Keyword::Maintainer | Keyword::User | Keyword::Workdir | Keyword::Stopsignal,
            Args::Empty,
        ) => report.add(ParseErrorKind::ExactlyOneArgument(name), node.span),
        (Keyword::Expose | Keyword::Onbuild | Keyword::Healthcheck, Args::Empty) => {
            report.add(ParseErrorKind::AtLeastOneArgument(name), node.span);
        }
        (Keyword::Volume, _) => {
            if node.words().is_empty() {
                report.add(ParseErrorKind::AtLeastOneArgument(name), node.span);
            }
            for word in node.words() {
                if word.text.trim().is_empty() {
                    report.add(ParseErrorKind::EmptyVolume, word.span);
                }
            }
        }
        (Keyword::Shell, Args::Text(_)) => {
            report.add(ParseErrorKind::JsonRequired(name), node.span);
        }
        (Keyword::Shell, _) if node.words().is_empty() => {
            report.add(ParseErrorKind::AtLeastOneArgument(name), node.span);
        }
        (Keyword::Healthcheck, Args::Health { kind, command }) => {
            let empty = match command.as_ref() {
                Args::Empty => true,
                Args::Exec(words) => words.is_empty(),
                _ => false,
            };
            match kind.text.to_ascii_uppercase().as_str() {
                "NONE" if !empty => {
                    report.add(ParseErrorKind::HealthcheckNone, node.span);
                }
                "NONE" => {}
                "CMD" if empty => report.add(ParseErrorKind::HealthcheckCommand, node.span),
                "CMD" => {}
                _ => report.add(ParseErrorKind::HealthcheckType(kind.text.clone()), kind.span),
            }
        }
        _ => {}
    }
}

fn is_health_none(node: &Instruction) -> bool {
    matches!(&node.args, Args::Health { kind, .. } if kind.text.eq_ignore_ascii_case("NONE"))
}

fn flags(node: &Instruction, logical: &Logical, report: &mut Report<'_>) {
    let Some(known) = node.keyword.flags() else {
        return;
    };
    let mut seen = BTreeSet::new();
    for flag in &node.flags {
        let kind = known.iter().find(|(name, _)| *name == flag.name);
        let Some((_, kind)) = kind else {
            let error = ParseErrorKind::UnknownFlag {
                instruction: node.keyword.name(),
                flag: flag.name.clone(),
            };
            report.add(error, flag.span);
            continue;
        };
        if !seen.insert(flag.name.as_str()) && *kind != FlagKind::Many {
            report.add(ParseErrorKind::DuplicateFlag(flag.name.clone()), flag.span);
        }
        let value = flag.value.as_ref().map(|word| word.text.as_str());
        match (kind, value) {
            (FlagKind::One | FlagKind::Many, None) | (FlagKind::Bool, Some("")) => {
                report.add(ParseErrorKind::FlagValueMissing(flag.name.clone()), flag.span);
            }
            (FlagKind::Bool, Some(value))
                if !["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word)) =>
            {
                report.add(ParseErrorKind::FlagNotBoolean(flag.name.clone()), flag.span);
            }
            _ => {}
        }
        if let Some(word) = &flag.value {
            flag_value(node, logical, flag, word, report);
        }
    }
}

/// Checks the value of a known flag.
fn flag_value(
    node: &Instruction,
    logical: &Logical,
    flag: &Flag,
    word: &Word,
    report: &mut Report<'_>,
) {
    let text = word.text.as_str();
    let fine = match (node.keyword, flag.name.as_str()) {
        (Keyword::Run, "network") => matches!(text, "default" | "none" | "host"),
        (Keyword::Run, "security") => matches!(text, "sandbox" | "insecure"),
        (Keyword::Run, "device") => values::is_device(flag),
        (Keyword::Run, "mount") => {
            let kind = match values::mount_fault(logical, flag) {
                None => return,
                Some(MountFault::Csv) => ParseErrorKind::MountCsv,
                Some(MountFault::Variable) => ParseErrorKind::MountVariable,
            };
            return report.add(kind, flag.span);
        }
        (Keyword::Healthcheck, "retries") => values::is_retries(text),
        (Keyword::Healthcheck, _) => values::is_interval(text),
        _ => true,
    };
    if !fine {
        let (flag, value) = (flag.name.clone(), word.text.clone());
        report.add(ParseErrorKind::FlagValue { flag, value }, word.span);
    }
}

fn from(node: &Instruction, report: &mut Report<'_>) {
    match node.words() {
        [_] => {}
        [_, by, name] if text::equal_fold(&by.text, "as") => {
            if !is_stage_name(&text::lower(&name.text)) {
                report.add(ParseErrorKind::InvalidStageName(name.text.clone()), name.span);
            }
        }
        _ => report.add(ParseErrorKind::FromArguments, node.span),
    }
}

/// `[a-z][a-z0-9-_.]*`
pub(crate) fn is_stage_name(name: &str) -> bool {
    let rest = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase()) && name.bytes().all(rest)
}

/// Checks what depends on heredocs.
pub(crate) fn heredocs(node: &Instruction, lines: &LineIndex, errors: &mut Vec<ParseError>) {
    if !matches!(node.keyword, Keyword::Add | Keyword::Copy) {
        return;
    }
    if let [_, .., last] = node.words()
        && let Ok(Some(_)) = heredoc::of_word(&last.text)
    {
        let kind = ParseErrorKind::HeredocDestination(node.keyword.name());
        Report { lines, errors }.add(kind, last.span);
    }
}

/// Checks the order of instructions.
pub(crate) fn file(instructions: &[Instruction], errors: &mut Vec<ParseError>) {
    let mut add = |kind, node: &Instruction| {
        errors.push(ParseError { kind, span: node.span, line: node.line });
    };
    let from = |node: &Instruction| node.keyword == Keyword::From;
    for node in instructions.iter().take_while(|node| !from(node)) {
        if !matches!(node.keyword, Keyword::Arg | Keyword::Unknown) {
            let name = node.keyword.name().to_owned();
            add(ParseErrorKind::NoStageYet(name), node);
        }
    }
    if let Some(last) = instructions.last()
        && !instructions.iter().any(from)
    {
        add(ParseErrorKind::NoStages, last);
    }
}
