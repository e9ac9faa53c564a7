//! Keys that are taken from whoever answers.

use crate::dockerfile::Keyword;
use crate::policy::commands::{Verified, calls, download, is_local};
use crate::policy::{About, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Call, Word};

pub struct HostKeyUnchecked;

static ABOUT: About = About {
    id: "host-key-unchecked",
    title: "a key is trusted whoever sent it",
    severity: Severity::High,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/host-key-unchecked.md"),
};

impl Rule for HostKeyUnchecked {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for node in view.all(Keyword::Env) {
            for pair in node.instruction.pairs() {
                let Some(value) = &pair.value else { continue };
                if let Some(severity) = ssh_setting(&value.text) {
                    found
                        .report(&ABOUT, value.span, "ssh is told to trust any host key")
                        .help("write the host's key to known_hosts")
                        .severity(severity);
                }
            }
        }
        let mut verified = Verified::default();
        for run in view.runs() {
            for command in &run.script.commands {
                let sets = command.assignments.iter().map(|set| &set.value);
                // A list of the forms that ssh reads; comments and messages mention it, too.
                let word = sets
                    .chain(&command.words)
                    .find_map(|word| ssh_setting(&word.text).map(|severity| (word, severity)));
                if let Some((word, severity)) = word {
                    let message = "ssh is told to trust any host key";
                    found
                        .report(&ABOUT, run.body.span(word.span.clone()), message)
                        .help("write the host's key to known_hosts")
                        .severity(severity);
                }
            }
        }
        for (run, index, call) in calls(view) {
            if let Some(word) = keyscan(run, index, call).filter(|_| !verified.of(view, run)) {
                found
                    .report(
                        &ABOUT,
                        run.body.span(word.span.clone()),
                        "host keys of whoever answers",
                    )
                    .help("write the host's key, as its owner publishes it, to known_hosts");
            }
            if let Some(word) = short_key(call) {
                let span = run.body.span(word.span.clone());
                found
                    .report(&ABOUT, span, "a short key ID, which others can have as well")
                    .help("name the key by its fingerprint, all 40 digits");
            }
            let plain = plain_key(run, index, call).filter(|_| !verified.of(view, run));
            if let Some(word) = plain {
                let span = run.body.span(word.span.clone());
                found
                    .report(&ABOUT, span, "a key that is trusted comes over http")
                    .help("use https, or compare its fingerprint");
            }
        }
    }
}

/// `StrictHostKeyChecking=no`, `StrictHostKeyChecking no`.
fn ssh_setting(text: &str) -> Option<Severity> {
    let (_, value) = text.split_once("StrictHostKeyChecking")?;
    let value = value.trim_start_matches(['=', ' ', '\t', '"', '\'']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(value.len());
    match value.get(..end)? {
        "no" | "off" => Some(Severity::High),
        // A build meets every host for the first time.
        "accept-new" => Some(Severity::Medium),
        _ => None,
    }
}

/// `ssh-keyscan host >> known_hosts`
fn keyscan<'a>(run: &'a Run<'_>, index: usize, call: Call<'a>) -> Option<&'a Word> {
    if call.name != "ssh-keyscan" {
        return None;
    }
    let mut hosts = call.operands(&["-t", "-p", "-T", "-f", "-O"]).peekable();
    let far = hosts.peek().is_some() && hosts.all(|host| host.expands || !is_local(&host.text));
    let known = |word: &Word| word.text.contains("known_hosts") || word.text.contains("/ssh");
    let own = call.command.redirects.iter().any(|to| known(&to.target));
    let piped = || {
        run.script.commands.iter().skip(index + 1).take(4).any(|command| {
            command.reads_from.is_some()
                && (command.words.iter().any(known)
                    || command.redirects.iter().any(|to| known(&to.target)))
        })
    };
    (far && (own || piped())).then_some(call.word)
}

