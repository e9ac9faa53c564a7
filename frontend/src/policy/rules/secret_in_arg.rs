//! Secrets as build arguments, variables and labels: all three stay in the image's configuration.

use std::collections::BTreeSet;

use crate::dockerfile::{Keyword, Pair};
use crate::policy::secret_arg::{self, Reason, SecretArg, Shape};
use crate::policy::{About, Edit, Findings, Node, Place, Rule, Severity, View};

pub struct SecretInArg;

static ABOUT: About = About {
    id: "secret-in-arg",
    title: "a secret as build argument, variable or label",
    severity: Severity::Critical,
    also: &["DL3064", "SecretsUsedInArgOrEnv", "DS-0031", "CIS-DI-0010"],
    places: &[Place::Text, Place::Request],
    strict_only: false,
    page: include_str!("../../../../docs/rules/secret-in-arg.md"),
};

impl Rule for SecretInArg {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut seen = BTreeSet::new();
        let declared: BTreeSet<_> = view
            .all(Keyword::Arg)
            .flat_map(|node| node.instruction.pairs().iter().map(move |pair| (node, pair)))
            .map(|(node, pair)| (node.stage, pair.name.text.as_str()))
            .collect();
        for node in view.nodes() {
            for pair in node.instruction.pairs() {
                match node.instruction.keyword {
                    Keyword::Arg | Keyword::Env => {
                        variable(view, node, pair, (&declared, &mut seen), found)
                    }
                    Keyword::Label => label(view, node, pair, found),
                    _ => {}
                }
            }
        }
    }
}

/// What a pair's value is; what only variables tell stays as it is written.
fn value(view: &View<'_>, node: Node<'_>, pair: &Pair) -> String {
    let Some(word) = &pair.value else { return String::new() };
    view.expand(node, word).unwrap_or_else(|| word.text.trim_matches(['"', '\'']).to_owned())
}

fn variable(
    view: &View<'_>,
    node: Node<'_>,
    pair: &Pair,
    (declared, seen): (&BTreeSet<(Option<usize>, &str)>, &mut BTreeSet<String>),
    found: &mut Findings,
) {
    let name = &pair.name.text;
    let is_arg = node.instruction.keyword == Keyword::Arg;
    let kind = if is_arg { "ARG" } else { "ENV" };
    let text = value(view, node, pair);
    let written = secret_arg::secret_build_arg(name, &text);
    // `credentials-in-url` has addresses.
    let address = matches!(
        written,
        Some(SecretArg { reason: Reason::Proxy | Reason::Value(Shape::UrlPassword), .. })
    );
    if let Some(secret) = written.filter(|_| !address) {
        seen.insert(name.clone());
        let known =
            matches!(secret.reason, Reason::Name(_)) && secret_arg::is_well_known(name, &text);
        let (message, severity) = if known {
            (format!("{kind} {name} is a password that everybody knows"), Severity::Medium)
        } else {
            (format!("{kind} {name} holds a secret: {}", secret.reason), ABOUT.severity)
        };
        found
            .report(&ABOUT, pair.name.span, message)
            .severity(severity)
            .help(secret_arg::advice(name, &secret));
        return;
    }
    let Some(word) = secret_arg::secret_name(name) else { return };
    let from_argument = pair.value.as_ref().is_some_and(|value| {
        let inner = value.text.trim_matches('"');
        let inner = inner.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let inner = inner.or_else(|| value.text.trim_matches('"').strip_prefix('$'));
        inner.is_some_and(|inner| declared.contains(&(node.stage, inner)))
    });
    let message = if is_arg && text.is_empty() && seen.insert(name.clone()) {
        format!("ARG {name} asks for {word}, which would stay in the image's history")
    } else if !is_arg && from_argument {
        format!("ENV {name} keeps {word} in the image's configuration")
    } else {
        return;
    };
    let id = name.to_ascii_lowercase();
    let finding = found.report(&ABOUT, pair.name.span, message);
    finding.severity(Severity::High).help(format!(
        "RUN --mount=type=secret,id={id},env={name} … and build with --secret id={id},env={name}"
    ));
    if is_arg && let Some(edits) = as_mount(view, node, name, &id) {
        finding.unsafe_fix("take it as a build secret", edits);
    }
}

fn label(view: &View<'_>, node: Node<'_>, pair: &Pair, found: &mut Findings) {
    let text = value(view, node, pair);
    let shape = secret_arg::credential_shape(&text).filter(|shape| *shape != Shape::UrlPassword);
    if let Some(shape) = shape {
        let message = format!("a label holds {shape}");
        found.report(&ABOUT, pair.name.span, message).help("everybody who has the image reads it");
    }
}

