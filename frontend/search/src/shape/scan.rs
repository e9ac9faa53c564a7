//! Where in a value a credential may begin.

/// The rest of `text` after each occurrence of `prefix` that does not continue a word.
///
/// Credentials stand in the middle of values: in URLs, flags and files.
pub fn after<'t>(text: &'t str, prefix: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(prefix).filter_map(move |(start, _)| {
        let before = text.get(..start)?.bytes().next_back();
        let continues = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if continues { None } else { text.get(start + prefix.len()..) }
    })
}
