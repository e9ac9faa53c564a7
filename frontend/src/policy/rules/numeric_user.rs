//! A user by name, which a cluster cannot tell from root.

use super::final_user::{self, User};
use crate::dockerfile::Span;
use crate::policy::{About, Edit, Findings, Place, Rule, Severity, View};

pub struct NumericUser;

static ABOUT: About = About {
    id: "numeric-user",
    title: "the final USER is a name, no number",
    severity: Severity::Low,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/numeric-user.md"),
};

impl Rule for NumericUser {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let User::Set(user) = final_user::final_user(view) else { return };
        let number = user.name.bytes().all(|byte| byte.is_ascii_digit());
        if number || final_user::is_root(&user.name) || final_user::is_windows(view) {
            return;
        }
        let uid = created_with(view, &user.name);
        let finding = found.report(
            &ABOUT,
            user.word.span,
            format!("Kubernetes cannot tell that {:?} is not root", user.name),
        );
        match uid {
            None => finding.help("create the user with a number and write that: USER 1000"),
            Some(uid) => {
                finding.help(format!("USER {uid}"));
                match user.word.parts.as_slice() {
                    [one] if user.word.text.starts_with(&user.name) => {
                        let name = Span::new(one.start, one.start + user.name.len());
                        finding.unsafe_fix(format!("write {uid}"), vec![Edit::replace(name, uid)])
                    }
                    _ => finding,
                }
            }
        };
    }
}

/// The number with which a step creates a user.
fn created_with(view: &View<'_>, name: &str) -> Option<String> {
    let runs = view.runs().iter().filter(|run| view.in_result(run.node.stage));
    let calls = runs.flat_map(|run| &run.script.commands).filter_map(|command| command.call());
    calls.filter(|call| matches!(call.name, "useradd" | "adduser")).find_map(|call| {
        let names = call.args.iter().any(|word| word.literal() == Some(name));
        let uid = call.value("--uid").or_else(|| call.value("-u"))?;
        let number = !uid.is_empty() && uid.bytes().all(|byte| byte.is_ascii_digit());
        (names && number).then(|| uid.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{fixed, places, silent};

    #[test]
    fn names_of_the_target() {
        assert_eq!(places(&NumericUser, "FROM debian:12\nUSER app:app\n"), ["app:app"]);
        assert_eq!(places(&NumericUser, "FROM a AS b\nUSER app\nFROM b\n"), ["app"]);
    }

    #[test]
    fn numbers_root_and_the_unknown() {
        silent(
            &NumericUser,
            &[
                "FROM debian:12\nUSER 1000:app\n",
                "FROM debian:12\nUSER root\n",
                "FROM debian:12\nUSER app\nUSER 1000\n",
                "FROM debian:12\nUSER $APP\n",
                "FROM debian:12\nENV U=1000\nUSER $U\n",
                "FROM debian:12 AS a\nUSER app\nFROM debian:12\n",
                "FROM mcr.microsoft.com/windows/nanoserver:ltsc2022\nUSER ContainerUser\n",
                "FROM debian:12\n",
            ],
        );
    }

    #[test]
    fn the_number_is_known_where_the_user_is_made() {
        assert_eq!(
            fixed(&NumericUser, "FROM debian:12\nRUN useradd -u 1001 app\nUSER app:app\n"),
            "FROM debian:12\nRUN useradd -u 1001 app\nUSER 1001:app\n"
        );
        let unknown = "FROM debian:12\nRUN useradd -u $UID app\nUSER app\n";
        assert_eq!(fixed(&NumericUser, unknown), unknown);
    }
}
