//! As whom the image runs.

use super::Case;
use crate::finding::Finding;

pub(super) const ROOT: &str = "nonroot-user";
pub(super) const UNKNOWN: &str = "unknown-user";

/// As whom a container of the image runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum User {
    Root,
    Other {
        uid: u32,
        gids: Vec<u32>,
    },
    /// There is nobody of this name: no container starts.
    Nobody(String),
    NoGroup(String),
    /// The image's list of users cannot be read.
    Unclear,
}

impl User {
    /// Source: moby/sys, user/user.go (`GetExecUser`): a number that nobody has runs in group 0.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let (user, group) = match case.config.user.trim().split_once(':') {
            Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
            None => (case.config.user.trim(), None),
        };
        let user = if user.is_empty() { "0" } else { user };
        let number = user.parse::<u32>().ok();
        let Some(accounts) = case.view.accounts() else {
            return match (number, group) {
                (Some(0), _) => Self::Root,
                _ => Self::Unclear,
            };
        };
        let account = accounts.iter().find(|account| match number {
            Some(uid) => account.uid == uid || account.name == user,
            None => account.name == user,
        });
        let Some(uid) = account.map(|account| account.uid).or(number) else {
            return Self::Nobody(user.to_string());
        };
        let groups = case.view.groups();
        let gids = match group {
            Some(group) => match (group.parse::<u32>().ok(), groups) {
                (Some(gid), _) => vec![gid],
                (None, Some(groups)) => match groups.iter().find(|known| known.name == group) {
                    Some(known) => vec![known.gid],
                    None => return Self::NoGroup(group.to_string()),
                },
                (None, None) => return Self::Unclear,
            },
            None => {
                let member = |name: &str| {
                    let groups = groups.unwrap_or_default().iter();
                    let of = groups.filter(|group| group.members.iter().any(|it| it == name));
                    of.map(|group| group.gid).collect::<Vec<_>>()
                };
                let primary = account.map_or(0, |account| account.gid);
                let others = account.map(|account| member(&account.name)).unwrap_or_default();
                std::iter::once(primary).chain(others).collect()
            }
        };
        if uid == 0 { Self::Root } else { Self::Other { uid, gids } }
    }
}

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let named = case.config.user.trim();
    match User::of(case) {
        // What starts nothing by itself is a layer for others, or files.
        User::Root if case.config.command().next().is_none() => Vec::new(),
        User::Root => {
            let message = match named {
                "" => "the image sets no USER and runs as root".to_string(),
                named => format!("the image runs as {named}, which is root"),
            };
            let fix = "create a user in the image and name it: USER 10001";
            vec![Finding::new(ROOT, message, fix)]
        }
        User::Nobody(name) => {
            let message = format!("USER {name} is not in the image's /etc/passwd: nothing starts");
            let fix = "create the user in the final stage, or give USER its number";
            vec![Finding::new(UNKNOWN, message, fix)]
        }
        User::NoGroup(name) => {
            let message =
                format!("the group {name} of USER {named} is not in the image's /etc/group");
            let fix = "create the group in the final stage, or give USER its number";
            vec![Finding::new(UNKNOWN, message, fix)]
        }
        User::Other { .. } | User::Unclear => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    const PASSWD: &str =
        "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n";

    fn told(user: &str) -> Vec<&'static str> {
        let mut image = Image::default();
        image.layer().text("etc/passwd", PASSWD).text("etc/group", "root:x:0:\nweb:x:33:\n");
        image.config.user = user.into();
        image.config.cmd = vec!["/bin/sh".into()];
        let found = image.judge().into_iter().map(|finding| finding.rule);
        found.filter(|rule| [ROOT, UNKNOWN].contains(rule)).collect()
    }

    #[test]
    fn root_is_told_by_whatever_name() {
        for user in ["", "root", "0", "0:33", "root:web", "toor", ":web", " 0 "] {
            assert_eq!(told(user), [ROOT], "{user}");
        }
    }

    #[test]
    fn nobody_is_told() {
        for user in ["application", "app:nogroup", "-1", "4294967296"] {
            assert_eq!(told(user), [UNKNOWN], "{user}");
        }
    }

    #[test]
    fn others_are_silent() {
        for user in ["app", "1000", "65532", "65532:65532", "app:web", "1000:0"] {
            assert_eq!(told(user), Vec::<&str>::new(), "{user}");
        }
    }

    #[test]
    fn an_image_without_users_knows_numbers_and_what_cannot_be_read_is_silent() {
        let mut image = Image::default();
        image.layer().file("app", 0o755);
        image.config.user = "1000".into();
        assert_eq!(image.judge(), []);
        image.config.user = "app".into();
        assert_eq!(image.found(UNKNOWN).len(), 1);
        image.layer().link("etc/passwd", "../usr/lib/passwd");
        assert_eq!(image.judge(), []);
    }
}
