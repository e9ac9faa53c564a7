//! Finding heredocs in a joined line. The escape character is always the backslash here.

use super::expand::{EmptyEnv, ExpandError, Lex};
use super::span::Span;

/// A heredoc of RUN, COPY or ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The terminator, quotes undone.
    pub name: String,
    /// The number before `<<`; 0 without one.
    pub fd: u64,
    /// Whether variables in the body are expanded (no part of the name was quoted).
    pub expand: bool,
    /// `<<-`: tabs before body lines and terminator are ignored.
    pub chomp: bool,
    /// The body with its last newline, without the terminator line.
    pub body: Span,
    /// The terminator line with its newline; empty when the file ended before.
    pub terminator: Span,
}

fn lex() -> Lex {
    Lex { keep_unset: true, ..Lex::new('\\') }
}

/// The heredocs a line opens, in order, bodies still empty.
pub(crate) fn of_line(line: &str) -> Result<Vec<Heredoc>, ExpandError> {
    let lex = Lex { raw_quotes: true, raw_escapes: true, ..lex() };
    let words = match lex.expand(line, &EmptyEnv) {
        Ok(done) => done.words,
        Err(error) if error.is_limit() => return Err(error),
        // A line that cannot be lexed has no heredocs; the shell may still understand it.
        Err(_) => Vec::new(),
    };
    let mut heredocs = Vec::new();
    for word in words {
        heredocs.extend(of_word(&word)?);
    }
    Ok(heredocs)
}

/// Reads one word as `[fd]<<[-]name`; `None` when it is something else.
pub(crate) fn of_word(word: &str) -> Result<Option<Heredoc>, ExpandError> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (fd, rest) = word.split_at(digits);
    let Some(rest) = rest.strip_prefix("<<") else {
        return Ok(None);
    };
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let name = rest.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    if name.is_empty() || name.contains('<') {
        return Ok(None);
    }
    let plain = lex().expand(name, &EmptyEnv)?.words;
    let [plain] = plain.as_slice() else {
        return Ok(None);
    };
    let raw = Lex { raw_quotes: true, ..lex() };
    let raw = raw.expand(name, &EmptyEnv)?.words.into_iter().next();
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    Ok(Some(Heredoc {
        name: plain.clone(),
        // Go's number parser saturates on overflow.
        fd: if fd.is_empty() { 0 } else { fd.parse().unwrap_or(u64::MAX) },
        expand: raw.is_some_and(|raw| quotes(&raw) == quotes(plain)),
        chomp,
        body: Span::default(),
        terminator: Span::default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        of_line(line).unwrap().into_iter().map(|heredoc| heredoc.name).collect()
    }

    #[test]
    fn several_forms() {
        assert_eq!(names("RUN <<A cat <<-B 3<<'C d' <<\"E\" << F"), ["A", "B", "C d", "E", "F"]);
        assert_eq!(names("RUN echo \"<<A\" '<<B' <<<C a<<D"), Vec::<String>::new());
        assert_eq!(names("RUN echo it's <<A"), Vec::<String>::new());
        assert_eq!(names("RUN x <<\\A"), ["A"]);
    }

    #[test]
    fn attributes() {
        let list = of_line("RUN 4<<-'A' <<B").unwrap();
        assert_eq!((list[0].fd, list[0].chomp, list[0].expand), (4, true, false));
        assert_eq!((list[1].fd, list[1].chomp, list[1].expand), (0, false, true));
    }
}
