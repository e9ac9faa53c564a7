//! `ADD` of local files that COPY takes as they are.

use crate::dockerfile::{Keyword, Word};
use crate::policy::{About, Edit, Findings, Place, Rule, Severity, View};

pub struct LocalAdd;

static ABOUT: About = About {
    id: "local-add",
    title: "ADD of local files, where COPY does",
    severity: Severity::Medium,
    also: &["DL3020", "DS-0005", "CKV_DOCKER_4", "CIS-DI-0009"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/local-add.md"),
};

impl Rule for LocalAdd {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for node in view.all(Keyword::Add) {
            let add = node.instruction;
            let Some((_, sources)) = add.words().split_last() else { continue };
            let needs_add = ["checksum", "keep-git-dir", "unpack"];
            let special = needs_add.iter().any(|flag| add.flag(flag).is_some());
            if special || sources.is_empty() || !sources.iter().all(is_plain) {
                continue;
            }
            let keyword = &add.keyword_word;
            let copy = if keyword.text == keyword.text.to_lowercase() { "copy" } else { "COPY" };
            found
                .report(&ABOUT, add.keyword_word.span, "ADD of local files")
                .help("use COPY: it never unpacks and never downloads")
                .safe_fix("use COPY", vec![Edit::replace(keyword.span, copy)]);
        }
    }
}

/// Whether a source is surely a local file that ADD would not unpack.
fn is_plain(word: &Word) -> bool {
    let text = word.text.to_lowercase();
    let name = text.rsplit('/').next().unwrap_or(&text);
    let dots = name.split('.').skip(1);
    let packed = |part: &str| {
        let part = part.trim_end_matches(['"', '\'', '*', '?']);
        matches!(
            part,
            "tar" | "tgz" | "tbz" | "tbz2" | "txz" | "tzst" | "gz" | "bz2" | "xz" | "zst"
        )
    };
    // A pattern or a variable may stand for an archive or an address.
    let certain = !text.contains('$') && !name.contains(['*', '?', '[']) || name.ends_with('/');
    let remote = text.contains("://") || text.starts_with("git@");
    certain && !remote && !text.starts_with("<<") && !dots.into_iter().any(packed)
}
