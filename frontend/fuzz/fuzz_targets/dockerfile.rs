#![no_main]
//! Any bytes are read without a panic, their pieces cover them, every span lies in the file, and
//! what can be pinned is pinned.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_frontend::dockerfile::{
    Dockerfile, Platform, Scope, Span, global_args, image_inputs, stage_env,
};
use cofferdam_frontend::pins::{Digest, pin};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &[u8]| {
    let file = Dockerfile::parse(source);
    let end = file.items.iter().fold(0, |at, item| {
        assert_eq!(item.span.start, at);
        item.span.end
    });
    assert_eq!(end, source.len());

    let inside = |span: Span| assert!(span.start <= span.end && span.end <= source.len());
    for node in &file.instructions {
        inside(node.span);
        inside(node.keyword_word.span);
        node.words().iter().for_each(|word| inside(word.span));
        node.flags.iter().for_each(|flag| inside(flag.span));
        node.heredocs.iter().for_each(|heredoc| inside(heredoc.body));
    }
    file.errors.iter().for_each(|error| inside(error.span));

    let scope = Scope {
        build_platform: Platform::parse("linux/amd64"),
        ..Scope::default()
    };
    let globals = global_args(&file, &scope);
    for stage in file.stages().iter().take(10) {
        stage_env(&file, &scope, &globals, stage, usize::MAX);
    }

    let found = image_inputs(&file, &scope);
    if !found.errors.is_empty() {
        return;
    }
    let Ok(digest) = format!("sha256:{}", "d".repeat(64)).parse::<Digest>() else {
        return;
    };
    let digests: BTreeMap<_, _> = found
        .inputs
        .iter()
        .filter_map(|input| Some((input.parsed().ok()?.canonical(), digest.clone())))
        .collect();
    assert!(pin(source, &scope, &digests, &BTreeSet::new()).is_ok());
});
