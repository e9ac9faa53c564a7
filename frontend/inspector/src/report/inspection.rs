//! What `inspect` says on standard output, version 1: one JSON record a line.
//!
//! The last line carries the sha256 of everything before it, so that an answer that was cut off or
//! damaged on its way cannot be mistaken for a whole one.

use std::fmt;

use cofferdam_contents::Contents;
use cofferdam_inventory::{Layer, Reading};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::before::Before;
use super::plain::Plain;

/// The version this module reads and writes.
pub const VERSION: u32 = 1;
/// Longest path of a record, in bytes of its text form; of a longer one the end is kept.
pub const LONGEST_PATH: usize = 4096;

/// Bytes of what is said about packages: some hundred thousand of them.
pub const MOST_SAID: usize = 32 << 20;

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Record {
    /// A secret was found.
    Leak(Leak),
    /// Something could not be looked into.
    Unread(Unread),
    /// A file of a layer says something about packages.
    Said(Box<Said>),
    /// A file that said so is not there any more.
    Removed(Removed),
    /// What stands out in a layer.
    Remarkable(Box<Remarkable>),
    /// Directories that hold nothing to strip.
    Plain {
        /// Those with the most in them first.
        directories: Vec<Plain>,
    },
    /// What was looked at; after all the others.
    Sum(Sum),
    /// The last line.
    End {
        /// The version of this format.
        version: u32,
        /// sha256 of all bytes before this line, in hexadecimal.
        digest: String,
    },
}

/// A secret of this build in a layer of its image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// The layer, counted from zero as the layers were named.
    pub layer: usize,
    /// The path within the image in text form, see [`super::encode_path`].
    pub path: String,
    /// Which part of the file.
    pub place: Place,
    /// The secret, counted from zero as the needles were named.
    pub needle: usize,
    /// The line of its value, counted from one, when it is not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What had been done to it.
    pub transform: String,
    /// Members of archives and the like that lead to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trail: Vec<String>,
}

/// Where in an image it is, and in which form.
impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.place {
            Place::Content => "",
            Place::Name => "the name ",
            Place::Target => "what ",
            Place::Attribute => "an extended attribute of ",
        })?;
        f.write_str(&self.path)?;
        self.trail.iter().try_for_each(|member| write!(f, " > {member}"))?;
        if self.place == Place::Target {
            f.write_str(" links to")?;
        }
        match self.line {
            Some(line) => write!(f, " ({}, line {line} of the value)", self.transform),
            None => write!(f, " ({})", self.transform),
        }
    }
}

/// Where about a file something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In its bytes.
    Content,
    /// In its path.
    Name,
    /// In what it links to.
    Target,
    /// In an extended attribute.
    Attribute,
}

/// Something that could not be looked into, though what it is packed in was searched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// The layer.
    pub layer: usize,
    /// The path within the image in text form.
    pub path: String,
    /// Members of archives that lead to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trail: Vec<String>,
    /// Why.
    pub reason: String,
}

/// What a file says about packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The layer that added or changed the file.
    pub layer: usize,
    /// The path within the image in text form, whole.
    pub path: String,
    /// What it says.
    pub reading: Reading,
}

/// A file that a layer took away, or made into something that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    /// The layer.
    pub layer: usize,
    /// The path within the image in text form, whole.
    pub path: String,
}

/// What stands out in a layer, for rules of images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remarkable {
    /// The layer.
    pub layer: usize,
    /// What it holds.
    pub contents: Contents,
}

/// How much was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// Each layer, as they were named.
    pub layers: Vec<LayerSum>,
    /// All leaks, those that are no record of their own too.
    pub leaks: u64,
    /// All that could not be looked into, likewise.
    pub unread: u64,
    /// Files that say something about packages and are no record: there were too many.
    pub unsaid: u64,
    /// What it took.
    pub spent: Spent,
}

impl Sum {
    fn add(&mut self, above: Self) {
        let Self { layers, leaks, unread, unsaid, spent } = above;
        self.layers.extend(layers);
        self.leaks += leaks;
        self.unread += unread;
        self.unsaid += unsaid;
        self.spent.milliseconds += spent.milliseconds;
        self.spent.kilobytes = self.spent.kilobytes.max(spent.kilobytes);
    }
}

