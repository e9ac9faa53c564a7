//! Tricky Dockerfiles and the images they name: `corpus/NAME.Dockerfile` and `corpus/NAME.expect`.
#![expect(clippy::unwrap_used, reason = "functions shared by tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use cofferdam_frontend::dockerfile::{Dockerfile, Platform, Scope, image_inputs};
use cofferdam_frontend::pins::{Digest, pin};

fn scope() -> Scope {
    Scope { build_platform: Platform::parse("linux/amd64"), ..Scope::default() }
}

/// One line per image, then one per line that has an error.
fn describe(source: &[u8]) -> String {
    let file = Dockerfile::parse(source);
    let found = image_inputs(&file, &scope());
    let mut out = String::new();
    for input in &found.inputs {
        let needed = if input.reachable { "" } else { " (not needed)" };
        writeln!(out, "{:?} {} {}{needed}", input.kind, input.line, input.reference).unwrap();
    }
    // A file for another frontend is not judged as a Dockerfile.
    if !source.starts_with(b"{") {
        let own = file.errors.iter().map(|error| error.line);
        let mut lines: Vec<usize> =
            own.chain(found.errors.iter().map(|error| error.line)).collect();
        lines.sort_unstable();
        for line in lines {
            writeln!(out, "error {line}").unwrap();
        }
    }
    out
}

#[test]
fn the_corpus_reads_as_expected_and_can_be_pinned() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "Dockerfile") {
            continue;
        }
        count += 1;
        let source = std::fs::read(&path).unwrap();
        let expected = std::fs::read_to_string(path.with_extension("expect")).unwrap();
        assert_eq!(describe(&source), expected, "{}", path.display());

        let found = image_inputs(&Dockerfile::parse(&source), &scope());
        if found.errors.is_empty() {
            let digest: Digest = format!("sha256:{}", "d".repeat(64)).parse().unwrap();
            let digests: BTreeMap<_, _> = found
                .inputs
                .iter()
                .map(|input| (input.parsed().unwrap().canonical(), digest.clone()))
                .collect();
            pin(&source, &scope(), &digests, &BTreeSet::new()).unwrap();
        }
    }
    assert_eq!(count, 8);
}
