#![no_main]
//! Any bytes are read without a panic, their pieces cover them, and what can be pinned is pinned.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_frontend::dockerfile::{Dockerfile, Platform, Scope, image_inputs};
use cofferdam_frontend::pins::{Digest, pin};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &[u8]| {
    let file = Dockerfile::parse(source);
    let end = file.items.iter().fold(0, |at, item| {
        assert_eq!(item.span.start, at);
        item.span.end
    });
    assert_eq!(end, source.len());

    let scope = Scope {
        build_platform: Platform::parse("linux/amd64"),
        ..Scope::default()
    };
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