/// What an inspection took; for those who measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// From the helper's start to its answer, milliseconds.
    pub milliseconds: u64,
    /// The most memory that it had at once, KiB; 0 where the kernel does not tell.
    pub kilobytes: u64,
}

/// What was looked at in one layer: what it added or changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerSum {
    /// Names, directories included.
    pub names: u64,
    /// Files whose bytes were read; one with several names counts once.
    pub files: u64,
    /// Their bytes, holes included.
    pub bytes: u64,
}

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Secrets that were found, by layer and path.
    pub leaks: Vec<Leak>,
    /// What could not be looked into, by layer and path.
    pub unread: Vec<Unread>,
    /// What each layer says about packages.
    pub packages: Vec<Layer>,
    /// What stands out in each layer.
    pub contents: Vec<Contents>,
    /// How much was looked at.
    pub sum: Sum,
    /// Directories that hold nothing to strip, where that was asked.
    pub plain: Vec<Plain>,
    /// What the inspection of layers above these wants to know of them.
    pub before: Before,
}

/// Why an answer cannot be used.
#[derive(Debug)]
pub enum InspectionError {
    /// It does not end as it should: it was cut off.
    Unfinished,
    /// What arrived is not what was sent.
    Damaged,
    /// A line is no record.
    Malformed(serde_json::Error),
    /// It is of another version.
    Version(u32),
    /// A record is about a layer that is not there, or a path that is none.
    Nowhere,
    /// It is about another number of layers.
    Layers {
        /// That were to be inspected.
        expected: usize,
        /// That it is about.
        found: usize,
    },
}

impl fmt::Display for InspectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfinished => f.write_str("the inspection's answer was cut off"),
            Self::Damaged => f.write_str("the inspection's answer was damaged on its way"),
            Self::Malformed(cause) => write!(f, "the inspection's answer is malformed: {cause}"),
            Self::Version(found) => {
                write!(f, "the inspection's answer has version {found}, expected {VERSION}")
            }
            Self::Nowhere => f.write_str("the inspection's answer names a place that is none"),
            Self::Layers { expected, found } => {
                write!(f, "the inspection answers for {found} layers instead of {expected}")
            }
        }
    }
}

impl std::error::Error for InspectionError {}

impl Inspection {
    /// Reads an answer about so many layers; anything but a whole one is an error.
    pub fn parse(answer: &[u8], layers: usize) -> Result<Self, InspectionError> {
        let (told, version, digest) = end(answer).ok_or(InspectionError::Unfinished)?;
        if version != VERSION {
            return Err(InspectionError::Version(version));
        }
        if digest != hex(&Sha256::digest(told)) {
            return Err(InspectionError::Damaged);
        }
        let (mut inspection, mut sum) = (Self::default(), None);
        inspection.packages.resize_with(layers, Layer::default);
        inspection.contents.resize_with(layers, Contents::default);
        for line in told.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line).map_err(InspectionError::Malformed)? {
                Record::Leak(leak) => inspection.leaks.push(leak),
                Record::Unread(unread) => inspection.unread.push(unread),
                Record::Said(said) => {
                    let Said { layer, path: text, reading } = *said;
                    let (layer, path) = inspection.at(layer, &text)?;
                    layer.read(&path, reading);
                    inspection.before.packages.insert(text);
                }
                Record::Removed(Removed { layer, path }) => {
                    let (layer, path) = inspection.at(layer, &path)?;
                    layer.remove(&path);
                }
                Record::Remarkable(found) => {
                    let Remarkable { layer, contents } = *found;
                    let place = inspection.contents.get_mut(layer);
                    *place.ok_or(InspectionError::Nowhere)? = contents;
                }
                Record::Plain { directories } => inspection.plain = directories,
                Record::Sum(found) => sum = Some(found),
                Record::End { .. } => return Err(InspectionError::Damaged),
            }
        }
        inspection.sum = sum.ok_or(InspectionError::Unfinished)?;
        let found = inspection.sum.layers.len();
        if found != layers {
            return Err(InspectionError::Layers { expected: layers, found });
        }
        // Threads speak in any order.
        inspection.leaks.sort();
        inspection.unread.sort();
        inspection.contents.iter().for_each(|contents| inspection.before.add(contents));
        Ok(inspection)
    }

    /// Puts what was found in the layers above on top.
    pub fn join(&mut self, above: Self) {
        let Self { mut leaks, mut unread, packages, contents, sum, plain, before } = above;
        let below = self.sum.layers.len();
        leaks.iter_mut().for_each(|leak| leak.layer += below);
        unread.iter_mut().for_each(|unread| unread.layer += below);
        self.leaks.extend(leaks);
        self.unread.extend(unread);
        self.packages.extend(packages);
        self.contents.extend(contents);
        self.sum.add(sum);
        self.plain.extend(plain);
        self.before.packages.extend(before.packages);
        self.before.contents.extend(before.contents);
    }

    /// Whether nothing follows this part of an answer any more.
    pub fn is_all(answer: &[u8]) -> bool {
        end(answer).is_some()
    }

    fn at(&mut self, layer: usize, path: &str) -> Result<(&mut Layer, Vec<u8>), InspectionError> {
        let place = self.packages.get_mut(layer).zip(super::decode_path(path));
        place.ok_or(InspectionError::Nowhere)
    }
}

