//! The raw stream against what buildx printed.

use std::borrow::Cow;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::report::filter::{Filter, Unfiltered};
use crate::report::progress::rawjson::{RawJson, notice};
use crate::report::progress::testing::message::{Message, vertex};
use crate::report::progress::testing::recording::status;

fn line(json: &mut RawJson<impl Filter>, message: &Message) -> String {
    String::from_utf8(json.encode(&message.0)).unwrap()
}

/// The recording is one of buildx, without the definitions in warnings; every line is read and
/// written again.
#[test]
fn the_stream_is_that_of_buildx() {
    let file = "src/report/progress/testdata/buildx-0.13.jsonl";
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let mut json = RawJson::new(Unfiltered);
    for recorded in text.lines() {
        let message = status(&serde_json::from_str(recorded).unwrap());
        assert_eq!(String::from_utf8(json.encode(&message)).unwrap(), format!("{recorded}\n"));
    }
    for part in ["\"logs\"", "\"warnings\"", "\"inputs\"", "\"cached\"", "\\u003ca\\u003e"] {
        assert!(text.contains(part), "the recording has no {part}");
    }
}

#[test]
fn every_field_is_written_as_go_writes_it() {
    let mut json = RawJson::new(Unfiltered);
    assert_eq!(line(&mut json, &Message::new()), "{}\n");
    assert_eq!(
        line(&mut json, &vertex("a<b", Some(0), Some(1500)).group("g", true).error("no")),
        "{\"vertexes\":[{\"digest\":\"sha256:a\\u003cb\",\"name\":\"a\\u003cb\",\
         \"started\":\"2023-11-14T22:13:20Z\",\"completed\":\"2023-11-14T22:13:21.5Z\",\
         \"error\":\"no\",\"progressGroup\":{\"id\":\"g\",\"name\":\"group g\",\"weak\":true}}]}\n"
    );
    assert_eq!(
        line(&mut json, &Message::new().log("a", 0, "")),
        "{\"logs\":[{\"vertex\":\"sha256:a\",\"stream\":1,\"data\":null,\
         \"timestamp\":\"2023-11-14T22:13:20Z\"}]}\n"
    );
    assert_eq!(
        String::from_utf8(notice("hi")).unwrap(),
        "{\"warnings\":[{\"level\":1,\"short\":\"aGk=\"}]}\n"
    );
}

struct Mask;

impl Filter for Mask {
    fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        String::from_utf8_lossy(line).replace("hunter2", "***").into_bytes().into()
    }

    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        text.replace("hunter2", "***").into()
    }

    fn whole_lines(&self) -> bool {
        true
    }
}

#[test]
fn nothing_passes_the_filter_in_two_pieces() {
    let mut json = RawJson::new(Mask);
    let mut all = line(
        &mut json,
        &vertex("RUN", Some(0), None).last(|v| v.name = "hunter2".into()).log("RUN", 1, "a\nhun"),
    );
    all += &line(&mut json, &Message::new().log("RUN", 2, "ter2\nhunt"));
    assert_eq!(line(&mut json, &Message::new().log("RUN", 3, "er2")), "");
    all += &line(
        &mut json,
        &vertex("RUN", Some(0), Some(9)).error("hunter2").warning("RUN", "hunter2"),
    );
    let mut log = Vec::new();
    for line in all.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        for entry in value["logs"].as_array().map(Vec::as_slice).unwrap_or_default() {
            log.extend(STANDARD.decode(entry["data"].as_str().unwrap()).unwrap());
        }
    }
    assert_eq!(String::from_utf8(log).unwrap(), "a\n***\n***");
    assert!(!all.contains("hunter2") && !all.contains(&STANDARD.encode("hunter2")), "{all}");
    assert_eq!(json.finish(), b"");
}
