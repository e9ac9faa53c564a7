//! No needle is shown, everything else is, and soon.

use proptest::prelude::*;

use super::*;
use crate::transform::Transform;

fn redact(needles: &Needles, chunks: &[&[u8]]) -> (String, Found) {
    let mut out = Vec::new();
    let mut redactor = Redactor::new(needles);
    for chunk in chunks {
        redactor.feed(chunk, &mut out);
    }
    let found = redactor.finish(&mut out);
    (String::from_utf8_lossy(&out).into_owned(), found)
}

#[test]
fn a_needle_becomes_a_mark_across_every_border() {
    let needles = Needles::new([("it", "hunter2hunter3"), ("longer", "hunter2hunter3-and-more")]);
    let text = b"a hunter2hunter3 b hunter2hunter3-and-more c hunter2hunter3-and-m";
    for one in 0..=text.len() {
        for two in one..=text.len() {
            let (shown, found) = redact(&needles, &[&text[..one], &text[one..two], &text[two..]]);
            assert_eq!(shown, "a *** b *** c ***-and-m", "{one} {two}");
            assert_eq!((found.total, found.bytes), (4, text.len() as u64));
        }
    }
}

#[test]
fn every_transform_is_redacted_byte_by_byte() {
    let value = b"p\"a's$s w\\o&r<d>/+!~*()";
    let needles = Needles::new([("it", value)]);
    for transform in Transform::ALL {
        for form in transform.forms(value) {
            let text = [&b"x="[..], &form, b"\n"].concat();
            let bytes: Vec<&[u8]> = text.chunks(1).collect();
            assert_eq!(redact(&needles, &bytes).0, "x=***\n", "{transform:?}");
        }
    }
}

#[test]
fn nothing_is_held_back_that_begins_no_needle() {
    let needles =
        Needles::new([("it", "hunter2hunter3"), ("key", "-----BEGIN X-----\nabcdefghij\n")]);
    let mut redactor = Redactor::new(&needles);
    for shown in ["#1 [internal] load\n", "progress 45%", "\r", "done.\n", "a\n\n"] {
        let mut out = Vec::new();
        redactor.feed(shown.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), shown);
    }
    let mut out = Vec::new();
    redactor.feed(b"a hunter", &mut out);
    assert_eq!(out, b"a ");
    redactor.feed(b"s hunt\n", &mut out);
    assert_eq!(out, b"a hunters hunt\n");
}

#[test]
fn a_line_of_letters_waits_for_the_next_one_only_if_it_may_go_on() {
    let value = "correct horse battery staple, or 24 bytes";
    let needles = Needles::new([("it", value)]);
    // base64 -w 32 of the value.
    let lines = ["Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0", "YXBsZSwgb3IgMjQgYnl0ZXM="];
    let mut redactor = Redactor::new(&needles);
    let mut out = Vec::new();
    redactor.feed(lines[0].as_bytes(), &mut out);
    redactor.feed(b"\n", &mut out);
    assert_eq!(out, b"");
    redactor.feed(lines[1].as_bytes(), &mut out);
    redactor.feed(b"\n", &mut out);
    assert_eq!(String::from_utf8_lossy(&out), "***M=\n");
    out.clear();
    // A line that ends in the first letters of the same form is shown at once.
    redactor.feed(b"something Y29y\n", &mut out);
    assert_eq!(out, b"something Y29y\n");
}

#[test]
fn what_was_flushed_is_found_and_not_gone_on_with() {
    let needles = Needles::new([("it", "hunter2hunter3")]);
    let mut redactor = Redactor::new(&needles);
    let mut out = Vec::new();
    redactor.feed(b"x hunter2", &mut out);
    redactor.flush(&mut out);
    redactor.feed(b"hunter3 y", &mut out);
    let found = redactor.finish(&mut out);
    assert_eq!(String::from_utf8_lossy(&out), "x hunter2*** y");
    assert_eq!((found.total, found.hits[0].offset), (1, 2));
}

#[test]
fn a_needle_that_goes_on_from_itself_is_not_kept_for_ever() {
    let needles = Needles::new([("it", "abcabcabcabc")]);
    let mut redactor = Redactor::new(&needles);
    let mut out = Vec::new();
    for _ in 0..20_000 {
        redactor.feed(b"abcabc", &mut out);
        assert!(redactor.buffer.len() < 4096);
    }
    redactor.feed(b".", &mut out);
    redactor.finish(&mut out);
    assert_eq!(String::from_utf8_lossy(&out), "***.");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is shown does not depend on where chunks end, and is what covering every occurrence
    /// in the whole text would leave.
    #[test]
    fn as_covering_everything_at_once(
        values in prop::collection::vec("[abc]{8,14}", 1..4),
        text in "[abc.]{0,200}",
        pieces in prop::collection::vec((0..200_usize, 0..4_usize), 0..4),
        chunk in 1..60_usize,
    ) {
        let mut text = text.into_bytes();
        for (at, which) in pieces {
            let at = at.min(text.len());
            text.splice(at..at, values[which % values.len()].bytes());
        }
        let needles = Needles::new(values.iter().enumerate().map(|(id, v)| (id.to_string(), v)));
        let mut covered = vec![false; text.len()];
        for pattern in needles.index().bytes() {
            for (at, window) in text.windows(pattern.len()).enumerate() {
                if window == pattern {
                    covered[at..at + pattern.len()].fill(true);
                }
            }
        }
        let mut wanted = String::new();
        for (at, byte) in text.iter().enumerate() {
            if !covered[at] {
                wanted.push(char::from(*byte));
            } else if at == 0 || !covered[at - 1] {
                wanted.push_str("***");
            }
        }
        let chunks: Vec<&[u8]> = text.chunks(chunk).collect();
        let (shown, found) = redact(&needles, &chunks);
        prop_assert_eq!(shown, wanted);
        let (_, whole) = redact(&needles, &[&text]);
        prop_assert_eq!(found.total, whole.total);
    }
}
