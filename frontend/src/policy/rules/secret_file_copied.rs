//! Files that are secrets by their name, copied into a layer.

use crate::dockerfile::{Keyword, Word};
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct SecretFileCopied;

static ABOUT: About = About {
    id: "secret-file-copied",
    title: "a file that is a secret by its name, copied into a layer",
    severity: Severity::Critical,
    also: &["DS-0031", "CIS-DI-0010"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/secret-file-copied.md"),
};

/// Names of files that hold nothing but a secret.
const SECRETS: [&str; 12] = [
    ".git-credentials",
    ".netrc",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    ".vault-token",
    "_netrc",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_rsa",
];
/// The same, with the directory that makes them one.
const IN_DIRECTORIES: [&str; 5] = [
    ".aws/credentials",
    ".azure/accessTokens.json",
    ".docker/config.json",
    ".gem/credentials",
    ".kube/config",
];
/// What often holds a secret, and often none.
const PERHAPS: [&str; 6] = [".env", ".git", ".gnupg", ".npmrc", ".ssh", ".aws"];

impl Rule for SecretFileCopied {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let copies = view.all(Keyword::Copy).chain(view.all(Keyword::Add));
        for node in copies {
            let Some((_, sources)) = node.instruction.words().split_last() else { continue };
            let result = view.in_result(node.stage) || node.onbuild;
            let from_stage = node.instruction.flag("from").is_some();
            for word in sources {
                let Some(name) = file(word) else { continue };
                let secret = SECRETS.contains(&last(name))
                    || IN_DIRECTORIES.iter().any(|path| ends_with_path(name, path));
                let severity = match (secret, result) {
                    (true, true) => Severity::Critical,
                    (true, false) => Severity::High,
                    // From a stage it is what somebody made there.
                    (false, true) if PERHAPS.contains(&last(name)) && !from_stage => {
                        Severity::Medium
                    }
                    (false, _) => continue,
                };
                let last = last(name);
                let (message, help) = if secret {
                    let help = format!(
                        "RUN --mount=type=secret,id={id},target=… and --secret id={id},src={name}",
                        id = last.trim_start_matches(['.', '_']),
                    );
                    (format!("{last} is a secret, and stays in a layer"), help)
                } else {
                    let help = format!("name it in .dockerignore: {last}");
                    (format!("{last} often holds secrets, and stays in a layer"), help)
                };
                found.report(&ABOUT, word.span, message).severity(severity).help(help);
            }
        }
    }
}

/// The path of a source that surely is a file or directory of this name.
fn file(word: &Word) -> Option<&str> {
    let text = word.text.trim_matches(['"', '\'']).trim_end_matches('/');
    let plain = !text.contains(['$', '*', '?', '[']) && !text.contains("://");
    (plain && !text.starts_with("<<")).then_some(text)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn ends_with_path(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{findings, places, silent};

    #[test]
    fn names_of_secrets() {
        let source = "FROM a:1\nCOPY id_rsa /root/.ssh/\nADD [\"home/.netrc\", \"/root/\"]\n\
            COPY --chmod=600 a .aws/credentials ./.docker/config.json /x/\n";
        assert_eq!(places(&SecretFileCopied, source).len(), 4);
        assert!(
            findings(&SecretFileCopied, source).iter().all(|f| f.severity == Severity::Critical)
        );
    }

    #[test]
    fn stages_that_do_not_ship_and_names_that_are_no_proof_weigh_less() {
        let weight = |source: &str| findings(&SecretFileCopied, source)[0].severity;
        assert_eq!(weight("FROM a:1\nCOPY id_rsa /x\nFROM a:1\n"), Severity::High);
        assert_eq!(weight("FROM a:1\nCOPY .env /x\n"), Severity::Medium);
        assert_eq!(weight("FROM a:1\nCOPY .git/ /x/.git\n"), Severity::Medium);
    }

    #[test]
    fn other_files() {
        silent(
            &SecretFileCopied,
            &[
                "FROM a:1\nCOPY id_rsa.pub ca.crt server.pem known_hosts /x/\n",
                "FROM a:1\nCOPY .env.example .envrc .gitignore .gitmodules .npmignore /x/\n",
                "FROM a:1\nCOPY config.json credentials /x/\n",
                "FROM a:1\nCOPY my.docker/config.json /x/\n",
                "FROM a:1\nCOPY . /x/id_rsa\n",
                "FROM a:1 AS b\nRUN x\nFROM a:1\nCOPY --from=b /a/.env /x/\n",
                "FROM a:1\nCOPY .npmrc /x\nFROM a:1\n",
                "FROM a:1\nRUN --mount=type=secret,id=k,target=/root/.ssh/id_rsa git clone x\n",
                "FROM a:1\nCOPY $KEY id_* /x/\n",
                "FROM a:1\nADD https://e.com/.netrc /x\n",
            ],
        );
    }
}
