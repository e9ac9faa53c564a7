//! `examples/policy`: for each rule that looks at the text a bad file, which has exactly its finding,
//! and a good one, which has none; and a page that shows them.

#![expect(clippy::panic, reason = "a test that cannot read has failed")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use cofferdam_frontend::day::Day;
use cofferdam_frontend::dockerfile::Dockerfile;
use cofferdam_frontend::policy::{self, About, Place, Settings};

fn example(id: &str, kind: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/policy")
        .join(id)
        .join(kind)
        .join("Dockerfile");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The project that the examples belong to.
fn settings(id: &str) -> Settings {
    let own: &[&str] = if id == "registry-not-allowed" { &["docker.io/library"] } else { &[] };
    Settings {
        registries: own.iter().map(ToString::to_string).collect(),
        today: Some(Day::new(2026, 2, 1)),
        ..Settings::default()
    }
}

/// Rules with a check of the text.
fn text_rules() -> impl Iterator<Item = &'static About> {
    policy::every_rule().map(|rule| rule.about()).filter(|it| it.places.contains(&Place::Text))
}

fn found(about: &About, source: &[u8]) -> BTreeSet<&'static str> {
    let file = Dockerfile::parse(source);
    assert_eq!(file.errors, [], "{}", about.id);
    let wanted = |other: &About| !other.strict_only || other.id == about.id;
    let findings = policy::check(&file, &settings(about.id), wanted);
    findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn bad_examples_have_exactly_their_finding() {
    for about in text_rules() {
        assert_eq!(found(about, &example(about.id, "bad")), BTreeSet::from([about.id]));
    }
}

#[test]
fn good_examples_have_none() {
    for about in text_rules() {
        assert_eq!(found(about, &example(about.id, "good")), BTreeSet::new(), "{}", about.id);
    }
}

#[test]
fn pages_show_what_the_examples_hold() {
    for about in text_rules() {
        for kind in ["bad", "good"] {
            let example = String::from_utf8(example(about.id, kind)).unwrap();
            let lines: BTreeSet<&str> = example.lines().collect();
            let start = format!("```dockerfile\n# {kind}\n");
            let (_, shown) = about.page.split_once(&start).unwrap_or_else(|| {
                panic!("docs/rules/{}.md has no block that begins with `# {kind}`", about.id)
            });
            let (shown, _) = shown.split_once("```").unwrap();
            for line in shown.lines() {
                assert!(
                    lines.contains(line),
                    "{}/{kind}: {line:?} is not in the example",
                    about.id
                );
            }
        }
    }
}

/// The table in `docs/rules/README.md` (`COFFERDAM_BLESS=1 cargo test` writes it).
#[test]
fn the_list_of_rules_is_whole() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/rules/README.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let head = "| rule | finds | weight | elsewhere |\n|---|---|---|---|\n";
    let (before, _) = written.split_once(head).expect("the table's head");
    let rows = policy::every_about().into_iter().filter(|it| it.places.contains(&Place::Text));
    let rows = rows.map(|about| {
        let About { id, title, severity, also, .. } = about;
        let strict = if about.strict_only { ", `strict` only" } else { "" };
        format!("| [{id}]({id}.md) | {title} | {severity}{strict} | {} |\n", also.join(" "))
    });
    let whole = format!("{before}{head}{}", rows.collect::<String>());
    if std::env::var_os("COFFERDAM_BLESS").is_some() {
        std::fs::write(&path, &whole).unwrap();
    }
    assert_eq!(written, whole, "{}", path.display());
}

/// Rules of images have a name, a page and a line in the list.
#[test]
fn rules_of_images_are_listed() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/rules/README.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let (_, image) = written.split_once("## In the image\n").expect("the section");
    let (image, _) = image.split_once("\n## ").expect("the section after it");
    let listed: Vec<&str> = image
        .lines()
        .filter_map(|line| line.strip_prefix("| [")?.split_once(']').map(|(id, _)| id))
        .collect();
    assert_eq!(listed, cofferdam_contents::RULES);
    for id in listed {
        let about = policy::about(id).unwrap_or_else(|| panic!("{id} is no rule"));
        assert!(about.places.contains(&Place::Image) && about.has_level(), "{id}");
        let row = image.lines().find(|line| line.starts_with(&format!("| [{id}]"))).unwrap();
        assert!(row.ends_with(&format!("| {} |", about.severity)), "{row}");
    }
}
