//! Files that run as their owner or group, whoever starts them.

use super::{Case, each_layer};
use crate::finding::{Finding, count, shown};

pub(super) const RULE: &str = "setuid-left";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    // What is kept then is kept by name, with a reason, and told with what was stripped.
    if case.options.strips_bits {
        return Vec::new();
    }
    let keep = &case.options.keep;
    each_layer(
        &case.view.lists.setuid,
        |_, path, _| !keep.contains(&shown(path)),
        |files| {
            let files = count(files, "a file has", "files have");
            let fix = "RUN chmod a-s on them, or build with cofferdam, which takes the bits away";
            let allowed: Vec<&str> = keep.iter().map(String::as_str).collect();
            let allowed = match allowed.is_empty() {
                true => String::new(),
                false => format!(" (allowed: {})", allowed.join(", ")),
            };
            Finding::new(RULE, format!("{files} a set-uid or set-gid bit{allowed}"), fix)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn set_uid_files_are_told_with_what_is_allowed() {
        let mut image = Image::default();
        image
            .layer()
            .file("usr/bin/su", 0o4755)
            .file("usr/bin/wall", 0o2755)
            .dir("var/mail", 0o2775);
        image.layer().file("app/tool", 0o4755).file("app/plain", 0o755);
        image.options.keep.insert("/usr/bin/su".into());
        let found = image.found(RULE);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].layer, &*found[0].paths),
            (Some(0), &["/usr/bin/wall".to_string()][..])
        );
        assert_eq!((found[1].layer, &*found[1].paths), (Some(1), &["/app/tool".to_string()][..]));
        assert!(found[0].message.contains("allowed: /usr/bin/su"), "{}", found[0].message);
    }

    #[test]
    fn what_is_stripped_or_gone_is_silent() {
        let mut image = Image::default();
        image.layer().file("usr/bin/su", 0o4755);
        image.options.strips_bits = true;
        assert_eq!(image.found(RULE), []);
        let mut image = Image::default();
        image.layer().file("usr/bin/su", 0o4755).file("usr/bin/sudo", 0o4755);
        image.layer().file("usr/bin/su", 0o755).remove("usr/bin/sudo");
        assert_eq!(image.found(RULE), []);
    }
}
