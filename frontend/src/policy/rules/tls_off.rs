//! Certificates that nobody looks at.

use crate::dockerfile::Keyword;
use crate::policy::commands::{CURL_VALUED, Verified, cluster, download, is_local, remove_word};
use crate::policy::{About, Edit, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Call, Word};

pub struct TlsOff;

static ABOUT: About = About {
    id: "tls-off",
    title: "certificates are not checked",
    severity: Severity::High,
    also: &[
        "CKV2_DOCKER_2",
        "CKV2_DOCKER_3",
        "CKV2_DOCKER_4",
        "CKV2_DOCKER_5",
        "CKV2_DOCKER_6",
        "CKV2_DOCKER_12",
        "CKV2_DOCKER_13",
        "CKV2_DOCKER_14",
        "CKV2_DOCKER_15",
        "CKV2_DOCKER_16",
    ],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/tls-off.md"),
};

impl Rule for TlsOff {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        variables(view, found);
        let mut verified = Verified::default();
        for run in view.runs() {
            for command in &run.script.commands {
                let exported = command
                    .words
                    .first()
                    .filter(|word| word.text == "export")
                    .map_or(&[][..], |_| command.words.get(1..).unwrap_or_default());
                let set = command
                    .assignments
                    .iter()
                    .map(|set| (set.name.as_str(), &set.value.text, &set.value.span));
                let exported = exported.iter().filter_map(|word| {
                    let (name, _) = word.text.split_once('=')?;
                    Some((name, &word.text, &word.span))
                });
                for (name, value, span) in set.chain(exported) {
                    let value = value.split_once('=').map_or(value.as_str(), |(_, value)| value);
                    if switches_off(name, value) {
                        let message = format!("{name} switches certificate checks off");
                        found.report(&ABOUT, run.body.span(span.clone()), message);
                    }
                }
                let Some(call) = command.call() else { continue };
                let Some((word, edits)) = offending(run, call) else { continue };
                let message = format!("`{}` is told not to check certificates", call.name);
                let span = run.body.span(word.span.clone());
                let checked = verified.of(view, run);
                let finding = found.report(&ABOUT, span, message);
                finding.help("without it, or add the authority to the image's certificates");
                if checked {
                    // The bytes are compared all the same.
                    finding.severity(Severity::Medium);
                }
                if !edits.is_empty() {
                    finding.safe_fix("check certificates", edits);
                }
            }
        }
    }
}

/// ENV and ARG.
fn variables(view: &View<'_>, found: &mut Findings) {
    for keyword in [Keyword::Env, Keyword::Arg] {
        for node in view.all(keyword) {
            for pair in node.instruction.pairs() {
                let Some(value) = &pair.value else { continue };
                let text = value.text.trim_matches(['"', '\'']);
                if switches_off(&pair.name.text, text) {
                    let message = format!("{} switches certificate checks off", pair.name.text);
                    found.report(&ABOUT, pair.name.span, message);
                }
            }
        }
    }
}

fn is_false(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off")
}

fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

/// Whether a variable with this value makes a program accept any certificate.
fn switches_off(name: &str, value: &str) -> bool {
    match name.to_ascii_uppercase().as_str() {
        "GIT_SSL_NO_VERIFY" => is_true(value),
        "NODE_TLS_REJECT_UNAUTHORIZED" => value == "0",
        "PYTHONHTTPSVERIFY" => value == "0",
        "NPM_CONFIG_STRICT_SSL" | "YARN_STRICT_SSL" | "YARN_ENABLE_STRICT_SSL" => is_false(value),
        "BUNDLE_SSL_VERIFY_MODE" => value == "0",
        "PIP_TRUSTED_HOST" => {
            value.split_whitespace().any(|host| !host.is_empty() && !is_local(host))
        }
        "CONDA_SSL_VERIFY" => is_false(value),
        _ => false,
    }
}

