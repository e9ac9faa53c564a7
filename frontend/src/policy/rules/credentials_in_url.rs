//! Users and passwords in addresses.

use std::collections::BTreeMap;

use crate::dockerfile::{Keyword, Span};
use crate::policy::secret_arg::{self, Shape};
use crate::policy::{About, Findings, Node, Place, Rule, Run, Severity, View};
use crate::shell::Command;

pub struct CredentialsInUrl;

static ABOUT: About = About {
    id: "credentials-in-url",
    title: "a password in an address",
    severity: Severity::Critical,
    also: &["DS-0031"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/credentials-in-url.md"),
};

/// The first ARG of each name in each stage, by its place among the instructions.
type Declared = BTreeMap<(Option<usize>, String), usize>;

const HELP: &str = "hand it over as a secret: --mount=type=secret,id=netrc,target=/root/.netrc";

impl Rule for CredentialsInUrl {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        if !view.file.source().windows(3).any(|three| three == b"://") {
            return;
        }
        // Where each stage declares its arguments.
        let mut declared = BTreeMap::new();
        for node in view.all(Keyword::Arg) {
            for pair in node.instruction.pairs() {
                declared.entry((node.stage, pair.name.text.clone())).or_insert(node.index);
            }
        }
        for node in view.nodes() {
            let instruction = node.instruction;
            if matches!(instruction.keyword, Keyword::Add) {
                for word in instruction.words() {
                    // Elsewhere `secret-in-arg` and `secret-in-run` have tokens.
                    let shape = secret_arg::credential_shape(&word.text);
                    if matches!(shape, Some(Shape::Token(_) | Shape::UrlParameter)) {
                        found.report(&ABOUT, word.span, "an address with a token").help(HELP);
                        continue;
                    }
                    text(&declared, node, &word.text, word.span, found);
                }
            }
            for pair in instruction.pairs() {
                if let Some(word) = &pair.value {
                    text(&declared, node, &word.text, word.span, found);
                }
            }
        }
        for run in view.runs() {
            for command in &run.script.commands {
                words(&declared, run, command, found);
            }
        }
    }
}

/// An address in the value of a variable or a source of ADD: it stays in the image's configuration
/// or history, with its variables expanded.
fn text(declared: &Declared, node: Node<'_>, text: &str, span: Span, found: &mut Findings) {
    if !text.contains("://") {
        return;
    }
    if literal(text) {
        found.report(&ABOUT, span, "an address with a password").help(HELP);
    } else if let Some(name) = from_argument(declared, node, text) {
        let message = format!("the address keeps the build argument {name}");
        found.report(&ABOUT, span, message).severity(Severity::High).help(HELP);
    }
}

/// An address among a command's words. With a variable in it, it stays only where git writes it down.
fn words(declared: &Declared, run: &Run<'_>, command: &Command, found: &mut Findings) {
    let values = command.assignments.iter().map(|assignment| &assignment.value);
    for word in command.words.iter().chain(values).filter(|word| word.text.contains("://")) {
        let span = run.body.span(word.span.clone());
        if literal(&word.text) {
            found.report(&ABOUT, span, "an address with a password").help(HELP);
            continue;
        }
        let keeps = command.call().is_some_and(|call| {
            let is = |name: &str| call.args.iter().any(|word| word.text == name);
            call.name == "git" && (is("clone") || is("remote") || is("config"))
        });
        let assigned = |name: &str| {
            let mut all = run.script.commands.iter().flat_map(|command| &command.assignments);
            all.any(|assignment| assignment.name == name)
        };
        if let Some(name) = from_argument(declared, run.node, &word.text)
            && keeps
            && !assigned(&name)
        {
            let message = format!("git keeps the build argument {name} in its configuration");
            found.report(&ABOUT, span, message).severity(Severity::High).help(HELP);
        }
    }
}

/// Users and hosts of all addresses in a text.
fn authorities(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("://").filter_map(|(at, mark)| {
        let rest = text.get(at + mark.len()..)?;
        let ends =
            |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '`');
        rest.get(..rest.find(ends).unwrap_or(rest.len()))?.rsplit_once('@')
    })
}

/// Whether an address has a literal password for another machine than this.
fn literal(text: &str) -> bool {
    authorities(text).any(|(user, host)| {
        let name = host.split(':').next().unwrap_or_default();
        let nowhere = matches!(name, "localhost" | "127.0.0.1" | "0.0.0.0" | "")
            || ["example.com", "example.org", "example.net", ".example", ".test", ".invalid"]
                .iter()
                .any(|end| name.ends_with(end));
        let password = user.split_once(':').map_or("", |(_, password)| password);
        let known = secret_arg::is_well_known("", password);
        !nowhere
            && !known
            && !password.contains('$')
            && secret_arg::url_password(&format!("x://{user}@{host}"))
    })
}

