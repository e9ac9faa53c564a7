//! AWS's access keys: an id and a secret beside each other.

use super::tokens::is_made_up;
use crate::shape::text::{is_base64, run, varied};

/// Bytes around the secret's name in which the id stands.
const NEAR: usize = 512;
/// Letters of a secret.
const SECRET: usize = 40;

/// Judges the name of a secret access key: its value follows, and an id stands near.
pub(super) fn pair(text: &[u8], at: usize) -> Option<&'static str> {
    // `name = "value"`, `"name": "value"`, `name>value<`, `name value`.
    let named = ascii(text, at, at + 128);
    let value = named
        .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
        .trim_start_matches(['"', '\'', ' ', '\t', '=', ':', '>', '\\']);
    let secret = run(value, SECRET + 1, is_base64);
    let real = secret.len() == SECRET && varied(secret) && !is_made_up(secret);
    let paired = || has_id(&ascii(text, at.saturating_sub(NEAR), at + NEAR));
    (real && paired()).then_some("an AWS access key")
}

/// Part of a text; bytes that are no ASCII separate as blanks do.
fn ascii(text: &[u8], from: usize, to: usize) -> String {
    let part = text.get(from..to.min(text.len())).unwrap_or_default();
    part.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { ' ' }).collect()
}

fn has_id(text: &str) -> bool {
    ["AKIA", "ASIA"].iter().any(|prefix| {
        crate::shape::scan::after(text, prefix).any(|rest| {
            let id = run(rest, 17, |b| b.is_ascii_uppercase() || matches!(b, b'2'..=b'7'));
            id.len() == 16 && !id.ends_with("EXAMPLE") && varied_id(id)
        })
    })
}

/// Letters alone are as likely as a word of sixteen letters is not.
fn varied_id(id: &str) -> bool {
    crate::shape::text::distinct(id) >= 8 && !is_made_up(id)
}
