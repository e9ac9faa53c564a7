//! Go's `filepath.Match`: the syntax check every pattern passes, and wildcard names in followed paths.

use super::BadPattern;

/// Whether `name` matches the shell pattern as a whole, with the syntax and errors of Go's `filepath.Match`.
///
/// # Errors
/// A malformed pattern, also when the malformed part lies behind the first mismatch.
pub fn matches(pattern: &[u8], name: &[u8]) -> Result<bool, BadPattern> {
    let (mut pattern, mut name) = (pattern, name);
    while !pattern.is_empty() {
        let (star, chunk, rest) = scan_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        if let Some(after) = match_chunk(chunk, name)?
            && (after.is_empty() || !pattern.is_empty())
        {
            name = after;
            continue;
        }
        match skip_to(star, chunk, name, pattern.is_empty())? {
            Some(after) => name = after,
            None => {
                // The remainder is still checked, so that bad syntax never hides behind a mismatch.
                while !pattern.is_empty() {
                    let (_, chunk, rest) = scan_chunk(pattern);
                    pattern = rest;
                    match_chunk(chunk, b"")?;
                }
                return Ok(false);
            }
        }
    }
    Ok(name.is_empty())
}

/// Lets a star swallow one byte after another until the chunk behind it fits.
fn skip_to<'n>(
    star: bool,
    chunk: &[u8],
    name: &'n [u8],
    last: bool,
) -> Result<Option<&'n [u8]>, BadPattern> {
    if !star {
        return Ok(None);
    }
    let mut rest = name;
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'/' {
            break;
        }
        rest = tail;
        if let Some(after) = match_chunk(chunk, rest)?
            && (!last || after.is_empty())
        {
            return Ok(Some(after));
        }
    }
    Ok(None)
}

/// Splits off leading stars and the literal chunk behind them.
fn scan_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|&&b| b == b'*').count();
    let body = pattern.get(stars..).unwrap_or_default();
    let mut in_range = false;
    let mut escaped = false;
    let mut end = body.len();
    for (at, &byte) in body.iter().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match byte {
            b'\\' => escaped = true,
            b'[' => in_range = true,
            b']' => in_range = false,
            b'*' if !in_range => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let (chunk, rest) = body.split_at(end);
    (stars > 0, chunk, rest)
}

/// Matches one star-free chunk at the start of `name`; `None` is a well-formed mismatch.
fn match_chunk<'n>(mut chunk: &[u8], name: &'n [u8]) -> Result<Option<&'n [u8]>, BadPattern> {
    let mut name = name;
    let mut failed = false;
    while let Some((&first, tail)) = chunk.split_first() {
        failed = failed || name.is_empty();
        chunk = tail;
        match first {
            b'[' => {
                let (rune, width) = decode(name);
                if !failed {
                    name = name.get(width..).unwrap_or_default();
                }
                let (hit, rest) = match_class(chunk, rune)?;
                chunk = rest;
                failed = failed || !hit;
            }
            b'?' => {
                if !failed {
                    failed = name.first() == Some(&b'/');
                    name = name.get(decode(name).1..).unwrap_or_default();
                }
            }
            other => {
                let literal = if other == b'\\' {
                    let (&next, rest) = chunk.split_first().ok_or(BadPattern)?;
                    chunk = rest;
                    next
                } else {
                    other
                };
                if !failed && let Some((&byte, rest)) = name.split_first() {
                    failed = byte != literal;
                    name = rest;
                }
            }
        }
    }
    Ok((!failed).then_some(name))
}

/// Reads a class behind its `[` and says whether it holds `rune`.
fn match_class(mut chunk: &[u8], rune: char) -> Result<(bool, &[u8]), BadPattern> {
    let negated = chunk.first() == Some(&b'^');
    if negated {
        chunk = chunk.get(1..).unwrap_or_default();
    }
    let mut hit = false;
    let mut ranges = 0_usize;
    loop {
        if ranges > 0 && chunk.first() == Some(&b']') {
            return Ok((hit != negated, chunk.get(1..).unwrap_or_default()));
        }
        let (low, rest) = class_char(chunk)?;
        chunk = rest;
        let mut high = low;
        if chunk.first() == Some(&b'-') {
            let (top, rest) = class_char(chunk.get(1..).unwrap_or_default())?;
            high = top;
            chunk = rest;
        }
        hit = hit || (low..=high).contains(&rune);
        ranges += 1;
    }
}

/// Reads one possibly escaped character inside a class; the class must go on behind it.
fn class_char(chunk: &[u8]) -> Result<(char, &[u8]), BadPattern> {
    let body = match chunk.split_first() {
        None | Some((b'-' | b']', _)) => return Err(BadPattern),
        Some((b'\\', rest)) => rest,
        Some(_) => chunk,
    };
    if body.is_empty() {
        return Err(BadPattern);
    }
    let (rune, width) = decode(body);
    if rune == char::REPLACEMENT_CHARACTER && width == 1 {
        return Err(BadPattern);
    }
    match body.get(width..) {
        Some(rest) if !rest.is_empty() => Ok((rune, rest)),
        _ => Err(BadPattern),
    }
}

/// First character and its width; a byte that is no UTF-8 is U+FFFD of width 1, as in Go.
fn decode(bytes: &[u8]) -> (char, usize) {
    let head = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => head
            .get(..error.valid_up_to())
            .and_then(|good| std::str::from_utf8(good).ok())
            .unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(rune) => (rune, rune.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}