/// The short ID in `gpg --recv-keys 0123ABCD`: 32 bits, which anybody can match.
fn short_key(call: Call<'_>) -> Option<&Word> {
    if !matches!(call.name, "gpg" | "gpg2" | "apt-key") {
        return None;
    }
    let at = call
        .args
        .iter()
        .position(|word| matches!(word.text.as_str(), "--recv-keys" | "--recv-key" | "--recv"))?;
    call.args.get(at + 1..)?.iter().find(|word| {
        let digits = word.text.strip_prefix("0x").unwrap_or(&word.text);
        digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// The address of a key that is fetched over http and trusted.
pub(super) fn plain_key<'a>(run: &'a Run<'_>, index: usize, call: Call<'a>) -> Option<&'a Word> {
    let plain = |word: &&'a Word| word.text.starts_with("http://") && !is_local(&word.text);
    match call.name {
        "rpm" | "rpmkeys" => {
            call.args.iter().find(|word| word.text == "--import")?;
            call.args.iter().find(plain)
        }
        "gpg" | "gpg2" | "apt-key" => {
            call.args.iter().find(|word| word.text == "--fetch-keys")?;
            call.args.iter().find(plain)
        }
        // `wget -O - http://… | apt-key add -`
        "curl" | "wget" => {
            let source = download(call)?;
            let next = run.script.commands.iter().skip(index + 1).take(4);
            let trusts = next.filter(|command| command.reads_from == Some(index)).any(|command| {
                command.call().is_some_and(|call| {
                    call.name == "apt-key"
                        || matches!(call.name, "gpg" | "gpg2")
                            && call.args.iter().any(|word| {
                                matches!(
                                    word.text.as_str(),
                                    "--dearmor" | "--import" | "--dearmour"
                                )
                            })
                })
            });
            source.urls.into_iter().find(plain).filter(|_| trusts)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, found, silent};

    #[test]
    fn what_trusts_anybody() {
        fires(
            &HostKeyUnchecked,
            &[
                "ssh -o StrictHostKeyChecking=no git@github.com",
                "GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no' git clone git@github.com:a/b",
                "printf 'Host *\\n  StrictHostKeyChecking no\\n' >> ~/.ssh/config",
                "FROM a\nENV GIT_SSH_COMMAND=\"ssh -o StrictHostKeyChecking=no\"\n",
                "ssh-keyscan github.com >> ~/.ssh/known_hosts",
                "ssh-keyscan -t rsa $HOST | tee -a /etc/ssh/ssh_known_hosts",
                "apt-key adv --keyserver keyserver.ubuntu.com --recv-keys 7F0CEB10",
                "gpg --keyserver hkps://keys.openpgp.org --recv-keys 0x7F0CEB10",
                "apt-key adv --fetch-keys http://example.com/key.pub",
                "rpm --import http://example.com/KEY",
                "wget -qO - http://example.com/key | apt-key add -",
                "curl http://example.com/key | gpg --dearmor > /etc/apt/keyrings/x.gpg",
            ],
        );
    }

    #[test]
    fn what_does_not() {
        silent(
            &HostKeyUnchecked,
            &[
                "ssh -o StrictHostKeyChecking=yes x@example.com",
                "ssh-keyscan github.com > /tmp/keys && sha256sum -c sums",
                "ssh-keyscan localhost >> ~/.ssh/known_hosts",
                "gpg --batch --keyserver keys.openpgp.org --recv-keys \"$KEY\"",
                "gpg --recv-keys B42F6819007F00F88E364FD4036A9C25BF357DD4",
                "rpm --import https://example.com/KEY",
                "wget -qO - https://example.com/key | apt-key add -",
                "wget -qO - http://example.com/key | grep x",
            ],
        );
    }

    #[test]
    fn trust_on_first_use_is_milder() {
        let found = found(&HostKeyUnchecked, "ssh -o StrictHostKeyChecking=accept-new a@b");
        assert_eq!(found[0].severity, Severity::Medium);
    }
}
