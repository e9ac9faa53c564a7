//! Physical lines to instructions. It never stops: what it cannot read becomes an error and a node.

use super::check;
use super::directive::{self, Directive, DirectiveParser, Offer};
use super::error::{ParseError, ParseErrorKind};
use super::heredoc::{self, Heredoc};
use super::instruction::{Args, Instruction, Keyword, Pair};
use super::json::{self, JsonArray};
use super::logical::{Logical, Word};
use super::span::{LineIndex, Span};
use super::{Dockerfile, Item, ItemKind, split, text};

/// BuildKit's scanner refuses a line of this many bytes, its newline not counted.
pub(crate) const MAX_LINE: usize = 65536;

/// Reads a whole file.
pub(crate) fn parse(source: &[u8]) -> Dockerfile {
    let mut parser = Parser {
        source,
        lines: LineIndex::new(source),
        next: 1,
        escape: b'\\',
        directives: Vec::new(),
        items: Vec::new(),
        instructions: Vec::new(),
        errors: Vec::new(),
    };
    parser.run();
    check::file(&parser.instructions, &mut parser.errors);
    if parser.instructions.is_empty() {
        parser.error(ParseErrorKind::NoInstructions, Span::default());
    }
    let Parser { lines, escape, directives, items, instructions, mut errors, .. } = parser;
    errors.sort_by_key(|error| error.span.start);
    Dockerfile {
        source: source.to_vec(),
        lines,
        escape: char::from(escape),
        directives,
        check: directive::check(source),
        syntaxes: directive::syntaxes(source),
        items,
        instructions,
        errors,
    }
}

struct Parser<'a> {
    source: &'a [u8],
    lines: LineIndex,
    /// The next line to read, counted from 1.
    next: usize,
    escape: u8,
    directives: Vec<Directive>,
    items: Vec<Item>,
    instructions: Vec<Instruction>,
    errors: Vec<ParseError>,
}

