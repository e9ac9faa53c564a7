//! What holds for any input.
#![expect(clippy::unwrap_used, reason = "functions shared by tests")]

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_frontend::dockerfile::{
    Dockerfile, ImageInput, ItemKind, Lex, Platform, Scope, Span, Word, image_inputs,
};
use cofferdam_frontend::pins::{Digest, Lock, Reference, pin};
use proptest::prelude::*;

fn scope() -> Scope {
    Scope {
        build_platform: Platform::parse("linux/amd64"),
        build_args: [("X".to_owned(), "given:1".to_owned())].into(),
        ..Scope::default()
    }
}

/// Lines that are likely to interact.
fn line() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "FROM debian:12",
        "FROM debian AS build",
        "FROM --platform=$BUILDPLATFORM \"busybox\"",
        "FROM build AS other",
        "FROM $X",
        "FROM ${X%:*}:2 \\",
        "ARG X=alpine:3",
        "ARG Y",
        "COPY --from=build a b",
        "COPY --from=al\\",
        "pine:3 a b",
        "COPY --from=\"nginx:1\" a \\",
        "RUN --mount='type=bind,\"from=gcc:13\",target=/x' make",
        "RUN --mount=type=bind,from=go\\",
        "lang,target=/x make",
        "ONBUILD COPY --from=perl a b",
        "RUN <<EOF cat <<-'B'",
        "EOF",
        "\tB",
        "# comment",
        "",
        "   ",
        "# syntax=docker/dockerfile:1 x",
        "# escape=`",
        "ENV A=b C=\"d e\"",
        "\u{feff}",
        "CMD [\"a\", \"b\"]",
        "FROM",
        "what is this",
    ])
    .prop_map(str::to_owned)
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let ending = prop::sample::select(vec!["\n", "\r\n"]);
    (prop::collection::vec(line(), 0..12), ending, any::<bool>()).prop_map(
        |(lines, ending, last)| {
            let mut text = lines.join(ending);
            if last {
                text.push_str(ending);
            }
            text.into_bytes()
        },
    )
}

/// Raw bytes, weighted towards what has a meaning.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let meaningful =
        prop::sample::select(b"\\`\"'$${}<<-=,#[]:/@ \t\r\n\nFROMRUNCOPY\x00\xff\xa0".to_vec());
    prop::collection::vec(prop_oneof![4 => meaningful, 1 => any::<u8>()], 0..200)
}

fn any_file() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => file(),
        1 => bytes(),
        2 => (file(), bytes(), any::<prop::sample::Index>()).prop_map(|(mut file, noise, at)| {
            let at = at.index(file.len() + 1);
            file.splice(at..at, noise.into_iter().take(5));
            file
        }),
    ]
}

fn check_word(word: &Word, len: usize) {
    assert!(word.span.start <= word.span.end && word.span.end <= len);
    let mut end = word.span.start;
    for part in &word.parts {
        assert!(part.start >= end && part.end <= word.span.end && !part.is_empty());
        end = part.end;
    }
}

fn digests(inputs: &[ImageInput]) -> BTreeMap<String, Digest> {
    let digest: Digest = format!("sha256:{}", "d".repeat(64)).parse().unwrap();
    inputs.iter().map(|input| (input.parsed().unwrap().canonical(), digest.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_pieces_print_the_file_back(source in any_file()) {
        let file = Dockerfile::parse(&source);
        let mut at = 0;
        for item in &file.items {
            prop_assert_eq!(item.span.start, at);
            at = item.span.end;
        }
        prop_assert_eq!(at, source.len());
        prop_assert_eq!(file.source(), &source[..]);
    }

    #[test]
    fn every_span_lies_in_the_file(source in any_file()) {
        let file = Dockerfile::parse(&source);
        let len = source.len();
        let inside = |span: Span| span.start <= span.end && span.end <= len;
        for item in &file.items {
            if let ItemKind::Instruction(index) = item.kind {
                let node = &file.instructions[index];
                prop_assert!(item.span.start <= node.span.start && node.span.end <= item.span.end);
            }
        }
        for node in &file.instructions {
            prop_assert!(inside(node.span));
            prop_assert_eq!(node.line, file.line_col(node.span.start).line);
            check_word(&node.keyword_word, len);
            for word in node.words() {
                check_word(word, len);
            }
            for pair in node.pairs() {
                check_word(&pair.name, len);
                pair.value.iter().for_each(|word| check_word(word, len));
            }
            for flag in &node.flags {
                prop_assert!(inside(flag.span));
                flag.value.iter().for_each(|word| check_word(word, len));
            }
            for heredoc in &node.heredocs {
                prop_assert!(inside(heredoc.body) && inside(heredoc.terminator));
            }
        }
        for error in &file.errors {
            prop_assert!(inside(error.span));
            prop_assert!(error.line >= 1 && error.line <= file.lines().line_count());
        }
        let found = image_inputs(&file, &scope());
        for input in &found.inputs {
            prop_assert!(inside(input.span));
            prop_assert!(Reference::parse_normalized(&input.reference).is_ok());
        }
    }

    #[test]
    fn a_pinned_file_has_every_digest_and_pinning_it_again_changes_nothing(source in any_file()) {
        let inputs = image_inputs(&Dockerfile::parse(&source), &scope());
        prop_assume!(inputs.errors.is_empty());
        let digests = digests(&inputs.inputs);
        let pinned = pin(&source, &scope(), &digests, &BTreeSet::new()).unwrap();
        let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        prop_assert_eq!(lines(&source), lines(&pinned.bytes));
        let after = image_inputs(&Dockerfile::parse(&pinned.bytes), &scope());
        prop_assert_eq!(after.inputs.len(), inputs.inputs.len());
        for input in &after.inputs {
            prop_assert!(input.parsed().unwrap().digest.is_some());
        }
        let again = pin(&pinned.bytes, &scope(), &BTreeMap::new(), &BTreeSet::new()).unwrap();
        prop_assert_eq!(again.bytes, pinned.bytes);
        prop_assert!(again.replacements.is_empty());
    }

    #[test]
    fn expansion_never_panics(
        word in "[$]?[{}a-z:/#%*?+\\\\`'\"< =\u{e9}\u{2003}-]{0,60}",
        value in "[a-z/*\\\\ ]{0,20}",
        flags in any::<[bool; 5]>(),
    ) {
        let [backtick, raw_quotes, raw_escapes, plain_quotes, keep_unset] = flags;
        let escape = if backtick { '`' } else { '\\' };
        let lex = Lex { escape, raw_quotes, raw_escapes, plain_quotes, keep_unset };
        let env: BTreeMap<String, String> = [("a".to_owned(), value)].into();
        if let Ok(done) = lex.expand(&word, &env) {
            prop_assert!(!done.matched.iter().any(|name| done.undefined.contains(name)));
        }
    }

    #[test]
    fn references_survive_printing(text in "[a-zA-Z0-9./:@_-]{0,40}") {
        if let Ok(reference) = Reference::parse_normalized(&text) {
            let printed = Reference::parse_normalized(&reference.to_string());
            prop_assert_eq!(printed, Ok(reference.clone()));
            prop_assert_eq!(Reference::parse_normalized(&reference.familiar()), Ok(reference));
        }
    }

    #[test]
    fn lock_files_never_panic(text in "(version = [0-9]\n)?(\\[\\[image\\]\\]\n)?[a-z\"=\\[\\] \n#<>0-9:.-]{0,80}") {
        if let Ok(lock) = Lock::parse(text.as_bytes()) {
            prop_assert_eq!(Lock::parse(lock.render().as_bytes()), Ok(lock));
        }
    }
}
