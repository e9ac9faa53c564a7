//! Tokens with a prefix of their issuer.

use crate::shape::token::{self, AWS, GOOGLE, Token};

/// What token there is in a word, if any.
pub(super) fn judge(word: &str) -> Option<&'static str> {
    // An access key id is no secret, nor is a key that browsers are given.
    let secret = |token: &Token<'_>| {
        !matches!(token.what, AWS | GOOGLE) && (token.checked || !is_made_up(token.body))
    };
    token::find_if(word, secret).map(|token| token.what)
}

/// Whether a person wrote it: letters or digits in their order, over and over, or words.
pub(super) fn is_made_up(body: &str) -> bool {
    const WORDS: [&str; 12] = [
        "example",
        "sample",
        "token",
        "secret",
        "dummy",
        "fake",
        "test",
        "your",
        "placeholder",
        "qwerty",
        "deadbeef",
        "foobar",
    ];
    let lower = body.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let steps = |step: u8, length: usize| {
        bytes.windows(length).any(|window| {
            window.iter().zip(window.iter().skip(1)).all(|(one, two)| {
                two.wrapping_sub(*one) == step || step == 1 && (*one, *two) == (b'9', b'0')
            })
        })
    };
    steps(1, 6) || steps(0, 5) || steps(255, 7) || WORDS.iter().any(|word| lower.contains(word))
}