/// What stands before the last line of an answer, and what that line says; `None` while it is not
/// there.
fn end(answer: &[u8]) -> Option<(&[u8], u32, String)> {
    let lines = answer.strip_suffix(b"\n")?;
    let before = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let (told, last) = lines.split_at(before);
    match serde_json::from_slice(last) {
        Ok(Record::End { version, digest }) => Some((told, version, digest)),
        _ => None,
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leak(layer: usize, path: &str) -> Leak {
        Leak {
            layer,
            path: path.into(),
            place: Place::Content,
            needle: 0,
            line: None,
            transform: "base64".into(),
            trail: Vec::new(),
        }
    }

    fn answer(records: &[Record]) -> Vec<u8> {
        let mut text = Vec::new();
        for record in records {
            serde_json::to_writer(&mut text, record).unwrap();
            text.push(b'\n');
        }
        let end = Record::End { version: VERSION, digest: hex(&Sha256::digest(&text)) };
        serde_json::to_writer(&mut text, &end).unwrap();
        text.push(b'\n');
        text
    }

    fn whole() -> Vec<u8> {
        let sum = Sum { layers: vec![LayerSum::default(); 2], ..Sum::default() };
        let unread = Unread {
            layer: 1,
            path: "/x.zip".into(),
            trail: vec!["y".into()],
            reason: "encrypted".into(),
        };
        answer(&[
            Record::Leak(leak(1, "/b")),
            Record::Leak(leak(0, "/a")),
            Record::Unread(unread),
            Record::Sum(sum),
        ])
    }

    #[test]
    fn records_come_back_in_order() {
        let inspection = Inspection::parse(&whole(), 2).unwrap();
        assert_eq!(inspection.leaks, [leak(0, "/a"), leak(1, "/b")]);
        assert_eq!(inspection.unread.len(), 1);
    }

    #[test]
    fn an_answer_cut_anywhere_is_refused() {
        let whole = whole();
        for end in 0..whole.len() {
            assert!(Inspection::parse(&whole[..end], 2).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn an_answer_with_any_byte_changed_or_lost_is_refused() {
        let whole = whole();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(Inspection::parse(&changed, 2).is_err(), "changed at {at}");
            changed.remove(at);
            assert!(Inspection::parse(&changed, 2).is_err(), "lost at {at}");
        }
    }

    #[test]
    fn an_answer_about_other_layers_is_refused() {
        let error = Inspection::parse(&whole(), 3).unwrap_err();
        assert!(matches!(error, InspectionError::Layers { expected: 3, found: 2 }));
        assert!(matches!(
            Inspection::parse(&answer(&[]), 0).unwrap_err(),
            InspectionError::Unfinished
        ));
    }
}
