//! What somebody typed, kept for everybody.

use super::{Case, each_layer};
use crate::finding::{Finding, count};

pub(super) const RULE: &str = "shell-history";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    each_layer(
        &case.view.lists.histories,
        |layer, _, _| case.is_new(layer),
        |files| {
            let what =
                count(files, "a history of typed commands is", "histories of typed commands are");
            let fix = "delete it in the step that makes it, or name it in .dockerignore";
            Finding::new(RULE, format!("{what} in the image"), fix)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn histories_of_new_layers_are_told() {
        let mut image = Image { base: 1, ..Image::default() };
        image.layer().text("root/.ash_history", "ls\n");
        image.layer().text("root/.bash_history", "mysql -p\n").text("home/x/.zsh_history", "");
        assert_eq!(image.found(RULE)[0].paths, ["/root/.bash_history"]);
        image.layer().remove("root/.bash_history");
        assert_eq!(image.found(RULE), []);
    }
}
