//! Reader of `.dockerignore` files.

use super::clean::clean;

/// Patterns of a `.dockerignore` file, in order, as moby's `ignorefile.ReadAll` gives them.
///
/// A byte order mark, comment lines (only with `#` in the first column) and empty lines are dropped,
/// white space around a pattern and behind its `!` is trimmed, paths are cleaned and lose a leading `/`.
/// A lone `!` stays, so that compiling the patterns reports it.
pub fn read(content: &[u8]) -> Vec<String> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut patterns = Vec::new();
    for line in content.split(|&byte| byte == b'\n') {
        if line.first() == Some(&b'#') {
            continue;
        }
        let text = String::from_utf8_lossy(line);
        let line = text.trim();
        if line.is_empty() {
            continue;
        }
        let (bang, body) = match line.strip_prefix('!') {
            Some(rest) => ("!", rest.trim()),
            None => ("", line),
        };
        let mut cleaned = if body.is_empty() { String::new() } else { clean(body) };
        if cleaned.len() > 1 && cleaned.starts_with('/') {
            cleaned.remove(0);
        }
        patterns.push(format!("{bang}{cleaned}"));
    }
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_comments_absolute_paths_and_negations() {
        let content = "test1\n/test2\n/a/file/here\n\nlastfile\n# this is a comment\n! /inverted/abs/path\n!\n! ";
        assert_eq!(
            read(content.as_bytes()),
            ["test1", "test2", "a/file/here", "lastfile", "!inverted/abs/path", "!", "!"]
        );
    }

    #[test]
    fn strips_the_byte_order_mark_and_carriage_returns() {
        assert_eq!(
            read(b"\xef\xbb\xbf# c\r\nfoo/../bar\r\n  # not a comment\r\n"),
            ["bar", "# not a comment"]
        );
        assert!(read(b"").is_empty());
    }
}
