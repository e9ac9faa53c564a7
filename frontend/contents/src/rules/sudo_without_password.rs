//! `sudo` that asks nothing: whoever gets in as that user is root.

use super::Case;
use crate::finding::{Finding, shown};
use crate::text::name;

pub(super) const RULE: &str = "sudo-without-password";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    // Without its set-uid bit it does nothing.
    let works = case.view.lists.setuid.now.keys().any(|place| {
        name(place.path()) == "sudo"
            && (!case.options.strips_bits || case.options.keep.contains(&shown(place.path())))
    });
    if !works {
        return Vec::new();
    }
    let told = case.view.sudoers().filter(|(_, _, who)| !who.is_empty());
    told.map(|(layer, path, who)| {
        let who: Vec<&str> = who.iter().take(5).map(String::as_str).collect();
        let message = format!("sudo asks {} for no password", who.join(", "));
        let fix = "run as the user that the program needs, without sudo";
        Finding::new(RULE, message, fix).at(layer).paths([shown(path)])
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn it_is_told_where_sudo_works() {
        let mut image = Image::default();
        image.layer().text("etc/sudoers.d/app", "app ALL=(ALL) NOPASSWD: ALL\n");
        assert_eq!(image.found(RULE), []);
        image.layer().file("usr/bin/sudo", 0o4755).text("etc/sudoers", "root ALL=(ALL) ALL\n");
        let found = image.found(RULE);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].layer, &*found[0].paths),
            (Some(0), &["/etc/sudoers.d/app".to_string()][..])
        );
        image.options.strips_bits = true;
        assert_eq!(image.found(RULE), []);
    }
}
