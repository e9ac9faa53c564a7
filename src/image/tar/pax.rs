//! Records that say what a header has no room for.

use std::io;

use super::damaged;

/// What extended attributes are called.
const ATTRIBUTE: &[u8] = b"SCHILY.xattr.";
/// What belongs to files with holes.
const SPARSE: &[u8] = b"GNU.sparse.";

#[derive(Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) target: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) sparse: bool,
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Pax {
    /// Reads records of the form `LENGTH KEY=VALUE\n`.
    pub(super) fn parse(text: &[u8]) -> io::Result<Self> {
        let mut pax = Self::default();
        let mut name = None;
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
                b"path" => pax.path = Some(value.to_vec()).filter(|path| !path.is_empty()),
                b"linkpath" => pax.target = Some(value.to_vec()).filter(|path| !path.is_empty()),
                b"size" => pax.size = Some(number()?),
                b"uid" => pax.uid = decimal(value),
                b"gid" => pax.gid = decimal(value),
                b"GNU.sparse.name" => name = Some(value.to_vec()),
                key if key.starts_with(SPARSE) => pax.sparse = true,
                key => {
                    if let Some(attribute) = key.strip_prefix(ATTRIBUTE) {
                        pax.attributes.push((attribute.to_vec(), value.to_vec()));
                    }
                }
            }
        }
        pax.path = name.or(pax.path);
        Ok(pax)
    }
}

/// The first record and what follows it.
fn record(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = text.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(text.get(..space)?)?).ok()?;
    let whole = text.get(..length)?;
    let record = whole.get(space + 1..)?.strip_suffix(b"\n")?;
    Some((record, text.get(length..)?))
}

fn decimal(text: &[u8]) -> Option<u64> {
    // Times have fractions; sizes that have one are none.
    std::str::from_utf8(text).ok()?.parse().ok()
}
