//! Literal secrets in steps and in the texts that they write.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::dockerfile::{Keyword, Span};
use crate::policy::secret_arg::{self, Reason, Shape};
use crate::policy::{About, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Call, Command, Word};

pub struct SecretInRun;

static ABOUT: About = About {
    id: "secret-in-run",
    title: "a literal secret in a step",
    severity: Severity::Critical,
    also: &["DS-0031", "CIS-DI-0010"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/secret-in-run.md"),
};

const HELP: &str = "revoke it, and read the new one from --mount=type=secret,id=…";

impl Rule for SecretInRun {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for run in view.runs() {
            let text = String::from_utf8_lossy(&run.body.bytes);
            let shaped = secret_arg::credential_shape(&text).is_some();
            for command in &run.script.commands {
                if !shaped || !shapes(run, command, found) {
                    passwords(run, command, found);
                }
            }
        }
        documents(view, found);
        commands(view, found);
    }
}

/// Shapes of credentials in a command's words; whether there was one.
fn shapes(run: &Run<'_>, command: &Command, found: &mut Findings) -> bool {
    let values = command.assignments.iter().map(|assignment| &assignment.value);
    let targets = command.redirects.iter().map(|redirect| &redirect.target);
    let mut any = false;
    for word in command.words.iter().chain(values).chain(targets) {
        if let Some(shape) = shape(&word.text) {
            report(run, word.span.clone(), shape, found);
            any = true;
        }
    }
    let bodies = command.redirects.iter().map(|redirect| &redirect.body);
    for body in bodies.filter(|body| !body.is_empty()) {
        let text = run.body.bytes.get(body.clone()).unwrap_or_default();
        if let Some(shape) = shape(&String::from_utf8_lossy(text)) {
            report(run, body.clone(), shape, found);
            any = true;
        }
    }
    any
}

/// `credentials-in-url` has addresses.
fn shape(text: &str) -> Option<Shape> {
    secret_arg::credential_shape(text).filter(|shape| *shape != Shape::UrlPassword)
}

fn report(run: &Run<'_>, range: Range<usize>, shape: Shape, found: &mut Findings) {
    let message = format!("the step holds {shape}");
    found.report(&ABOUT, run.body.span(range), message).help(HELP);
}

/// Here-documents that no shell reads.
fn documents(view: &View<'_>, found: &mut Findings) {
    let scripts: BTreeSet<usize> =
        view.runs().iter().map(|run| run.body.span(0..run.body.bytes.len()).start).collect();
    for node in view.nodes() {
        for document in &node.instruction.heredocs {
            let Span { start, end } = document.body;
            if start < end && scripts.range(start..end).next().is_some() {
                continue;
            }
            if let Some(shape) = shape(&view.text(document.body)) {
                let first = view.text(document.body).find('\n').unwrap_or(document.body.len());
                let line = Span::new(document.body.start, document.body.start + first);
                found.report(&ABOUT, line, format!("the text holds {shape}")).help(HELP);
            }
        }
    }
}

/// What the image runs later stands in its configuration.
fn commands(view: &View<'_>, found: &mut Findings) {
    for node in view.nodes() {
        use Keyword::{Cmd, Entrypoint, Healthcheck};
        if !matches!(node.instruction.keyword, Cmd | Entrypoint | Healthcheck) || node.onbuild {
            continue;
        }
        if let Some(shape) = shape(&view.text(node.instruction.span)) {
            let message = format!("the command holds {shape}");
            found.report(&ABOUT, node.instruction.keyword_word.span, message).help(HELP);
        }
    }
}

/// Passwords by their place: an option that takes one, a variable of such a name.
fn passwords(run: &Run<'_>, command: &Command, found: &mut Findings) {
    let call = command.call();
    let exports = call.iter().filter(|call| matches!(call.name, "export" | "env" | "declare"));
    let exported = exports.flat_map(|call| call.args).filter_map(|word| {
        let (name, value) = word.literal()?.split_once('=')?;
        Some((name, value, word.span.clone()))
    });
    let assigned = command.assignments.iter().filter_map(|assignment| {
        let value = assignment.value.literal()?;
        Some((assignment.name.as_str(), value, assignment.value.span.clone()))
    });
    for (name, value, range) in assigned.chain(exported) {
        let secret = secret_arg::secret_build_arg(name, value);
        if secret.is_some_and(|secret| matches!(secret.reason, Reason::Name(_))) {
            password(run, range, (name, name), value, found);
        }
    }
    if let Some((word, value, what)) = call.as_ref().and_then(option) {
        password(run, word.span.clone(), ("", what), value, found);
    }
}

fn password(
    run: &Run<'_>,
    range: Range<usize>,
    (name, what): (&str, &str),
    value: &str,
    found: &mut Findings,
) {
    let known = secret_arg::is_well_known(name, value);
    let severity = if known { Severity::Medium } else { Severity::High };
    let message = if known {
        format!("{what} gets a password that everybody knows")
    } else {
        format!("{what} gets a password that stands in the image's history")
    };
    found.report(&ABOUT, run.body.span(range), message).severity(severity).help(HELP);
}