/// The argument taken away, and a mount for each RUN that uses it; `None` where anything else does.
fn as_mount(view: &View<'_>, node: Node<'_>, name: &str, id: &str) -> Option<Vec<Edit>> {
    /// Each instruction is looked at.
    const MOST: usize = 1000;
    let large = view.file.instructions.len() > MOST;
    if large || node.onbuild || node.stage.is_none() || node.instruction.pairs().len() != 1 {
        return None;
    }
    let item = view.file.item_at(node.instruction.span.start)?;
    let mut edits = vec![Edit::replace(item.span, "")];
    for other in view.nodes().filter(|other| other.index != node.index) {
        let item = view.file.item_at(other.instruction.span.start)?;
        if !uses(&view.text(item.span), name) {
            continue;
        }
        let here = other.stage == node.stage && other.index > node.index && !other.onbuild;
        if !here || other.instruction.keyword != Keyword::Run {
            return None;
        }
        let at = other.instruction.keyword_word.span.end;
        edits.push(Edit::insert(at, format!(" --mount=type=secret,id={id},env={name}")));
    }
    (edits.len() > 1).then_some(edits)
}

/// Whether a text names a variable.
fn uses(text: &str, name: &str) -> bool {
    let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(named) && !after.is_some_and(named)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{findings, fixed, places, silent};

    /// Written in two pieces, so that no scanner takes the tests for a leak.
    fn key() -> String {
        format!("AKIA{}", "QZ7MX3LPWY2RT5VK")
    }

    fn weight(source: &str) -> Vec<Severity> {
        findings(&SecretInArg, source).iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn literal_secrets() {
        for source in [
            "FROM a:1\nENV DB_PASSWORD=hunter2hunter2\n".to_owned(),
            "FROM a:1\nENV DB_PASSWORD hunter2hunter2\n".to_owned(),
            "FROM a:1\nARG API_KEY=\"q8s7df6a5sd4f\"\n".to_owned(),
            format!("FROM a:1\nENV ID={}\n", key()),
            format!("FROM a:1\nLABEL x=\"{}\"\n", key()),
            format!("FROM a:1\nONBUILD ENV ID={}\n", key()),
            format!("FROM a:1\nARG K={}\nLABEL y=x\n", key()),
        ] {
            assert_eq!(weight(&source), [Severity::Critical], "{source}");
        }
    }

    #[test]
    fn arguments_that_ask_for_one() {
        let source = "ARG NPM_TOKEN\nFROM a:1\nARG NPM_TOKEN=\nENV NPM_TOKEN=${NPM_TOKEN}\n";
        assert_eq!(weight(source), [Severity::High, Severity::High]);
        assert_eq!(places(&SecretInArg, source), ["NPM_TOKEN", "NPM_TOKEN"]);
    }

    #[test]
    fn known_passwords_weigh_less() {
        assert_eq!(weight("FROM a:1\nENV POSTGRES_PASSWORD=postgres\n"), [Severity::Medium]);
        assert_eq!(weight("FROM a:1\nENV MYSQL_ROOT_PASSWORD=root\n"), [Severity::Medium]);
    }

    #[test]
    fn what_only_speaks_of_secrets() {
        silent(
            &SecretInArg,
            &[
                "FROM a:1\nENV KMS_KEY_ALIAS=alias/prod KEY_ID=abc\n",
                "FROM a:1\nENV GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305\n",
                "FROM a:1\nENV GPG_KEYS 0D96DF4D4110E5C43FBFB17F2D347EA6AA65421D\n",
                "FROM a:1\nENV TOKEN_TTL=3600 PASSWORD_MIN_LENGTH=12 SECRET_NAME=app\n",
                "FROM a:1\nENV DB_PASSWORD_FILE=/run/secrets/db\n",
                "FROM a:1\nENV DB_PASSWORD=/run/secrets/db TOKEN_URL=https://e.com/token\n",
                "FROM a:1\nENV DB_PASSWORD=\nENV API_KEY=\"\"\n",
                "FROM a:1\nENV DB_PASSWORD=changeme API_TOKEN=none\n",
                "FROM a:1\nENV ALLOW_EMPTY_PASSWORD=yes POSTGRES_PASSWORD=$POSTGRES_PASSWORD\n",
                "FROM a:1\nARG PUBLIC_KEY\nARG TOKEN_URL\nARG SSH_KNOWN_HOSTS\nARG GPG_KEY\n",
                "FROM a:1\nLABEL password=hunter2 token.url=https://e.com\n",
                "FROM a:1\nENV URL=https://u:hunter2@h.net/\n",
                "FROM a:1\nARG HTTP_PROXY=http://u:hunter2@proxy:3128\n",
            ],
        );
    }

    #[test]
    fn the_fix_makes_a_mount() {
        assert_eq!(
            fixed(&SecretInArg, "FROM a:1\nARG NPM_TOKEN\nRUN npm ci --token $NPM_TOKEN\nRUN x\n"),
            "FROM a:1\nRUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci --token $NPM_TOKEN\nRUN x\n"
        );
        let used = "FROM a:1\nARG NPM_TOKEN\nCOPY $NPM_TOKEN /x\nRUN x\n";
        assert_eq!(fixed(&SecretInArg, used), used);
    }
}
