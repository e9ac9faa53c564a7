//! What the helper writes and the command line reads: here the report of `strip`, version 1.

use std::fmt;

pub use cofferdam_contents::encode_path;
use serde::{Deserialize, Serialize};

pub mod before;
pub mod inspection;
pub mod plain;

/// The version this module reads and writes.
pub const VERSION: u32 = 1;

/// What `strip` did to an image.
///
/// Lists are sorted by the bytes of the path. `complete` is the last field, so
/// a report that was cut off cannot be mistaken for a whole one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripReport {
    /// The version of this format.
    pub version: u32,
    /// What was looked at.
    pub scanned: Scanned,
    /// Files that lost something, with what they lost.
    pub stripped: Vec<FileEntry>,
    /// Files that were left with something, with what they still have.
    pub kept: Vec<FileEntry>,
    /// Paths to keep that named no file with bits or capabilities, in text form.
    pub unused_keeps: Vec<String>,
    /// How many directories carry the set-gid bit; they are never changed.
    pub setgid_dirs: u64,
    /// Whether everything was examined, changed and verified.
    pub complete: bool,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanned {
    /// Names of regular files; a file with three hard links counts three times.
    pub files: u64,
    /// Directories, the root included.
    pub dirs: u64,
}

/// One name of one file, and what it lost (in `stripped`) or still has (in `kept`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// The path within the image in text form, see [`encode_path`].
    pub path: String,
    /// Permission bits before, four octal digits.
    pub mode_before: String,
    /// Permission bits after, four octal digits.
    pub mode_after: String,
    /// Whether it is about the set-uid bit.
    pub setuid: bool,
    /// Whether it is about the set-gid bit.
    pub setgid: bool,
    /// The capabilities it is about, as libcap writes them, or `hex:` and the attribute's bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<String>,
    /// How many names the file had before, as the file system counted them.
    pub links: u64,
}

/// Why a report cannot be used.
#[derive(Debug)]
pub enum ReportError {
    /// It is no JSON, was cut off, or has other fields.
    Malformed(serde_json::Error),
    /// It is of another version.
    Version(u32),
    /// The helper says it did not finish.
    Incomplete,
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(cause) => write!(f, "the strip report is malformed: {cause}"),
            Self::Version(found) => {
                write!(f, "the strip report has version {found}, expected {VERSION}")
            }
            Self::Incomplete => f.write_str("the strip report says it is incomplete"),
        }
    }
}

impl std::error::Error for ReportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(cause) => Some(cause),
            Self::Version(_) | Self::Incomplete => None,
        }
    }
}

impl StripReport {
    /// Reads a report; anything but a complete one of this version is an error.
    pub fn parse(json: &[u8]) -> Result<Self, ReportError> {
        /// The version alone, so that another version is named and not called malformed.
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_slice(json).map_err(ReportError::Malformed)?;
        if version != VERSION {
            return Err(ReportError::Version(version));
        }
        let report: Self = serde_json::from_slice(json).map_err(ReportError::Malformed)?;
        if report.complete { Ok(report) } else { Err(ReportError::Incomplete) }
    }
}

/// Turns [`encode_path`]'s text back into bytes; `None` when a `%` is not followed by two hex digits.
pub fn decode_path(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut path = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            path.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            path.push(byte);
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> StripReport {
        StripReport {
            version: VERSION,
            scanned: Scanned { files: 2, dirs: 1 },
            stripped: vec![FileEntry {
                path: "/usr/bin/su".into(),
                mode_before: "4755".into(),
                mode_after: "0755".into(),
                setuid: true,
                setgid: false,
                capabilities: None,
                links: 1,
            }],
            kept: vec![],
            unused_keeps: vec![],
            setgid_dirs: 0,
            complete: true,
        }
    }

    #[test]
    fn a_report_cut_anywhere_is_refused() {
        let json = serde_json::to_vec(&sample()).unwrap();
        assert_eq!(StripReport::parse(&json).unwrap(), sample());
        for end in 0..json.len() {
            assert!(StripReport::parse(&json[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn another_version_and_an_unfinished_report_are_refused() {
        let mut report = sample();
        report.complete = false;
        let json = serde_json::to_vec(&report).unwrap();
        assert!(matches!(StripReport::parse(&json), Err(ReportError::Incomplete)));
        let newer = br#"{"version":2,"anything":[]}"#;
        assert!(matches!(StripReport::parse(newer), Err(ReportError::Version(2))));
    }

    #[test]
    fn hostile_names_become_one_harmless_line() {
        assert_eq!(encode_path(b"/a\nb"), "/a%0Ab");
        assert_eq!(encode_path(b"/\x1b[31m\xff"), "/%1B[31m%FF");
        assert_eq!(encode_path(b"/100%"), "/100%25");
        assert_eq!(encode_path("/grüße".as_bytes()), "/grüße");
        assert_eq!(encode_path("/\u{85}".as_bytes()), "/%C2%85");
        assert_eq!(decode_path("/%4"), None);
        assert_eq!(decode_path("/%zz"), None);
    }

    proptest! {
        #[test]
        fn paths_survive_the_round_trip(path in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(decode_path(&encode_path(&path)), Some(path));
        }
    }
}