/// The password that an option hands over literally.
fn option<'a>(call: &Call<'a>) -> Option<(&'a Word, &'a str, &'a str)> {
    let local =
        |word: &Word| ["localhost", "127.0.0.1"].iter().any(|host| word.text.contains(host));
    if call.args.iter().any(local) {
        return None;
    }
    let subcommand = call.args.first().map_or("", |word| word.text.as_str());
    let mut args = call.args.iter().peekable();
    while let Some(word) = args.next() {
        let text = word.text.as_str();
        let next = args.peek().copied();
        let long = |name: &str| match text.strip_prefix(name) {
            Some("") => next,
            Some(rest) if rest.starts_with('=') => Some(word),
            _ => None,
        };
        let found = match call.name {
            "curl" => {
                if text == "-u" {
                    next
                } else {
                    long("--user")
                }
            }
            "wget" => long("--password")
                .or_else(|| long("--http-password"))
                .or_else(|| long("--ftp-password")),
            "mysql" | "mysqladmin" | "mysqldump" | "mariadb" | "mariadb-admin" => {
                // A password stands in the same word, or is asked for.
                let glued =
                    text.starts_with("-p") && text.len() > 2 || text.starts_with("--password=");
                glued.then_some(word)
            }
            "sshpass" => {
                if text == "-p" {
                    next
                } else {
                    None
                }
            }
            "docker" | "podman" | "buildah" | "skopeo" | "crane" | "oras"
                if subcommand == "login" =>
            {
                if text == "-p" {
                    next
                } else {
                    long("--password")
                }
            }
            _ => None,
        };
        let Some(given) = found else { continue };
        let value = given.literal()?;
        let value = match call.name {
            "curl" => value.rsplit_once(':').filter(|(user, _)| !user.contains(':'))?.1,
            _ if std::ptr::eq(given, word) => {
                value.split_once('=').map_or(value.get(2..).unwrap_or_default(), |(_, value)| value)
            }
            _ => value,
        };
        let value = value.trim();
        return (value.len() >= 3 && !secret_arg::is_stand_in(value))
            .then_some((given, value, call.name));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{findings, silent};

    fn key() -> String {
        format!("AKIA{}", "QZ7MX3LPWY2RT5VK")
    }

    fn weight(source: &str) -> Vec<Severity> {
        findings(&SecretInRun, source).iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn shapes_everywhere_in_a_step() {
        let pem =
            format!("-----BEGIN RSA PRIVATE {}-----\n{}\n", "KEY", "MIIEpAIBAAKCAQEAx".repeat(4));
        for source in [
            format!("FROM a:1\nRUN aws configure set id {}\n", key()),
            format!("FROM a:1\nRUN ID={} aws s3 ls\n", key()),
            format!("FROM a:1\nRUN [\"sh\", \"-c\", \"use {}\"]\n", key()),
            format!("FROM a:1\nRUN <<E\nuse {}\nE\n", key()),
            format!("FROM a:1\nENTRYPOINT [\"/app\", \"--id={}\"]\n", key()),
            format!("FROM a:1\nHEALTHCHECK CMD /app --id {}\n", key()),
            format!("FROM a:1\nRUN cat <<E >/k\n{pem}E\n"),
            format!("FROM a:1\nCOPY <<E /k\n{pem}E\n"),
            "FROM a:1\nRUN curl -H 'Authorization: Bearer q1w2e3r4t5y6u7i8' https://e.com\n".into(),
            "FROM a:1\nRUN echo '//registry.npmjs.org/:_authToken=q1w2e3r4t5y6' > .npmrc\n".into(),
        ] {
            assert_eq!(weight(&source), [Severity::Critical], "{source}");
        }
    }

    #[test]
    fn passwords_by_their_place() {
        for source in [
            "FROM a:1\nRUN curl -u admin:hunter2 https://e.com/x\n",
            "FROM a:1\nRUN PGPASSWORD=hunter2 psql -h db\n",
            "FROM a:1\nRUN export DB_PASSWORD=hunter2 && x\n",
            "FROM a:1\nRUN mysql -uroot -phunter2 x\n",
            "FROM a:1\nRUN wget --password=hunter2 https://e.com/x\n",
            "FROM a:1\nRUN sshpass -p hunter2 scp a b\n",
            "FROM a:1\nRUN docker login -u me -p hunter2 e.com\n",
        ] {
            assert_eq!(weight(source), [Severity::High], "{source}");
        }
        assert_eq!(weight("FROM a:1\nRUN PGPASSWORD=postgres psql\n"), [Severity::Medium]);
    }

    #[test]
    fn what_is_no_secret() {
        silent(
            &SecretInRun,
            &[
                "FROM a:1\nRUN curl -H \"Authorization: Bearer $TOKEN\" https://e.com\n",
                "FROM a:1\nRUN curl -H \"Authorization: token $(cat /run/secrets/t)\" https://e.com\n",
                "FROM a:1\nRUN curl -u \"$U:$P\" https://e.com && curl -u admin https://e.com\n",
                "FROM a:1\nRUN curl -u admin:hunter2 http://localhost:8080/\n",
                "FROM a:1\nRUN PGPASSWORD=$P psql && PGPASSWORD= psql\n",
                "FROM a:1\nRUN PGPASSWORD=changeme psql\n",
                "FROM a:1\nRUN mysql -u root -p < x.sql && mysql -p\"$P\" x\n",
                "FROM a:1\nRUN mkdir -p hunter2 && cp -p a b\n",
                "FROM a:1\nRUN docker login --password-stdin e.com\n",
                "FROM a:1\nRUN GPG_KEY=0D96DF4D4110E5C43FBFB17F2D347EA6AA65421D gpg x\n",
                "FROM a:1\nRUN key='B42F6819007F00F88E364FD4036A9C25BF357DD4'; gpg $key\n",
                "FROM a:1\nRUN grep -r 'BEGIN RSA PRIVATE KEY' /\n",
                "FROM a:1\nRUN echo '//registry.npmjs.org/:_authToken=${NPM_TOKEN}' > .npmrc\n",
                "FROM a:1\nRUN wget --password-file=x -O y https://u:hunter2@e.net/\n",
            ],
        );
    }
}
