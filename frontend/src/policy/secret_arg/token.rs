//! Tokens that name their issuer by a prefix.

use cofferdam_search::shape::token;

use super::Shape;

pub(super) use token::GOOGLE;

/// The first token found in a text.
pub(super) fn find(text: &str) -> Option<Shape> {
    token::find(text).map(|token| Shape::Token(token.what))
}