/// The argument of the stage that is the password of an address.
fn from_argument(declared: &Declared, node: Node<'_>, text: &str) -> Option<String> {
    let (user, _) = authorities(text).find(|(user, _)| user.contains('$'))?;
    let password = match user.split_once(':') {
        // `${USER:-x}` has a colon of its own.
        Some((before, password)) if !before.contains('{') || before.ends_with('}') => {
            Some(password)
        }
        _ => None,
    };
    let name = variable(password.unwrap_or(user))?;
    // A lone name is a user unless it says that it is more.
    let secret = password.is_some() || secret_arg::secret_name(&name).is_some();
    let known = declared.get(&(node.stage, name.clone())).is_some_and(|index| *index < node.index);
    (known && secret).then_some(name)
}

/// The name in `$NAME` or `${NAME}`.
fn variable(text: &str) -> Option<String> {
    let name = text.strip_prefix('$')?;
    let name = name.strip_prefix('{').map_or(Some(name), |rest| rest.strip_suffix('}'))?;
    let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(named)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{findings, silent};

    fn weight(source: &str) -> Vec<Severity> {
        findings(&CredentialsInUrl, source).iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn literal_passwords() {
        for source in [
            "FROM a:1\nRUN git clone https://me:hunter2@git.corp.net/a\n",
            "FROM a:1\nENV URL=postgres://app:hunter2@db:5432/x\n",
            "FROM a:1\nENV URL postgres://app:hunter2@db/x\n",
            "FROM a:1\nARG P=http://me:hunter2@proxy:3128\n",
            "FROM a:1\nADD https://me:hunter2@files.corp.net/a /a\n",
            "FROM a:1\nADD https://files.corp.net/a?access_token=q1w2e3r4t5y6 /a\n",
            "FROM a:1\nLABEL src=\"https://me:hunter2@git.corp.net/a\"\n",
            "FROM a:1\nRUN https_proxy=http://me:hunter2@proxy:3128 curl x\n",
            "FROM a:1\nRUN pip install --index-url=https://me:hunter2@pip.corp.net/s a\n",
        ] {
            assert_eq!(weight(source), [Severity::Critical], "{source}");
        }
    }

    #[test]
    fn arguments_that_stay() {
        for source in [
            "FROM a:1\nARG TOKEN\nRUN git clone https://$TOKEN@git.corp.net/a\n",
            "FROM a:1\nARG T\nRUN git clone \"https://oauth2:${T}@git.corp.net/a\"\n",
            "FROM a:1\nARG T\nENV PIP_INDEX_URL=https://me:$T@pip.corp.net\n",
            "FROM a:1\nARG GIT_TOKEN\nADD https://${GIT_TOKEN}@e.net/a /a\n",
        ] {
            assert_eq!(weight(source), [Severity::High], "{source}");
        }
    }

    #[test]
    fn addresses_without_secrets() {
        silent(
            &CredentialsInUrl,
            &[
                "FROM a:1\nRUN git clone https://git@github.com/a ssh://git@e.net/b\n",
                "FROM a:1\nENV URL=postgres://postgres:postgres@db/x\n",
                "FROM a:1\nENV URL=postgres://app:changeme@db/x\n",
                "FROM a:1\nENV URL=mysql://root:root@db/x\n",
                "FROM a:1\nRUN curl http://admin:hunter2@localhost:8080/\n",
                "FROM a:1\nRUN curl https://user:hunter2@repo.example.com/\n",
                "FROM a:1\nRUN git clone https://$USER@e.net/a\n",
                "FROM a:1\nARG USER\nRUN git clone https://$USER@e.net/a\n",
                "FROM a:1\nARG TOKEN\nRUN curl https://$TOKEN@e.net/a\n",
                "FROM a:1\nRUN --mount=type=secret,id=t,env=T git clone https://x:$T@e.net/a\n",
                "FROM a:1\nRUN --mount=type=secret,id=t git clone https://x:$(cat /run/secrets/t)@e.net/a\n",
                "FROM a:1\nRUN curl 'https://e.net/a@b:c' https://e.net/x?y=a:b@c\n",
                "FROM a:1\nENV IMAGE=docker-image://alpine:3.20@sha256:aa\n",
                "FROM a:1\nENV URL=https://user:pass@host/\n",
            ],
        );
    }
}