impl Parser<'_> {
    fn error(&mut self, kind: ParseErrorKind, span: Span) {
        let line = self.lines.line_col(span.start).line;
        self.errors.push(ParseError { kind, span, line });
    }

    /// The next physical line with its ending.
    fn line(&mut self) -> Option<Span> {
        let line = self.lines.line_span(self.next).filter(|span| !span.is_empty())?;
        self.next += 1;
        if self.is_too_long(line) {
            self.error(ParseErrorKind::LineTooLong, line);
        }
        Some(line)
    }

    fn is_too_long(&self, line: Span) -> bool {
        let newline = line.of(self.source).ends_with(b"\n");
        line.len() - usize::from(newline) >= MAX_LINE
    }

    fn item(&mut self, kind: ItemKind, start: usize, end: usize) {
        if let Some(last) = self.items.last_mut()
            && (last.kind, kind) == (ItemKind::Blank, ItemKind::Blank)
        {
            last.span.end = end;
            return;
        }
        self.items.push(Item { kind, span: Span::new(start, end) });
    }

    fn run(&mut self) {
        let mut directives = DirectiveParser::new(b"#");
        while let Some(line) = self.line() {
            let mut content = without_newline(self.source, line);
            if line.start == 0 && content.of(self.source).starts_with(directive::BOM) {
                content.start += directive::BOM.len();
            }
            let content = text::trim_start(self.source, content);
            let kind = match directives.offer(self.source, content) {
                Offer::Found(found) => {
                    self.directive(&found);
                    self.directives.push(found);
                    ItemKind::Directive(self.directives.len() - 1)
                }
                Offer::Duplicate(name) => {
                    self.error(ParseErrorKind::DuplicateDirective(name), content);
                    ItemKind::Comment
                }
                Offer::None if content.is_empty() => ItemKind::Blank,
                Offer::None if content.of(self.source).starts_with(b"#") => ItemKind::Comment,
                Offer::None => {
                    self.instruction(line, content);
                    continue;
                }
            };
            self.item(kind, line.start, line.end);
        }
    }

    fn directive(&mut self, found: &Directive) {
        if found.name != "escape" {
            return;
        }
        match found.value.as_bytes() {
            [escape @ (b'\\' | b'`')] => self.escape = *escape,
            _ => self.error(ParseErrorKind::InvalidEscape(found.value.clone()), found.value_span),
        }
    }

    /// Cuts a line continuation off; the flag tells whether there was one.
    ///
    /// An escape character before it keeps it from being one.
    fn continuation(&self, content: Span) -> (Span, bool) {
        let bytes = content.of(self.source);
        let blanks = |byte: &&u8| matches!(byte, b' ' | b'\t');
        let kept = bytes.len() - bytes.iter().rev().take_while(blanks).count();
        let (last, before) = (kept.checked_sub(1), kept.checked_sub(2));
        let at = |index: Option<usize>| index.and_then(|index| bytes.get(index));
        if at(last) == Some(&self.escape) && at(before) != Some(&self.escape) {
            (Span::new(content.start, content.start + kept - 1), true)
        } else {
            (content, false)
        }
    }

    fn instruction(&mut self, first: Span, content: Span) {
        let mut logical = Logical::default();
        let mut comments = Vec::new();
        let mut empty_continuations = Vec::new();
        let mut end = first.end;
        let (kept, mut open) = self.continuation(content);
        let mut too_long = self.is_too_long(first);
        logical.push(self.source, kept);
        while open && let Some(line) = self.line() {
            end = line.end;
            too_long |= self.is_too_long(line);
            let content = without_newline(self.source, line);
            let visible = text::trim_start(self.source, content);
            if visible.is_empty() {
                empty_continuations.push(content);
                continue;
            }
            if visible.of(self.source).starts_with(b"#") {
                comments.push(visible);
                continue;
            }
            let (kept, more) = self.continuation(content);
            logical.push(self.source, kept);
            open = more;
        }
        let mut instruction = match too_long {
            true => self.unread(logical),
            false => self.node(logical, content.start),
        };
        instruction.comments = comments;
        instruction.empty_continuations = empty_continuations;
        if !too_long && let Some(body_end) = self.heredocs(&mut instruction) {
            end = body_end;
        }
        check::heredocs(&instruction, &self.lines, &mut self.errors);
        self.instructions.push(instruction);
        let index = self.instructions.len() - 1;
        self.item(ItemKind::Instruction(index), first.start, end);
    }

    fn node(&mut self, logical: Logical, start: usize) -> Instruction {
        let range = logical.all();
        let mut instruction = self.build(&logical, range, false);
        if instruction.keyword_word.text.is_empty() {
            instruction.span = Span::new(start, start);
            instruction.line = self.lines.line_col(start).line;
        }
        instruction.logical = logical;
        instruction
    }

    /// An instruction that no engine reads: a tree of its words could take all memory.
    fn unread(&self, logical: Logical) -> Instruction {
        let cut = split::keyword(&logical, logical.all());
        let keyword_word = logical.word(cut.keyword);
        let span = logical.span(Span::new(cut.keyword.start, cut.rest.end.max(cut.keyword.end)));
        Instruction {
            keyword: Keyword::of(&keyword_word.text),
            keyword_word,
            flags: Vec::new(),
            args: Args::Broken(Word { text: String::new(), span, parts: Vec::new() }),
            heredocs: Vec::new(),
            span,
            line: self.lines.line_col(span.start).line,
            logical,
            comments: Vec::new(),
            empty_continuations: Vec::new(),
        }
    }

    fn build(&mut self, logical: &Logical, range: Span, trigger: bool) -> Instruction {
        let cut = split::keyword(logical, range);
        let keyword_word = logical.word(cut.keyword);
        let keyword = Keyword::of(&keyword_word.text);
        let (flags, rest) = split::flags(logical, cut.rest, self.escape);
        let span = logical.span(Span::new(cut.keyword.start, cut.rest.end.max(cut.keyword.end)));
        let args = if trigger && keyword == Keyword::Onbuild {
            self.error(ParseErrorKind::OnbuildChain, span);
            Args::Broken(logical.word(rest))
        } else {
            self.args(keyword, logical, rest)
        };
        let instruction = Instruction {
            keyword,
            keyword_word,
            flags,
            args,
            heredocs: Vec::new(),
            span,
            line: self.lines.line_col(span.start).line,
            logical: if trigger { logical.clone() } else { Logical::default() },
            comments: Vec::new(),
            empty_continuations: Vec::new(),
        };
        check::instruction(&instruction, logical, trigger, &self.lines, &mut self.errors);
        instruction
    }

    fn args(&mut self, keyword: Keyword, logical: &Logical, rest: Span) -> Args {
        if rest.is_empty() {
            return Args::Empty;
        }
        match keyword {
            Keyword::From | Keyword::Expose => Args::Words(split::plain_words(logical, rest)),
            Keyword::Add | Keyword::Copy | Keyword::Volume => {
                self.exec(logical, rest, |logical, rest| {
                    Args::Words(split::plain_words(logical, rest))
                })
            }
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint | Keyword::Shell => {
                self.exec(logical, rest, |logical, rest| Args::Text(logical.word(rest)))
            }
            Keyword::Arg => Args::Pairs(
                split::quoted_words(logical, rest, self.escape)
                    .into_iter()
                    .map(|word| pair(logical, word))
                    .collect(),
            ),
            Keyword::Env => self.pairs("ENV", logical, rest),
            Keyword::Label => self.pairs("LABEL", logical, rest),
            Keyword::Healthcheck => self.health(logical, rest),
            Keyword::Onbuild => Args::Trigger(Box::new(self.build(logical, rest, true))),
            Keyword::Maintainer
            | Keyword::Stopsignal
            | Keyword::User
            | Keyword::Workdir
            | Keyword::Unknown => Args::Text(logical.word(rest)),
        }
    }

    fn exec(
        &mut self,
        logical: &Logical,
        rest: Span,
        shell: impl FnOnce(&Logical, Span) -> Args,
    ) -> Args {
        // Behind the type of HEALTHCHECK any white space may precede the array.
        match json::array(&logical.bytes, text::trim_start(&logical.bytes, rest)) {
            JsonArray::No => shell(logical, rest),
            JsonArray::Mixed => {
                self.error(ParseErrorKind::JsonNotStrings, logical.span(rest));
                Args::Broken(logical.word(rest))
            }
            JsonArray::Strings(strings) => Args::Exec(
                strings
                    .into_iter()
                    .map(|string| {
                        let all = Span::new(0, string.text.len());
                        logical.decoded(&string.text, &string.map, all)
                    })
                    .collect(),
            ),
        }
    }

    fn pairs(&mut self, name: &'static str, logical: &Logical, rest: Span) -> Args {
        let words = split::quoted_words(logical, rest, self.escape);
        let has_equals = |word: &Span| word.of(&logical.bytes).contains(&b'=');
        let Some(first) = words.first() else {
            return Args::Empty;
        };
        if !has_equals(first) {
            let old = split::keyword(logical, rest);
            if old.rest.is_empty() {
                self.error(ParseErrorKind::MissingValue(name), logical.span(rest));
                return Args::Broken(logical.word(rest));
            }
            return Args::Pairs(vec![Pair {
                name: logical.word(old.keyword),
                value: Some(logical.word(old.rest)),
                legacy: true,
            }]);
        }
        let mut pairs = Vec::new();
        for word in words {
            if has_equals(&word) {
                pairs.push(pair(logical, word));
            } else {
                let word = logical.word(word);
                self.error(ParseErrorKind::MissingEquals(word.text), word.span);
            }
        }
        Args::Pairs(pairs)
    }

    fn health(&mut self, logical: &Logical, rest: Span) -> Args {
        let bytes = rest.of(&logical.bytes);
        let space = |byte: &u8| char::from(*byte).is_whitespace();
        let end = bytes.iter().position(space).unwrap_or(bytes.len());
        if end == 0 {
            return Args::Empty;
        }
        let kind = Span::new(rest.start, rest.start + end);
        let tail = bytes.get(end..).unwrap_or_default();
        let skip = tail.iter().take_while(|byte| space(byte)).count();
        let command = Span::new(kind.end + skip, rest.end);
        let command = if command.is_empty() {
            Args::Empty
        } else {
            self.exec(logical, command, |logical, rest| Args::Text(logical.word(rest)))
        };
        Args::Health { kind: logical.word(kind), command: Box::new(command) }
    }

    /// Reads the bodies of the heredocs the instruction opens; gives where the last one ends.
    fn heredocs(&mut self, instruction: &mut Instruction) -> Option<usize> {
        let inner = match &instruction.args {
            Args::Trigger(inner) => inner.as_ref(),
            _ => &*instruction,
        };
        let exec = matches!(inner.args, Args::Exec(_));
        if !inner.keyword.takes_heredocs() || exec {
            return None;
        }
        let bytes = &instruction.logical.bytes;
        if !bytes.windows(2).any(|pair| pair == b"<<") {
            return None;
        }
        let mut heredocs = match heredoc::of_line(&text::lossy(bytes)) {
            Ok(heredocs) => heredocs,
            Err(error) => {
                self.error(ParseErrorKind::BadHeredoc(error), instruction.span);
                return None;
            }
        };
        for heredoc in &mut heredocs {
            self.body(heredoc, instruction.span);
        }
        let end = heredocs.last().map(|last| last.terminator.end);
        instruction.heredocs = heredocs;
        end
    }

    fn body(&mut self, heredoc: &mut Heredoc, owner: Span) {
        let start = self.lines.line_span(self.next).map_or(self.source.len(), |line| line.start);
        let mut end = start;
        while let Some(line) = self.line() {
            let mut candidate = without_newline(self.source, line).of(self.source);
            if heredoc.chomp {
                while let Some(rest) = candidate.strip_prefix(b"\t") {
                    candidate = rest;
                }
            }
            if candidate == heredoc.name.as_bytes() {
                heredoc.body = Span::new(start, end);
                heredoc.terminator = line;
                return;
            }
            end = line.end;
        }
        heredoc.body = Span::new(start, end);
        heredoc.terminator = Span::new(end, end);
        self.error(ParseErrorKind::UnterminatedHeredoc(heredoc.name.clone()), owner);
    }
}

fn pair(logical: &Logical, word: Span) -> Pair {
    let equals = word.of(&logical.bytes).iter().position(|byte| *byte == b'=');
    let (name, value) = match equals {
        Some(at) => {
            (Span::new(word.start, word.start + at), Some(Span::new(word.start + at + 1, word.end)))
        }
        None => (word, None),
    };
    Pair { name: logical.word(name), value: value.map(|value| logical.word(value)), legacy: false }
}

/// The line without any `\r` and `\n` at its end.
fn without_newline(source: &[u8], line: Span) -> Span {
    let bytes = line.of(source);
    let ending = |byte: &&u8| matches!(byte, b'\r' | b'\n');
    let cut = bytes.iter().rev().take_while(ending).count();
    Span::new(line.start, line.end - cut)
}
