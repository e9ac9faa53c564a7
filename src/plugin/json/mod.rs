//! Changing one value of a JSON text and nothing around it.

pub(super) mod alias;
mod scan;

/// A change at one place, which can be taken back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Splice {
    /// Where, in bytes.
    at: usize,
    /// What stood there.
    removed: String,
    /// What stands there now.
    inserted: String,
}

impl Splice {
    /// The text with the change; `None` when it does not fit.
    pub(super) fn apply(&self, text: &str) -> Option<String> {
        exchange(text, self.at, &self.removed, &self.inserted)
    }

    /// The text without the change; `None` when something else stands there now.
    pub(super) fn undo(&self, text: &str) -> Option<String> {
        exchange(text, self.at, &self.inserted, &self.removed)
    }
}

fn exchange(text: &str, at: usize, from: &str, to: &str) -> Option<String> {
    let rest = text.get(at..)?.strip_prefix(from)?;
    Some(format!("{}{to}{rest}", text.get(..at)?))
}
