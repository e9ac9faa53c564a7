//! Two names for one account: what one may, the other may too.

use std::collections::BTreeMap;

use super::Case;
use crate::accounts::AccountFile;
use crate::finding::{Finding, shown};

pub(super) const RULE: &str = "duplicate-id";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let users = case.view.accounts().unwrap_or_default();
    let groups = case.view.groups().unwrap_or_default();
    let users = shared(users.iter().map(|user| (user.uid, user.name.as_str())));
    let groups = shared(groups.iter().map(|group| (group.gid, group.name.as_str())));
    let mut found = Vec::new();
    let users = users.into_iter().map(|it| ("etc/passwd", "user", it));
    for (file, what, (id, names)) in
        users.chain(groups.into_iter().map(|it| ("etc/group", "group", it)))
    {
        let all = |known: &AccountFile| names.iter().all(|name| has(known, name, id));
        // Nobody but its makers can mend a base.
        let Some(layer) = case.view.since(file, all).filter(|layer| case.is_new(*layer)) else {
            continue;
        };
        let names: Vec<&str> = names.iter().take(5).copied().collect();
        let message = format!("{} are one {what}, {id}", names.join(" and "));
        let fix = "give each its own number: useradd and groupadd without -o";
        found.push(Finding::new(RULE, message, fix).at(layer).paths([shown(file)]));
    }
    found.truncate(MOST);
    found
}

/// Findings that are told; more has no file that people wrote.
const MOST: usize = 20;

/// Numbers with several names.
fn shared<'a>(list: impl Iterator<Item = (u32, &'a str)>) -> BTreeMap<u32, Vec<&'a str>> {
    let mut ids: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (id, name) in list {
        let names = ids.entry(id).or_default();
        if !names.contains(&name) && names.len() < MOST {
            names.push(name);
        }
    }
    ids.retain(|_, names| names.len() > 1);
    ids
}

fn has(file: &AccountFile, name: &str, id: u32) -> bool {
    match file {
        AccountFile::Passwd(list) => list.iter().any(|it| it.name == name && it.uid == id),
        AccountFile::Group(list) => list.iter().any(|it| it.name == name && it.gid == id),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn a_second_name_is_told_with_the_layer_that_gave_it() {
        let mut image = Image { base: 1, ..Image::default() };
        let base = "root:x:0:0::/:/bin/sh\na:x:5:5::/:\nb:x:5:5::/:\n";
        image.layer().text("etc/passwd", base).text("etc/group", "root:x:0:\n");
        image.layer().text("etc/passwd", &format!("{base}toor:x:0:0::/:/bin/sh\n"));
        image.layer().text("etc/group", "root:x:0:\nwheel:x:0:\n");
        image.layer().text("etc/passwd", &format!("{base}toor:x:0:0::/:/bin/sh\nc:x:6:6::/:\n"));
        let found = image.found(RULE);
        let told: Vec<_> =
            found.iter().map(|it| (it.layer.unwrap(), it.message.as_str())).collect();
        assert_eq!(
            told,
            [(1, "root and toor are one user, 0"), (2, "root and wheel are one group, 0")]
        );
    }

    #[test]
    fn a_name_that_stands_twice_is_one() {
        let mut image = Image::default();
        image.layer().text("etc/passwd", "a:x:5:5::/:\na:x:5:5::/:\nb:x:6:5::/:\n");
        assert_eq!(image.found(RULE), []);
    }
}
