//! What is written somewhere is found, however it was written and wherever chunks end.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::hit::Hit;
use crate::needles::{Part, SHORTEST};
use crate::transform::Transform;

/// What a search with these borders finds.
fn search(needles: &Needles, block: usize, chunks: &[&[u8]]) -> Found {
    let mut searcher = Searcher::in_blocks(needles, block);
    for chunk in chunks {
        searcher.feed(chunk);
    }
    searcher.finish()
}

/// As RFC 4648 says it, with padding.
fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> Vec<u8> {
    let mut out = Vec::new();
    for three in bytes.chunks(3) {
        let mut bits = 0_u32;
        for index in 0..3 {
            bits = bits << 8 | u32::from(three.get(index).copied().unwrap_or_default());
        }
        for letter in 0..4 {
            let six = (bits >> (18 - 6 * letter)) as usize & 63;
            out.push(if letter <= three.len() { alphabet[six] } else { b'=' });
        }
    }
    out
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn wrap(text: &[u8], width: usize, end: &[u8]) -> Vec<u8> {
    text.chunks(width).collect::<Vec<_>>().join(end)
}

#[test]
fn every_form_is_found_across_every_border() {
    let values: [&[u8]; 5] = [
        b"ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        b"p\"a's$s w\\o&r<d>/+!~*()",
        "pässwörd-\u{1f600}-日本語".as_bytes(),
        b"\x00\x01\xfe\xff\x80\x90\x00\x00\x7f\x1b\x00\x41",
        b"12345679",
    ];
    for value in values {
        let needles = Needles::new([("it", value)]);
        for transform in Transform::ALL {
            let mut forms = transform.forms(value);
            forms.sort_by(|one, two| one.as_slice().cmp(two));
            forms.dedup();
            for form in forms.iter().filter(|form| form.len() >= SHORTEST) {
                let text = [&b"before="[..], form, b"<after"].concat();
                let wanted = search(&needles, BLOCK, &[&text]);
                let at = |hit: &Hit| hit.offset == 7 && hit.length == form.len();
                assert!(wanted.hits.iter().any(at), "{transform:?} of {value:?}: {wanted:?}");
                for border in 0..=text.len() {
                    let (one, two) = text.split_at(border);
                    let found = search(&needles, border.max(1), &[one, two]);
                    assert_eq!(found, wanted, "{transform:?} of {value:?} at {border}");
                }
                let bytes: Vec<&[u8]> = text.chunks(1).collect();
                assert_eq!(search(&needles, 1, &bytes), wanted);
            }
        }
    }
}

#[test]
fn hits_name_needle_part_transform_and_place() {
    let needles = Needles::new([("one", "hunter2hunter3"), ("two", "xx hunter2hunter3 yy")]);
    let found = search(&needles, BLOCK, &[b"....xx hunter2hunter3 yy"]);
    let told: Vec<_> = found
        .hits
        .iter()
        .map(|hit| (needles.id(hit.needle), hit.part, hit.transform.name(), hit.offset, hit.length))
        .collect();
    assert!(told.contains(&("one", Part::Whole, "raw", 7, 14)), "{told:?}");
    assert!(told.contains(&("two", Part::Whole, "raw", 4, 20)), "{told:?}");
    assert_eq!(found.total, 2);
    assert_eq!(found.bytes, 24);
}

#[test]
fn equal_values_are_told_for_each_id() {
    let needles = Needles::new([("one", "hunter2hunter3"), ("two", " hunter2hunter3\n")]);
    let found = search(&needles, BLOCK, &[b"hunter2hunter3"]);
    let ids: BTreeSet<_> = found.hits.iter().map(|hit| needles.id(hit.needle)).collect();
    assert_eq!(ids, BTreeSet::from(["one", "two"]));
}

#[test]
fn few_hits_are_kept_and_all_are_counted() {
    let needles = Needles::new([("one", "hunter2hunter3"), ("two", "another-one")]);
    let text = [b"hunter2hunter3 ".repeat(100_000), b"another-one".to_vec()].concat();
    let found = search(&needles, BLOCK, &[&text]);
    assert_eq!(found.total, 100_001);
    assert!(found.hits.len() < 20);
    assert!(found.hits.iter().any(|hit| hit.needle == 1));
}

#[test]
fn a_searcher_takes_one_stream_after_the_other() {
    let needles = Needles::new([("one", "hunter2hunter3")]);
    let mut searcher = Searcher::new(&needles);
    searcher.feed(b"hunter2");
    assert_eq!(searcher.finish().total, 0);
    searcher.feed(b"hunter3");
    assert_eq!(searcher.finish().total, 0);
    searcher.feed(b"hunter2hunter3");
    assert_eq!(searcher.finish().hits[0].offset, 0);
}

#[test]
fn nothing_to_search_for_is_no_mistake() {
    let needles = Needles::new([("short", "1234567")]);
    assert!(needles.is_empty());
    let found = search(&needles, BLOCK, &[b"1234567"]);
    assert_eq!((found.total, found.bytes), (0, 7));
    let none: [(&str, &[u8]); 0] = [];
    assert_eq!(search(&Needles::new(none), BLOCK, &[b"1"]).total, 0);
}

#[test]
fn a_reader_is_searched_without_a_copy() {
    let needles = Needles::new([("one", "hunter2hunter3")]);
    let mut text = vec![b'.'; 300_000];
    text.extend(b"hunter2hunter3");
    let mut reader = &text[..];
    let mut searcher = Searcher::new(&needles);
    while searcher.feed_from(&mut reader).unwrap() > 0 {}
    let found = searcher.finish();
    assert_eq!(found.hits[0].offset, 300_000);
    assert_eq!(found.bytes, text.len() as u64);
}

#[test]
fn wrapped_letters_are_found_with_indents_and_as_escapes() {
    let value = b"correct horse battery staple, or 24 bytes";
    let needles = Needles::new([("it", value)]);
    for before in 0..90 {
        let text = [&vec![b'#'; before][..], value, b"...."].concat();
        let hex: Vec<u8> =
            text.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
        for (letters, name) in [
            (base64(&text, STANDARD), "base64"),
            (base64(&text, URL), "base64"),
            (hex.clone(), "hex"),
            (hex.to_ascii_uppercase(), "hex-upper"),
        ] {
            for width in [60, 64, 70, 76] {
                for end in [&b"\n"[..], b"\r\n", b"\n    ", b"\n\t", br"\n", br"\r\n"] {
                    let wrapped = wrap(&letters, width, end);
                    let found = search(&needles, BLOCK, &[&wrapped]);
                    assert_eq!(found.total, 1, "{name} {before} {width} {end:?}");
                    assert_eq!(found.hits[0].transform.name(), name);
                    assert_eq!(search(&needles, 7, &[&wrapped]), found);
                }
            }
        }
    }
}

#[test]
fn lines_of_letters_that_never_end_the_pattern_are_no_hit() {
    let value = b"correct horse battery staple, or 24 bytes";
    let needles = Needles::new([("it", value)]);
    let letters = base64(value, STANDARD);
    // A break behind every letter is nothing that an encoder writes.
    assert_eq!(search(&needles, BLOCK, &[&wrap(&letters, 1, b"\n")]).total, 0);
    let (_, cut) = letters.split_last().unwrap();
    assert_eq!(search(&needles, BLOCK, &[&cut[..cut.len() - 4]]).total, 0);
}

/// Bytes around which nothing costs more than so many looks for each.
fn assert_linear(needles: &Needles, text: &[u8], unit: &[u8]) {
    let mut searcher = Searcher::new(needles);
    searcher.feed(text);
    searcher.finish();
    let work = searcher.work();
    let bytes = text.len() as u64;
    assert!(work.places <= bytes, "{work:?} of {bytes}: {}", unit.escape_ascii());
    assert!(work.windows <= 2 * bytes, "{work:?} of {bytes}: {}", unit.escape_ascii());
    assert!(work.patterns <= 2 * bytes, "{work:?} of {bytes}: {}", unit.escape_ascii());
}

#[test]
fn hostile_texts_cost_no_more_than_their_length() {
    let zeros = [vec![0; 5000], b"\x01\x02\x03".to_vec(), vec![0; 5000]].concat();
    let spaces = [vec![b' '; 30], b"a b c d".to_vec()].concat();
    let letters = format!("{}bc{}", "A".repeat(2000), "A".repeat(2000));
    let periodic = "abcabcab".repeat(30);
    let values: Vec<(String, Vec<u8>)> = [zeros, spaces, letters.into(), periodic.into()]
        .into_iter()
        .enumerate()
        .map(|(index, value)| (format!("{index}"), value))
        .collect();
    let needles = Needles::new(values);
    let size = 1 << 18;
    for unit in
        [&b"\0"[..], b"A", b" ", b"abc", b"41", b"QUFB", b"A\0", b"\0A", b"AAAAAAAb", b"QUJD"]
    {
        let text: Vec<u8> = unit.iter().copied().cycle().take(size).collect();
        assert_linear(&needles, &text, unit);
    }
    // Windows of many secrets with one beginning, over and over.
    let heads: Vec<(String, String)> = (0..50)
        .map(|n| (format!("{n}"), format!("eyJhbGciOiJIUzI1NiJ9.{n:04}aXq{:08x}", n * 7919)))
        .collect();
    let needles = Needles::new(heads.clone());
    for (_, head) in heads {
        for length in [8, 12, 16, 20, 30] {
            let unit = &head.as_bytes()[..length];
            let text: Vec<u8> = unit.iter().copied().cycle().take(size / 8).collect();
            assert_linear(&needles, &text, unit);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Every occurrence of every pattern, each once: what looking everywhere finds.
    #[test]
    fn as_looking_everywhere(
        values in prop::collection::vec(prop::collection::vec(0_u8..4, 8..24), 1..5),
        text in prop::collection::vec(0_u8..4, 0..600),
        pieces in prop::collection::vec((0..600_usize, 0..5_usize), 0..4),
        block in 1..80_usize,
    ) {
        // Letters of which the transforms make different things.
        let letter = |byte: &u8| b"aZ/\xe9"[usize::from(*byte)];
        let values: Vec<Vec<u8>> =
            values.iter().map(|value| value.iter().map(letter).collect()).collect();
        let mut text: Vec<u8> = text.iter().map(letter).collect();
        for (at, which) in pieces {
            let at = at.min(text.len());
            let value = &values[which % values.len()];
            text.splice(at..at, value.iter().copied());
        }
        let needles = Needles::new(values.iter().enumerate().map(|(id, v)| (id.to_string(), v)));
        let index = needles.index();
        let mut wanted = BTreeSet::new();
        for (pattern, bytes) in index.bytes().enumerate() {
            for (start, window) in text.windows(bytes.len()).enumerate() {
                if window == bytes {
                    wanted.insert((pattern, start, start + bytes.len()));
                }
            }
        }
        let mut found = Vec::new();
        index.scan(&text, &mut Work::default(), &mut |m| found.push((m.pattern, m.start, m.end)));
        let count = found.len();
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), wanted.clone());
        prop_assert_eq!(count, wanted.len());
        let whole = search(&needles, BLOCK, &[&text]);
        prop_assert_eq!(needles.search(&text).total, whole.total);
        let cut = search(&needles, block, &[&text]);
        prop_assert_eq!(whole.total, cut.total);
        prop_assert_eq!(whole.hits.len(), cut.hits.len());
    }

    /// Any value in base64 of anything around it.
    #[test]
    fn base64_of_the_value_within_others(
        value in prop::collection::vec(any::<u8>(), 13..400),
        before in prop::collection::vec(any::<u8>(), 0..200),
        after in prop::collection::vec(any::<u8>(), 0..200),
        url in any::<bool>(),
        width in 57..77_usize,
        block in 1..200_usize,
    ) {
        // Long runs of one byte leave too little to know a line by.
        prop_assume!(value.windows(5).all(|five| five.iter().collect::<BTreeSet<_>>().len() > 2));
        let needles = Needles::new([("it", &value)]);
        let text = [&before[..], &value, &after].concat();
        let letters = base64(&text, if url { URL } else { STANDARD });
        if needles.gaps().is_empty() {
            prop_assert!(search(&needles, block, &[&letters]).total > 0);
            prop_assert!(search(&needles, block, &[&wrap(&letters, width, b"\n")]).total > 0);
        }
    }
}
