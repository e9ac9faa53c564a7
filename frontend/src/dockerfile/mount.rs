//! The comma-separated value of `RUN --mount`, quoted fields included.

use super::logical::{Logical, Word};
use super::span::Span;
use super::split::Flag;
use super::srcmap::SourceMap;
use super::text;

/// One `key=value` of a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountField {
    /// In lower case.
    pub key: String,
    /// `None` without `=`, such as `readonly`.
    pub value: Option<Word>,
}

/// A `--mount` flag's fields in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    pub fields: Vec<MountField>,
}

impl Mount {
    /// The value of the last field of this name.
    pub fn get(&self, key: &str) -> Option<&Word> {
        self.fields
            .iter()
            .rev()
            .find(|field| field.key == key && field.value.is_some())
            .and_then(|field| field.value.as_ref())
    }
}

/// A field whose quotes are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCsv;

/// The fields of one `--mount` flag.
pub fn mount(line: &Logical, flag: &Flag) -> Result<Mount, BadCsv> {
    let mut fields = Vec::new();
    for (text, map) in csv(&flag.decoded.text, flag.decoded.value)? {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(Span::new(text.len() - value.len(), text.len()))),
            None => (text.as_str(), None),
        };
        let value = value.map(|range| {
            let mut through = SourceMap::default();
            for part in map.map(range) {
                for part in flag.decoded.map.map(part) {
                    through.push(part.len(), part);
                }
            }
            let parts: Vec<Span> = through_spans(&through, line);
            let start = || line.map.locate(flag.decoded.map.locate(map.locate(range.start)));
            Word {
                text: text.get(range.start..range.end).unwrap_or_default().to_owned(),
                span: Span::hull(&parts).unwrap_or_else(|| Span::new(start(), start())),
                parts,
            }
        });
        fields.push(MountField { key: text::lower(key), value });
    }
    Ok(Mount { fields })
}

fn through_spans(through: &SourceMap, line: &Logical) -> Vec<Span> {
    through.map_through(Span::new(0, usize::MAX), &line.map)
}

/// The fields of `text` from `start` on, each with its map to offsets of `text`.
pub(crate) fn csv(text: &str, start: usize) -> Result<Vec<(String, SourceMap)>, BadCsv> {
    let mut end = text.len();
    if text.ends_with('\n') {
        end -= 1;
    }
    let line = text.get(start..end).unwrap_or_default();
    if line.is_empty() {
        return Err(BadCsv);
    }
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let at = end - rest.len();
        if !rest.starts_with('"') {
            let (field, tail) = match rest.split_once(',') {
                Some((field, tail)) => (field, Some(tail)),
                None => (rest, None),
            };
            if field.contains('"') {
                return Err(BadCsv);
            }
            let map = SourceMap::verbatim(Span::new(at, at + field.len()));
            fields.push((field.to_owned(), map));
            match tail {
                Some(tail) => rest = tail,
                None => return Ok(fields),
            }
            continue;
        }
        let mut field = String::new();
        let mut map = SourceMap::default();
        rest = rest.strip_prefix('"').unwrap_or(rest);
        loop {
            let Some((piece, tail)) = rest.split_once('"') else {
                return Err(BadCsv);
            };
            let at = end - rest.len();
            field.push_str(piece);
            map.push(piece.len(), Span::new(at, at + piece.len()));
            if let Some(more) = tail.strip_prefix('"') {
                let at = end - tail.len();
                field.push('"');
                map.push(1, Span::new(at - 1, at + 1));
                rest = more;
                continue;
            }
            fields.push((field, map));
            if let Some(more) = tail.strip_prefix(',') {
                rest = more;
                break;
            }
            if tail.is_empty() {
                return Ok(fields);
            }
            return Err(BadCsv);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::split;
    use super::*;

    type Fields = Vec<(String, Option<(String, String)>)>;

    fn read(text: &str) -> Result<Fields, BadCsv> {
        let mut line = Logical::default();
        line.push(text.as_bytes(), Span::new(0, text.len()));
        let (flags, _) = split::flags(&line, line.all(), b'\\');
        let mount = mount(&line, &flags[0])?;
        Ok(mount
            .fields
            .into_iter()
            .map(|field| {
                let value = field.value.map(|word| {
                    let raw: Vec<_> = word
                        .parts
                        .iter()
                        .map(|part| String::from_utf8_lossy(part.of(text.as_bytes())).into_owned())
                        .collect();
                    (word.text, raw.join("+"))
                });
                (field.key, value)
            })
            .collect())
    }

    fn from(text: &str) -> (String, String) {
        let fields = read(text).unwrap();
        fields.into_iter().find(|(key, _)| key == "from").and_then(|(_, value)| value).unwrap()
    }

    #[test]
    fn plain_and_quoted_fields() {
        let same = |raw: &str| ("debian:12".to_owned(), raw.to_owned());
        assert_eq!(from("--mount=type=bind,from=debian:12,ro x"), same("debian:12"));
        assert_eq!(from("--mount='type=bind,\"from=debian:12\"' x"), same("debian:12"));
        assert_eq!(from("--mount=\\\"FROM=debian:12\\\",ro x"), same("debian:12"));
        assert_eq!(from("--mount=type=bind,from=\"deb\"ian:12 x"), same("deb+ian:12"));
    }

    #[test]
    fn bad_quotes() {
        assert_eq!(read("--mount='a\"b' x"), Err(BadCsv));
        assert_eq!(read("--mount='\"a\"b' x"), Err(BadCsv));
        assert_eq!(read("--mount='\"a' x"), Err(BadCsv));
        assert_eq!(read("--mount= x"), Err(BadCsv));
    }

    #[test]
    fn doubled_quotes() {
        let fields = read("--mount='\"id=a\"\"b\",ro' x").unwrap();
        assert_eq!(fields[0].1.as_ref().unwrap().0, "a\"b");
        assert_eq!(fields[1], ("ro".to_owned(), None));
    }
}
