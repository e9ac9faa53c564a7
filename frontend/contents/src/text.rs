//! Paths as text that tells each from every other.

use std::fmt::Write as _;

/// Longest path that is kept, in bytes of its text; of a longer one the end is.
const LONGEST: usize = 4096;
/// Bytes of a path that are looked at; only hostile ones are longer.
const SEEN: usize = 16 * 1024;

/// A path relative to the root, in text form, without slashes at its ends.
pub(crate) fn plain(path: &[u8]) -> String {
    let mut path = path.get(path.len().saturating_sub(SEEN)..).unwrap_or_default();
    loop {
        path = match path {
            [b'.', b'/', rest @ ..] | [b'/', rest @ ..] | [rest @ .., b'/'] => rest,
            [b'.'] => &[],
            _ => return encoded(path),
        }
    }
}

/// The same without looking at slashes.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    let mut text = encode_path(bytes.get(bytes.len().saturating_sub(SEEN)..).unwrap_or_default());
    if text.len() <= LONGEST {
        return text;
    }
    let mut start = text.len().saturating_sub(LONGEST);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.split_off(start)
}

/// Turns the bytes of a path into text that stands for them alone.
///
/// Valid UTF-8 stands as it is; `%`, control characters and bytes that are no UTF-8 become `%XX`.
pub fn encode_path(path: &[u8]) -> String {
    // Nearly all paths: nothing in them has to be written otherwise.
    let stands = |&byte: &u8| matches!(byte, b' '..=b'~') && byte != b'%';
    if let (true, Ok(text)) = (path.iter().all(stands), std::str::from_utf8(path)) {
        return text.into();
    }
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter == '%' || letter.is_control() {
                let mut buffer = [0; 4];
                letter.encode_utf8(&mut buffer).bytes().for_each(|byte| hex(&mut text, byte));
            } else {
                text.push(letter);
            }
        }
        chunk.invalid().iter().for_each(|&byte| hex(&mut text, byte));
    }
    text
}

fn hex(text: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "%{byte:02X}");
}

/// The directory that a path lies in; the root's is empty.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The last part of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The directories that a path lies in, the outermost first, without the root.
pub(crate) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_form() {
        for same in ["/etc/passwd", "./etc/passwd", "etc/passwd", "etc/passwd/", ".//etc/passwd"] {
            assert_eq!(plain(same.as_bytes()), "etc/passwd", "{same}");
        }
        assert_eq!(plain(b"/"), "");
        assert_eq!(plain(b"."), "");
        assert_eq!(plain(b"./"), "");
        assert_eq!(plain(b".git"), ".git");
    }

    #[test]
    fn no_two_paths_have_the_same() {
        assert_eq!(plain(b"a\xff"), "a%FF");
        assert_eq!(plain(b"a%FF"), "a%25FF");
        assert_eq!(plain(b"a\n"), "a%0A");
        assert_eq!(plain("ä".as_bytes()), "ä");
    }

    #[test]
    fn a_long_path_keeps_its_end() {
        let path = "ä/".repeat(10_000) + "end";
        let plain = plain(path.as_bytes());
        assert!(plain.len() <= LONGEST && plain.ends_with("/end"));
    }

    #[test]
    fn parts_of_a_path() {
        assert_eq!((parent("a/b/c"), name("a/b/c")), ("a/b", "c"));
        assert_eq!((parent("a"), name("a")), ("", "a"));
        assert_eq!(parents("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
    }
}