/// The word of a call that switches checks off, and the edits that take it away.
fn offending<'a>(run: &Run<'_>, call: Call<'a>) -> Option<(&'a Word, Vec<Edit>)> {
    // All words like it are taken away with it.
    let whole = |word: &'a Word| {
        let same = call.args.iter().filter(|other| other.text == word.text);
        (word, same.flat_map(|word| remove_word(run, word)).collect())
    };
    let text = |word: &'a Word| word.text.as_str();
    match call.name {
        "curl" => {
            if all_local(call) {
                return None;
            }
            curl(run, call)
        }
        "wget" | "wget2" | "aria2c" if !all_local(call) => {
            let off = |word: &&'a Word| {
                matches!(text(word), "--no-check-certificate" | "--check-certificate=false")
            };
            call.args.iter().find(off).map(whole)
        }
        "git" => {
            let at = call
                .args
                .iter()
                .position(|word| word.text.to_ascii_lowercase().contains("sslverify"))?;
            let word = call.args.get(at)?;
            let (_, value) = word
                .text
                .split_once('=')
                .or_else(|| call.args.get(at + 1).map(|value| ("", text(value))))?;
            is_false(value).then_some((word, Vec::new()))
        }
        "npm" | "yarn" | "pnpm" | "yarnpkg" => {
            let flag =
                |word: &&'a Word| matches!(text(word), "--strict-ssl=false" | "--no-strict-ssl");
            call.args.iter().find(flag).map(whole).or_else(|| {
                let at = call.args.iter().position(|word| {
                    ["strict-ssl", "enableStrictSsl"]
                        .iter()
                        .any(|name| text(word).starts_with(name))
                })?;
                let word = call.args.get(at)?;
                let value = word.text.split_once('=').map(|(_, value)| value);
                let value = value.or_else(|| call.args.get(at + 1).map(text))?;
                is_false(value).then_some((word, Vec::new()))
            })
        }
        "conda" | "mamba" => {
            let at = call.args.iter().position(|word| text(word) == "ssl_verify");
            let set = at.and_then(|at| call.args.get(at + 1)).filter(|word| is_false(text(word)));
            let flag = || call.args.iter().find(|word| matches!(text(word), "-k" | "--insecure"));
            set.map(|word| (word, Vec::new())).or_else(|| flag().map(whole))
        }
        "composer" => {
            let at = call.args.iter().position(|word| text(word) == "disable-tls")?;
            let value = call.args.get(at + 1).filter(|word| is_true(text(word)))?;
            Some((value, Vec::new()))
        }
        "apt" | "apt-get" | "yum" | "dnf" | "microdnf" => {
            let off = |word: &&'a Word| {
                let text = text(word).to_ascii_lowercase();
                let text = text.replace("=\"", "=").replace('"', "");
                ["sslverify=0", "sslverify=false", "verify-peer=false", "verify-peer=0"]
                    .iter()
                    .any(|setting| text.contains(setting))
            };
            call.args.iter().find(off).map(|word| (word, Vec::new()))
        }
        name if name.starts_with("pip") || name.starts_with("python") => pip(run, call),
        _ => None,
    }
}

fn all_local(call: Call<'_>) -> bool {
    download(call).is_some_and(|source| {
        source.urls.iter().all(|url| !url.text.contains('$') && is_local(&url.text))
    })
}

fn curl<'a>(run: &Run<'_>, call: Call<'a>) -> Option<(&'a Word, Vec<Edit>)> {
    let mut first = None;
    let mut edits = Vec::new();
    let mut args = call.args.iter();
    while let Some(word) = args.next() {
        let text = word.text.as_str();
        if matches!(text, "--insecure" | "-k") {
            first = first.or(Some(word));
            edits.extend(remove_word(run, word));
            continue;
        }
        let flags = text.strip_prefix('-').filter(|flags| !flags.starts_with('-'));
        let Some(flags) = flags else { continue };
        let (letter, value) = cluster(text, CURL_VALUED);
        let own = flags.get(..flags.len() - value.len()).unwrap_or(flags);
        if let Some(at) = own.find('k') {
            let start = word.span.start + 1 + at;
            let edit = run.body.exact(start..start + 1).filter(|_| !word.quoted);
            first = first.or(Some(word));
            edits.extend(edit.map(|span| Edit::replace(span, "")));
        }
        if letter.is_some() && value.is_empty() {
            args.next();
        }
    }
    first.map(|word| (word, edits))
}

