//! Records that say what a header has no room for.

use std::io;
use std::str::FromStr;

use super::damaged;

/// What extended attributes are called.
const ATTRIBUTE: &[u8] = b"SCHILY.xattr.";

#[derive(Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) target: Option<Vec<u8>>,
    pub(super) size: Option<i64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) sparse: bool,
    /// What a file with holes is called, before all other names.
    pub(super) sparse_name: Option<Vec<u8>>,
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Pax {
    /// Reads records of the form `LENGTH KEY=VALUE\n`.
    pub(super) fn parse(text: &[u8]) -> io::Result<Self> {
        let mut pax = Self::default();
        let (mut name, mut major, mut minor, mut map) = Default::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (record, after) = record(rest).ok_or_else(|| damaged("a pax record is none"))?;
            rest = after;
            let Some(at) = record.iter().position(|byte| *byte == b'=') else {
                return Err(damaged("a pax record has no value"));
            };
            let (key, value) = (&record[..at], record.get(at + 1..).unwrap_or_default());
            let number = || decimal(value).ok_or_else(|| damaged("a pax number is none"));
            match key {
                // An empty value takes back what was said before.
                b"path" => pax.path = some(value),
                b"linkpath" => pax.target = some(value),
                b"size" => pax.size = Some(number()?),
                b"uid" => pax.uid = decimal(value),
                b"gid" => pax.gid = decimal(value),
                b"GNU.sparse.name" => name = some(value),
                b"GNU.sparse.major" => major = some(value),
                b"GNU.sparse.minor" => minor = some(value),
                b"GNU.sparse.map" => map = some(value),
                key => {
                    if let Some(attribute) = key.strip_prefix(ATTRIBUTE) {
                        pax.attributes.push((attribute.to_vec(), value.to_vec()));
                    }
                }
            }
        }
        // Versions that engines know; the oldest does not say its own.
        pax.sparse = match (major.as_deref(), minor.as_deref()) {
            (Some(b"0"), Some(b"0" | b"1")) | (Some(b"1"), Some(b"0")) => true,
            (None, None) => map.is_some(),
            _ => false,
        };
        pax.sparse_name = name.filter(|_| pax.sparse);
        Ok(pax)
    }
}

fn some(value: &[u8]) -> Option<Vec<u8>> {
    Some(value.to_vec()).filter(|value| !value.is_empty())
}

/// The first record and what follows it.
fn record(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = text.iter().take(20).position(|byte| *byte == b' ')?;
    let length = decimal(text.get(..space)?)?;
    let whole = text.get(..length)?;
    let record = whole.get(space + 1..)?.strip_suffix(b"\n")?;
    Some((record, text.get(length..)?))
}

fn decimal<T: FromStr>(text: &[u8]) -> Option<T> {
    // Times have fractions; sizes that have one are none.
    std::str::from_utf8(text).ok()?.parse().ok()
}
