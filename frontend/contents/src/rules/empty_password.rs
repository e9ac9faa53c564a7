//! Accounts that anybody can be: without a password, or with one whose hash is in the image.

use std::collections::BTreeMap;

use super::Case;
use crate::accounts::{AccountFile, Password};
use crate::finding::Finding;

pub(super) const RULE: &str = "empty-password";

const PASSWD: &str = "etc/passwd";
const SHADOW: &str = "etc/shadow";

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let accounts = case.view.accounts().unwrap_or_default();
    let mut found: BTreeMap<(usize, &str, bool), Vec<&str>> = BTreeMap::new();
    let mut tell = |file: &'static str, name, password| {
        let is = |known: &AccountFile| passwords(known).any(|it| it == (name, password));
        // A hash in a base is as public as the base.
        if let Some(layer) = case.view.since(file, is)
            && (password == Password::Empty || case.is_new(layer))
        {
            found.entry((layer, file, password == Password::Empty)).or_default().push(name);
        }
    };
    for account in accounts.iter().filter(|account| account.password != Password::None) {
        tell(PASSWD, &account.name, account.password);
    }
    for line in case.view.shadow().iter().filter(|line| line.password != Password::None) {
        // `passwd` decides whether `shadow` is asked, and a shell whether anybody gets in.
        let account = accounts.iter().find(|account| account.name == line.name);
        let asked = account.is_some_and(|account| {
            account.password == Password::None && !shuts_out(&account.shell)
        });
        if asked {
            tell(SHADOW, &line.name, line.password);
        }
    }
    let finding = |((layer, file, empty), mut names): ((usize, &str, bool), Vec<&str>)| {
        names.dedup();
        let names: Vec<String> = names.into_iter().take(5).map(ToString::to_string).collect();
        let names = names.join(", ");
        let message = match empty {
            true => format!("no password is asked for {names}"),
            false => format!("the hash of a password is in the image, for {names}"),
        };
        let fix = "RUN passwd -l locks an account; containers need no passwords";
        Finding::new(RULE, message, fix).at(layer).paths([crate::finding::shown(file)])
    };
    found.into_iter().map(finding).collect()
}

fn passwords(file: &AccountFile) -> impl Iterator<Item = (&str, Password)> {
    let (accounts, lines) = match file {
        AccountFile::Passwd(accounts) => (accounts.as_slice(), [].as_slice()),
        AccountFile::Shadow(lines) => ([].as_slice(), lines.as_slice()),
        _ => ([].as_slice(), [].as_slice()),
    };
    let accounts = accounts.iter().map(|account| (account.name.as_str(), account.password));
    accounts.chain(lines.iter().map(|line| (line.name.as_str(), line.password)))
}

/// Whether a shell lets nobody in.
fn shuts_out(shell: &str) -> bool {
    shell.ends_with("/nologin") || shell.ends_with("/false")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    const ALPINE: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/sbin/nologin\n";

    #[test]
    fn empty_and_set_passwords_are_told_with_their_layer() {
        let mut image = Image { base: 1, ..Image::default() };
        image.layer().text(PASSWD, ALPINE).text(SHADOW, "root:::0:::::\nnobody::::\n");
        image.layer().text(PASSWD, &format!("{ALPINE}app:x:1:1::/:/bin/sh\nold::2:2::/:/bin/sh\n"));
        image.layer().text(SHADOW, "root:::0:::::\nnobody::::\napp:$6$a$b:1::\n");
        let found = image.found(RULE);
        let told: Vec<_> =
            found.iter().map(|it| (it.layer.unwrap(), it.message.as_str())).collect();
        assert_eq!(
            told,
            [
                (0, "no password is asked for root"),
                (1, "no password is asked for old"),
                (2, "the hash of a password is in the image, for app"),
            ]
        );
    }

    #[test]
    fn locked_accounts_and_hashes_of_bases_are_silent() {
        let mut image = Image { base: 1, ..Image::default() };
        let passwd = format!("{ALPINE}app:x:1:1::/:/bin/sh\n");
        image.layer().text(PASSWD, &passwd).text(SHADOW, "root:*::\nnobody:!::\napp:$6$a$b:1\n");
        image.layer().text(SHADOW, "root:*:1:\nnobody:!:\napp:$6$a$b:1\nnew:!:1:\n");
        assert_eq!(image.found(RULE), []);
    }

    #[test]
    fn a_password_that_was_locked_later_is_silent() {
        let mut image = Image::default();
        image.layer().text(PASSWD, ALPINE).text(SHADOW, "root::1:\n");
        image.layer().text(SHADOW, "root:!:1:\n");
        assert_eq!(image.found(RULE), []);
    }
}
