//! JSON as Go's `encoding/json` writes it.

use std::io;
use std::time::{Duration, SystemTime};

use bollard_buildkit_proto::google::protobuf::Timestamp;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// The last second that has a four-digit year.
const LAST_SECOND: u64 = 253_402_300_799;

/// The value and a newline, which Go's encoder puts behind every value.
pub(crate) fn line(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, Html));
    // Only maps with keys that are no strings fail, and there are none.
    if written.is_err() {
        return Vec::new();
    }
    out.push(b'\n');
    out
}

/// `RFC3339Nano` in UTC: as many decimals as there are, none for whole seconds.
///
/// No time is the beginning of the epoch, as Go's protobuf has it.
pub(crate) fn time(timestamp: Option<&Timestamp>) -> String {
    let timestamp = timestamp.copied().unwrap_or_default();
    let seconds = u64::try_from(timestamp.seconds).unwrap_or_default().min(LAST_SECOND);
    let nanos = u32::try_from(timestamp.nanos).unwrap_or_default().min(999_999_999);
    let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
    let text = humantime::format_rfc3339_nanos(time).to_string();
    let digits = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    format!("{digits}Z")
}

/// Escapes what could mean something to HTML or JavaScript, as Go does.
struct Html;

impl Formatter for Html {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let special = |character| matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        for part in fragment.split_inclusive(special) {
            // A part ends at its only special character.
            let last = part.chars().next_back().filter(|&character| special(character));
            let rest = last.and_then(|last| part.strip_suffix(last)).unwrap_or(part);
            writer.write_all(rest.as_bytes())?;
            if let Some(last) = last {
                write!(writer, "\\u{:04x}", u32::from(last))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_decimals_they_need() {
        let at = |seconds, nanos| time(Some(&Timestamp { seconds, nanos }));
        assert_eq!(at(1_700_000_000, 0), "2023-11-14T22:13:20Z");
        assert_eq!(at(1_700_000_000, 120_000_000), "2023-11-14T22:13:20.12Z");
        assert_eq!(at(1_700_000_000, 1), "2023-11-14T22:13:20.000000001Z");
        assert_eq!(at(1_700_000_010, 0), "2023-11-14T22:13:30Z");
        assert_eq!(time(None), "1970-01-01T00:00:00Z");
        assert_eq!(at(i64::MAX, i32::MAX), "9999-12-31T23:59:59.999999999Z");
        assert_eq!(at(i64::MIN, i32::MIN), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn what_html_could_read_is_escaped() {
        let text = String::from_utf8(line(&"a<b>&&\u{2028}\"\n\u{1}é")).unwrap();
        assert_eq!(text, "\"a\\u003cb\\u003e\\u0026\\u0026\\u2028\\\"\\n\\u0001é\"\n");
    }
}
