//! Content digests such as `sha256:…`.

use std::fmt;
use std::str::FromStr;

/// A digest of a known algorithm: lower-case hex of the right length.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    #[error("a digest has the form sha256:<64 hex digits>")]
    Format,
    #[error("unsupported digest algorithm {0:?}")]
    Algorithm(String),
    #[error("a {algorithm} digest has {expected} hex digits, not {found}")]
    Length { algorithm: &'static str, expected: usize, found: usize },
    #[error("the hex digits of a digest are 0-9 and a-f, in lower case")]
    Hex,
}

impl Digest {
    /// The digest as text, `sha256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The algorithm, such as `sha256`.
    pub fn algorithm(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The hex digits.
    pub fn hex(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or(DigestError::Format)?;
        let (algorithm, expected) = match algorithm {
            "sha256" => ("sha256", 64),
            "sha384" => ("sha384", 96),
            "sha512" => ("sha512", 128),
            other => return Err(DigestError::Algorithm(other.to_owned())),
        };
        if !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(DigestError::Hex);
        }
        if hex.len() != expected {
            return Err(DigestError::Length { algorithm, expected, found: hex.len() });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_three_algorithms() {
        for (algorithm, length) in [("sha256", 64), ("sha384", 96), ("sha512", 128)] {
            let text = format!("{algorithm}:{}", "a".repeat(length));
            let digest: Digest = text.parse().unwrap();
            assert_eq!((digest.algorithm(), digest.hex().len()), (algorithm, length));
        }
    }

    #[test]
    fn refuses_the_rest() {
        let bad = |text: &str| text.parse::<Digest>().unwrap_err();
        assert_eq!(bad("abc"), DigestError::Format);
        assert!(matches!(bad("md5:abc"), DigestError::Algorithm(_)));
        assert!(matches!(bad("sha256:abc"), DigestError::Length { found: 3, .. }));
        assert_eq!(bad(&format!("sha256:{}", "A".repeat(64))), DigestError::Hex);
    }
}
