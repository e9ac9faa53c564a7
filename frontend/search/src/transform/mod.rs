//! What may have been done to a value before it was written somewhere.

mod base64;
mod escape;
mod shell;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Bytes of a value, or made of one.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// A declared way to write a value down; absence is proven under these and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// The bytes themselves.
    Raw,
    /// Base64 with `+` and `/`, at any offset of the encoded text; of 13 bytes and more also wrapped
    /// in lines.
    Base64,
    /// Base64 with `-` and `_`, likewise.
    Base64Url,
    /// Hexadecimal digits in lower case, also wrapped in lines.
    Hex,
    /// Hexadecimal digits in upper case, likewise.
    HexUpper,
    /// Percent-encoded as URLs, their parts and forms are.
    Url,
    /// The inside of a JSON string, as the usual encoders write it.
    Json,
    /// The inside of an XML or HTML text or attribute.
    Xml,
    /// Quoted for a shell.
    Shell,
    /// UTF-16, low byte first; every byte with a zero behind it if the value is no text.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// The bytes from last to first.
    Reversed,
}

impl Transform {
    /// All of them, in the order in which a hit prefers them.
    pub const ALL: [Self; 12] = [
        Self::Raw,
        Self::Base64,
        Self::Base64Url,
        Self::Hex,
        Self::HexUpper,
        Self::Url,
        Self::Json,
        Self::Xml,
        Self::Shell,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Reversed,
    ];

    /// The name in records and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Base64 => "base64",
            Self::Base64Url => "base64-url",
            Self::Hex => "hex",
            Self::HexUpper => "hex-upper",
            Self::Url => "url",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Shell => "shell",
            Self::Utf16Le => "utf16-le",
            Self::Utf16Be => "utf16-be",
            Self::Reversed => "reversed",
        }
    }

    /// Whether tools that write it break it into lines wherever they like.
    pub(crate) fn wraps(self) -> bool {
        matches!(self, Self::Base64 | Self::Base64Url | Self::Hex | Self::HexUpper)
    }

    /// Every form of a value under this transform; forms may be equal.
    pub(crate) fn forms(self, value: &[u8]) -> Vec<Secret> {
        match self {
            Self::Raw => vec![secret(value.iter().copied())],
            Self::Base64 => base64::forms(value, base64::STANDARD),
            Self::Base64Url => base64::forms(value, base64::URL),
            Self::Hex => vec![hex(value, b"0123456789abcdef")],
            Self::HexUpper => vec![hex(value, b"0123456789ABCDEF")],
            Self::Url => escape::url(value),
            Self::Json => escape::json(value),
            Self::Xml => escape::xml(value),
            Self::Shell => shell::forms(value),
            Self::Utf16Le => vec![utf16(value, u16::to_le_bytes)],
            Self::Utf16Be => vec![utf16(value, u16::to_be_bytes)],
            Self::Reversed => vec![secret(value.iter().rev().copied())],
        }
    }
}

/// Collects into memory that is wiped; the size is known before, so that nothing is left behind by
/// growing.
fn secret(bytes: impl Iterator<Item = u8> + Clone) -> Secret {
    let mut made = Zeroizing::new(Vec::with_capacity(bytes.clone().count()));
    made.extend(bytes);
    made
}

fn hex(value: &[u8], digits: &[u8; 16]) -> Secret {
    let digit = |half: u8| digits.get(usize::from(half & 15)).copied().unwrap_or_default();
    secret(value.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]))
}

fn utf16(value: &[u8], order: fn(u16) -> [u8; 2]) -> Secret {
    match std::str::from_utf8(value) {
        Ok(text) => secret(text.encode_utf16().flat_map(order)),
        Err(_) => secret(value.iter().flat_map(|byte| order(u16::from(*byte)))),
    }
}

#[cfg(test)]
mod tests;