/// `--trusted-host`, when what is trusted is far away.
fn pip<'a>(run: &Run<'_>, call: Call<'a>) -> Option<(&'a Word, Vec<Edit>)> {
    let is_pip =
        call.name.starts_with("pip") || call.args.iter().take(3).any(|word| word.text == "pip");
    let mut first = None;
    let mut edits = Vec::new();
    for (at, word) in call.args.iter().enumerate().filter(|_| is_pip) {
        if !word.text.contains("trusted-host") {
            continue;
        }
        let own = word.text.split_once('=').map(|(_, host)| host);
        let next = call.args.get(at + 1).filter(|_| own.is_none());
        let Some(host) = own.or_else(|| next.map(|word| word.text.as_str())) else { continue };
        if is_local(host) {
            continue;
        }
        first = first.or(Some(word));
        if word.text.starts_with("--") {
            edits.extend(remove_word(run, word));
            edits.extend(next.into_iter().flat_map(|word| remove_word(run, word)));
        }
    }
    first.map(|word| (word, edits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, fixed, found, silent};

    #[test]
    fn what_switches_checks_off() {
        fires(
            &TlsOff,
            &[
                "curl -k https://example.com/x",
                "curl -fsSLko x https://example.com/x",
                "curl --insecure https://example.com/x | tar xz",
                "wget --no-check-certificate https://example.com/x",
                "git -c http.sslVerify=false clone https://example.com/x",
                "git config --global http.sslverify false",
                "GIT_SSL_NO_VERIFY=1 git clone https://example.com/x",
                "export NODE_TLS_REJECT_UNAUTHORIZED=0 && npm ci",
                "npm config set strict-ssl false",
                "npm install --strict-ssl=false",
                "yarn config set strict-ssl false -g",
                "pip install --trusted-host pypi.org x",
                "python3 -m pip install --trusted-host=pypi.org x",
                "pip config set global.trusted-host pypi.org",
                "conda config --set ssl_verify no",
                "yum install -y --setopt=sslverify=0 x",
                "apt-get -o Acquire::https::Verify-Peer=false update",
                "composer config -g disable-tls true",
                "FROM a\nENV NODE_TLS_REJECT_UNAUTHORIZED=0\n",
                "FROM a\nENV GIT_SSL_NO_VERIFY true\n",
                "FROM a\nARG PYTHONHTTPSVERIFY=0\n",
                "FROM a\nENV PIP_TRUSTED_HOST=\"pypi.org files.pythonhosted.org\"\n",
            ],
        );
    }

    #[test]
    fn what_does_not() {
        silent(
            &TlsOff,
            &[
                "curl -fsSL https://example.com/x",
                "curl -okk https://example.com/x",
                "curl -o -k https://example.com/x",
                "curl -H -k https://example.com/x",
                "curl -k https://localhost:8443/health",
                "git config --global http.sslVerify true",
                "npm config set strict-ssl true",
                "conda config --set ssl_verify /etc/ssl/ca.pem",
                "pip install --trusted-host localhost x",
                "pip install --trusted-host $HOST x",
                "gpg -k && sort -k 2 x && tar -k x",
                "echo 'curl -k'",
                "apt-get -o Acquire::Check-Valid-Until=false update",
                "FROM a\nENV NODE_TLS_REJECT_UNAUTHORIZED=1\nENV GIT_SSL_NO_VERIFY=false\nARG GIT_SSL_NO_VERIFY\n",
            ],
        );
    }

    #[test]
    fn a_checksum_makes_it_milder() {
        let text = "curl -k -o x https://example.com/x && echo \"$S x\" | sha256sum -c";
        assert_eq!(found(&TlsOff, text)[0].severity, Severity::Medium);
    }

    #[test]
    fn fixes() {
        let fixed = |text| fixed(&TlsOff, text);
        assert_eq!(fixed("curl -fkL https://a.example.com/b"), "curl -fL https://a.example.com/b");
        assert_eq!(fixed("curl -k https://a.example.org"), "curl https://a.example.org");
        assert_eq!(
            fixed("wget \\\n  --no-check-certificate \\\n  https://a.example.org"),
            "wget \\\n \\\n  https://a.example.org"
        );
        assert_eq!(
            fixed("pip install --trusted-host pypi.org --trusted-host=a.org x"),
            "pip install x"
        );
    }
}
