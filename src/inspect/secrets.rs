//! Values that were searched for: where they are, and of which nothing is known.

use std::collections::BTreeMap;

use cofferdam_frontend::build::inspect::RULE;
use cofferdam_frontend::policy::Severity;
use cofferdam_inspector::report::inspection::Leak;
use cofferdam_search::{Needles, Searcher, Transform};

use super::Judged;
use crate::image::Image;
use crate::request::ImageRequest;

/// Places of one secret in one layer that are told one by one.
const TOLD: usize = 10;

/// What the search for a secret came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretResult {
    /// Its id.
    pub id: String,
    /// Places where it is, in layers and configuration.
    pub found: u64,
    /// Why nothing of it can be proven, if that is so.
    pub not_provable: Option<&'static str>,
}

/// One finding for each secret in each layer, in the configuration, and in the manifest.
pub(super) fn findings(image: &Image, needles: &Needles) -> Vec<Judged> {
    let mut by_layer: BTreeMap<(usize, usize), Vec<&Leak>> = BTreeMap::new();
    for leak in image.searched.iter().flat_map(|searched| &searched.leaks) {
        by_layer.entry((leak.layer, leak.needle)).or_default().push(leak);
    }
    let total = image.diff_ids.len();
    let in_layers = by_layer.into_iter().map(|((layer, needle), leaks)| Judged {
        rule: RULE.to_string(),
        severity: Severity::Critical,
        denied: true,
        message: format!(
            "secret {} is in the image, layer {} of {total}",
            needles.id(needle),
            layer + 1
        ),
        layer: Some(layer),
        paths: leaks.iter().take(TOLD).map(ToString::to_string).collect(),
        more: leaks.len().saturating_sub(TOLD),
        fix: "change the value; a later layer cannot take it away again".into(),
    });
    let documents = [
        (image.config.as_slice(), "its configuration holds it"),
        (image.document.as_slice(), "its manifest holds it"),
    ];
    let in_documents = documents.into_iter().flat_map(|(bytes, words)| {
        elsewhere(bytes, needles).into_iter().map(move |(needle, transform)| Judged {
            rule: RULE.to_string(),
            severity: Severity::Critical,
            denied: true,
            message: format!(
                "secret {} is in the image: {words} ({})",
                needles.id(needle),
                transform.name()
            ),
            layer: None,
            paths: Vec::new(),
            more: 0,
            fix: "change the value, and build the image without it in ENV, LABEL, ARG or a command"
                .into(),
        })
    });
    in_layers.chain(in_documents).collect()
}

/// Each needle once, with the form in which it was found first.
fn elsewhere(bytes: &[u8], needles: &Needles) -> Vec<(usize, Transform)> {
    let mut found: Vec<(usize, Transform)> = Vec::new();
    if needles.is_empty() {
        return found;
    }
    let mut search = Searcher::new(needles);
    search.feed(bytes);
    for hit in search.finish().hits {
        if !found.iter().any(|(needle, _)| *needle == hit.needle) {
            found.push((hit.needle, hit.transform));
        }
    }
    found
}

/// Every secret that was asked about.
pub(super) fn results(image: &Image, request: &ImageRequest) -> Vec<SecretResult> {
    let needles = request.secrets.needles();
    let result = |(number, id): (usize, &str)| {
        let leaks = image.searched.iter().flat_map(|searched| &searched.leaks);
        let layers = leaks.filter(|leak| leak.needle == number).count() as u64;
        let documents = [&image.config, &image.document];
        let hits = documents.iter().flat_map(|bytes| elsewhere(bytes, needles));
        let others = hits.filter(|(needle, _)| *needle == number).count() as u64;
        let gap = needles.gaps().iter().find(|gap| gap.needle == number && gap.is_whole());
        SecretResult {
            id: id.to_string(),
            found: layers + others,
            not_provable: gap.map(|gap| gap.reason.words()),
        }
    };
    request.secrets.ids().enumerate().map(result).collect()
}
