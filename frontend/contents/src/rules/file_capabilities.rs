//! Files that give capabilities to whoever starts them.

use super::{Case, each_layer};
use crate::finding::{Finding, count, shown};

pub(super) const RULE: &str = "file-capabilities";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    if case.options.strips_capabilities {
        return Vec::new();
    }
    let keep = &case.options.keep;
    each_layer(
        &case.view.lists.capabilities,
        |_, path, _| !keep.contains(&shown(path)),
        |files| {
            let files = count(files, "a file gives", "files give");
            let fix = "RUN setcap -r on them, and give the container what it needs with --cap-add";
            Finding::new(RULE, format!("{files} capabilities to whoever starts it"), fix)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn files_with_capabilities_are_told() {
        let mut image = Image::default();
        image.layer().capability("usr/bin/ping").file("usr/bin/other", 0o755);
        assert_eq!(image.found(RULE)[0].paths, ["/usr/bin/ping"]);
        image.options.keep.insert("/usr/bin/ping".into());
        assert_eq!(image.found(RULE), []);
        image.options = crate::Options { strips_capabilities: true, ..Default::default() };
        assert_eq!(image.found(RULE), []);
    }
}
