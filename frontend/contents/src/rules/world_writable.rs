//! What everybody may change: new files and directories, and old ones on the way to programs.

use super::{Case, each_layer};
use crate::finding::{Finding, count};
use crate::text::parent;

pub(super) const RULE: &str = "world-writable";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let directories = case.config.directories().filter_map(|path| case.view.resolve(path));
    let directories: Vec<String> = directories.collect();
    let on_path = |path: &str| {
        directories.iter().any(|directory| {
            directory == path
                || parent(path) == directory
                || directory.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    each_layer(
        &case.view.lists.open,
        |layer, path, _| case.is_new(layer) || on_path(path),
        |number| {
            let what = count(number, "a file or directory may", "files and directories may");
            let fix = "chmod o-w, and COPY --chmod without it; chown to the user that writes there";
            Finding::new(RULE, format!("{what} be changed by everybody"), fix)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn new_files_and_old_programs_are_told() {
        let mut image = Image { base: 1, ..Image::default() };
        image
            .layer()
            .dir("tmp", 0o1777)
            .dir("srv/old", 0o777)
            .file("usr/local/bin/tool", 0o777)
            .dir("opt", 0o777);
        image.config.path = Some("/usr/local/bin:/usr/bin:/opt/x/bin".into());
        image.layer().dir("app", 0o777).file("app/log", 0o666).file("app/ok", 0o644);
        image.layer().dir("app", 0o777).link("app/link", "log");
        let found = image.found(RULE);
        assert_eq!(found[0].paths, ["/opt", "/usr/local/bin/tool"]);
        assert_eq!(found[1].paths, ["/app", "/app/log"]);
        assert_eq!((found[1].layer, found.len()), (Some(1), 2));
    }

    #[test]
    fn what_is_mended_is_silent() {
        let mut image = Image::default();
        image.layer().dir("app", 0o777).file("app/x", 0o666);
        image.layer().dir("app", 0o755).file("app/x", 0o644);
        assert_eq!(image.found(RULE), []);
    }
}
