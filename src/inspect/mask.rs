//! What is told of an image that holds a secret must not tell the secret.

use cofferdam_search::{Needles, Searcher};

/// What stands where a value stood.
const MARK: &[u8] = b"***";

pub(super) struct Mask<'n>(Option<Searcher<'n>>);

impl<'n> Mask<'n> {
    pub(super) fn new(needles: &'n Needles) -> Self {
        Self((!needles.is_empty()).then(|| Searcher::new(needles)))
    }

    /// A text without the values that stand in it.
    pub(super) fn text(&mut self, text: &str) -> String {
        let Some(search) = &mut self.0 else { return text.to_string() };
        let mut bytes = text.as_bytes().to_vec();
        loop {
            search.feed(&bytes);
            let found = search.finish();
            // One after the other: hits may overlap, and not all of them are kept.
            let Some(hit) = found.hits.first() else { break };
            let begin = usize::try_from(hit.offset).unwrap_or(0).min(bytes.len());
            let end = begin.saturating_add(hit.length).min(bytes.len());
            bytes.splice(begin..end, MARK.iter().copied());
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
