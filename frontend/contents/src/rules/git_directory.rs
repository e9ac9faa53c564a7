//! Histories of repositories: all that was ever in them, in layers for everybody.

use std::collections::BTreeMap;

use super::Case;
use crate::finding::{Finding, count, shown};
use crate::text::parent;

pub(super) const RULE: &str = "git-directory";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let list = &case.view.lists.repositories;
    let mut found: BTreeMap<(usize, bool), Vec<String>> = BTreeMap::new();
    for (layer, place, _) in list.ever.iter().filter(|(layer, ..)| case.is_new(*layer)) {
        let there = list.now.get(place).is_some_and(|(now, _)| now == layer);
        found.entry((*layer, !there)).or_default().push(shown(parent(place.path())));
    }
    let finding = |((layer, deleted), paths): ((usize, bool), Vec<String>)| {
        let what =
            count(paths.len(), "the history of a repository is", "histories of repositories are");
        let (place, fix) = match deleted {
            true => (
                "in a layer, though a later one deletes it",
                "delete it in the step that makes it, or clone in a stage of its own",
            ),
            false => (
                "in the image",
                "name .git in .dockerignore, or clone in a stage of its own and COPY --from it \
                 what is needed",
            ),
        };
        Finding::new(RULE, format!("{what} {place}"), fix).at(layer).paths(paths)
    };
    found.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn repositories_of_new_layers_are_told_and_deleted_ones_too() {
        let mut image = Image { base: 1, ..Image::default() };
        image.layer().file("opt/tool/.git/HEAD", 0o644);
        image.layer().file("app/.git/HEAD", 0o644).file("srv/.git/HEAD", 0o644);
        image.layer().remove("srv/.git");
        let found = image.found(RULE);
        assert_eq!(found[0].paths, ["/app/.git"]);
        assert_eq!(found[1].paths, ["/srv/.git"]);
        assert!(found[1].message.contains("deletes"));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_no_repository_is_silent() {
        let mut image = Image::default();
        image.layer().file("app/.gitignore", 0o644).file("app/x.git/HEAD", 0o644);
        image.layer().dir("app/.git", 0o755).file("app/.git/config", 0o644);
        assert_eq!(image.found(RULE), []);
    }
}
