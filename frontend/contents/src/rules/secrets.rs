//! Secrets that nobody told us of: keys, tokens and files of credentials in new layers, those that
//! a later layer deletes too.

use std::collections::BTreeMap;

use super::Case;
use crate::finding::{Finding, shown};

pub(super) const RULE: &str = "unknown-secret";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let secrets = &case.view.lists.secrets;
    let mut found: BTreeMap<(usize, &str, bool), Vec<String>> = BTreeMap::new();
    for (layer, place, those) in secrets.ever.iter().filter(|(layer, ..)| case.is_new(*layer)) {
        let there = secrets.now.get(place).is_some_and(|(now, _)| now == layer);
        for secret in &those.0 {
            let path = secret.trail.iter().fold(shown(place.path()), |path, it| path + " > " + it);
            found.entry((*layer, &secret.what, !there)).or_default().push(path);
        }
    }
    let finding = |((layer, what, deleted), paths): ((usize, &str, bool), Vec<String>)| {
        let (message, fix) = if deleted {
            (
                format!("{what} is in a layer, though a later one deletes it"),
                "whoever has the image has all of its layers: let the step read it with RUN \
                 --mount=type=secret, and change it",
            )
        } else {
            (
                format!("{what} is in the image"),
                "let the step read it with RUN --mount=type=secret, or give it to the container; \
                 and change it if anybody has the image",
            )
        };
        Finding::new(RULE, message, fix).at(layer).paths(paths)
    };
    let mut all: Vec<Finding> = found.into_iter().map(finding).collect();
    for layer in case.base_layers..=secrets.ever.last().map_or(0, |(layer, ..)| *layer) {
        // More files than can be named: the last finding of the layer counts them.
        let last = all.iter_mut().rev().find(|finding| finding.layer == Some(layer));
        if let Some(last) = last {
            *last = last.clone().and(secrets.dropped(layer));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    /// Made up; in parts, so that no tool takes it for somebody's.
    fn token() -> String {
        format!("{}_{}", "npm", "1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o00vEHv")
    }

    fn netrc() -> String {
        format!("machine example.com login me password {}", "Zx81QpLm44")
    }

    #[test]
    fn credentials_in_new_layers_are_told_and_deleted_ones_too() {
        let mut image = Image { base: 1, ..Image::default() };
        image.layer().text("root/.netrc", &netrc());
        image.layer().text("app/.netrc", &netrc()).text("srv/.netrc", &netrc());
        image.layer().remove("app/.netrc");
        let found = image.found(RULE);
        let told: Vec<_> =
            found.iter().map(|it| (it.paths[0].as_str(), it.layer.unwrap())).collect();
        assert_eq!(told, [("/srv/.netrc", 1), ("/app/.netrc", 1)]);
        assert!(found[1].message.ends_with("a later one deletes it"), "{}", found[1].message);
        assert!(found.iter().all(|it| !it.message.contains("Zx81")), "{found:?}");
    }

    #[test]
    fn files_of_packages_and_tests_are_silent() {
        let mut image = Image::default();
        image
            .layer()
            .text("app/tests/.netrc", &netrc())
            .text("usr/share/doc/x/.netrc", &netrc())
            .text("app/node_modules/x/token", &token())
            .text("app/readme", "machine example.com login me password secret");
        assert_eq!(image.found(RULE), []);
    }

    #[test]
    fn a_file_that_only_changed_hands_is_told_once() {
        let mut image = Image::default();
        image.layer().text("app/.netrc", &netrc());
        image.layer().text("app/.netrc", &netrc());
        assert_eq!(image.found(RULE).len(), 1);
    }
}
