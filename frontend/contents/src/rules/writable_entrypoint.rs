//! A program that the user it runs as can replace.

use super::Case;
use super::user::User;
use crate::entry::Item;
use crate::finding::{Finding, shown};
use crate::text::parents;

pub(super) const RULE: &str = "writable-entrypoint";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    // Root changes what it likes: there is another rule for it.
    let User::Other { uid, gids } = User::of(case) else { return Vec::new() };
    let Some(program) = case.view.program(case.config) else { return Vec::new() };
    let places = std::iter::once("").chain(parents(&program)).chain([program.as_str()]);
    let writable: Vec<(usize, &str)> = places
        .filter_map(|path| {
            let (layer, item) = case.view.lists.owned.get(path)?;
            can_change(item, uid, &gids).then_some((*layer, path))
        })
        .collect();
    let Some(layer) = writable.iter().map(|(layer, _)| *layer).max() else { return Vec::new() };
    let message =
        format!("the user that the image runs as can replace what it starts, {}", shown(&program));
    let fix = "leave programs and the directories on the way to them to root: COPY without --chown";
    let paths = writable.into_iter().map(|(_, path)| shown(path));
    vec![Finding::new(RULE, message, fix).at(layer).paths(paths)]
}

/// Whether somebody may write to a file, or put another in the place of what is in a directory.
fn can_change(item: &Item, uid: u32, gids: &[u32]) -> bool {
    let own = item.uid == uid;
    // In a sticky directory everybody has to leave what is not theirs.
    if item.is_directory() && item.mode & 0o1000 != 0 && !own {
        return false;
    }
    let bit = match (own, gids.contains(&item.gid)) {
        (true, _) => 0o200,
        (false, true) => 0o020,
        (false, false) => 0o002,
    };
    item.mode & bit != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    fn image(command: &str) -> Image {
        let mut image = Image { base: 1, ..Image::default() };
        image
            .layer()
            .text("etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n")
            .text("etc/group", "web:x:33:app\n")
            .link("bin", "usr/bin")
            .file("usr/bin/node", 0o755)
            .dir("tmp", 0o1777);
        image.config.user = "app".into();
        image.config.workdir = "/app".into();
        image.config.entrypoint = vec![command.into(), "x.js".into()];
        image
    }

    fn paths(image: &Image) -> Vec<String> {
        image.found(RULE).into_iter().flat_map(|finding| finding.paths).collect()
    }

    #[test]
    fn an_entrypoint_of_the_user_is_told() {
        let mut image = image("./run");
        image.layer().owned("app/run", 0o755, 1000, 1000).dir("app", 0o755);
        assert_eq!(paths(&image), ["/app/run"]);
        assert_eq!(image.found(RULE)[0].layer, Some(1));
    }

    #[test]
    fn a_directory_on_the_way_is_told() {
        let mut image = image("/app/bin/run");
        image
            .layer()
            .file("app/bin/run", 0o755)
            .owned_dir("app", 0o775, 0, 33)
            .dir("app/bin", 0o755);
        assert_eq!(paths(&image), ["/app"]);
    }

    #[test]
    fn a_link_is_followed_and_path_is_searched() {
        let mut image = image("tool");
        image
            .layer()
            .link("usr/bin/tool", "/opt/tool/run")
            .owned("opt/tool/run", 0o755, 1000, 0)
            .dir("opt/tool", 0o755);
        assert_eq!(paths(&image), ["/opt/tool/run"]);
    }

    #[test]
    fn programs_of_root_are_silent() {
        let mut clean = image("node");
        clean.layer().owned("app/x.js", 0o644, 1000, 1000).owned_dir("app", 0o755, 1000, 1000);
        assert_eq!(paths(&clean), Vec::<String>::new());
        let mut clean = image("/bin/node");
        clean.layer().owned("app/node", 0o755, 1000, 1000);
        assert_eq!(paths(&clean), Vec::<String>::new());
        // A sticky directory, and a group that the user is not in.
        let mut clean = image("/tmp/run");
        clean.layer().owned("tmp/run", 0o775, 0, 50);
        assert_eq!(paths(&clean), Vec::<String>::new());
        let mut root = image("./run");
        root.layer().owned("app/run", 0o755, 1000, 1000);
        root.config.user = String::new();
        assert_eq!(paths(&root), Vec::<String>::new());
    }

    #[test]
    fn a_path_that_is_not_known_is_no_guess() {
        let mut image = image("tool");
        image.config.path = Some("/opt/tools:/app/bin".into());
        image.layer().owned("app/bin/tool", 0o755, 1000, 1000);
        assert_eq!(paths(&image), Vec::<String>::new());
    }
}
