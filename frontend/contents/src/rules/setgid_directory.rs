//! Directories that give their group to what is made in them: told, never changed.

use super::{Case, each_layer};
use crate::finding::{Finding, count};

pub(super) const RULE: &str = "setgid-directory";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    each_layer(
        &case.view.lists.setgid,
        |layer, _, _| case.is_new(layer),
        |directories| {
            let directories = count(directories, "a directory hands", "directories hand");
            let fix = "harmless by itself, and left as it is; RUN chmod g-s takes it away";
            Finding::new(RULE, format!("{directories} down its group (set-gid)"), fix)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn directories_of_new_layers_are_told() {
        let mut image = Image { base: 1, ..Image::default() };
        image.layer().dir("var/mail", 0o2775);
        image.layer().dir("var/mail", 0o2775).dir("srv/team", 0o2770).dir("srv", 0o755);
        let found = image.found(RULE);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].layer, &*found[0].paths), (Some(1), &["/srv/team".to_string()][..]));
    }
}
