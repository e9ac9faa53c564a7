//! Packages that are installed whoever signed them.

use crate::policy::commands::{
    Action, PackageCall, Verified, calls, calls_of, download, remove_word,
};
use crate::policy::{About, Edit, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Call, Command, Word};

pub struct SignaturesOff;

static ABOUT: About = About {
    id: "signatures-off",
    title: "packages are installed without a signature",
    severity: Severity::High,
    also: &["CKV2_DOCKER_7", "CKV2_DOCKER_8", "CKV2_DOCKER_9", "CKV2_DOCKER_10", "CKV2_DOCKER_11"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/signatures-off.md"),
};

impl Rule for SignaturesOff {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut verified = Verified::default();
        for run in view.runs() {
            for command in &run.script.commands {
                written(run, command, found);
            }
        }
        let mut fetching = Downloads::default();
        for (run, _, call) in calls(view) {
            let Some((word, fixable)) = offending(call) else { continue };
            // Packages that were built here have no signature; those that were downloaded count.
            if only_files(call) && (verified.of(view, run) || !fetching.of(run)) {
                continue;
            }
            let same = call.args.iter().filter(|other| fixable && other.text == word.text);
            let edits = same.flat_map(|word| remove_word(run, word)).collect();
            report(run, word, call.name, edits, found);
        }
    }
}

fn report(run: &Run<'_>, word: &Word, name: &str, edits: Vec<Edit>, found: &mut Findings) {
    let message = format!("`{name}` is told not to check signatures");
    let finding = found.report(&ABOUT, run.body.span(word.span.clone()), message);
    finding.help("without it; trust the repository's key instead");
    if !edits.is_empty() {
        finding.safe_fix("check signatures", edits);
    }
}

/// The word of a call that switches checks off, and whether it can be left out.
fn offending(call: Call<'_>) -> Option<(&Word, bool)> {
    let flag = |names: &[&str]| {
        let is_it = |word: &&Word| names.contains(&word.text.as_str());
        call.args.iter().find(is_it).map(|word| (word, true))
    };
    match call.name {
        "apt-get" | "apt" | "aptitude" => {
            flag(&["--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"])
                .or_else(|| {
                    let set = |word: &&Word| apt_setting(&word.text);
                    call.args.iter().find(set).map(|word| (word, false))
                })
        }
        "apk" => flag(&["--allow-untrusted"]),
        "debootstrap" => flag(&["--no-check-gpg"]),
        "zypper" => flag(&["--no-gpg-checks", "--no-gpgcheck", "--gpgcheck-allow-unsigned"]),
        "rpm" => flag(&["--nosignature"]),
        "yum" | "dnf" | "microdnf" | "tdnf" | "dnf5" | "yum-config-manager" => {
            flag(&["--nogpgcheck", "--no-gpgchecks"]).or_else(|| {
                let set = |word: &&Word| !word.text.contains('\n') && gpgcheck_off(&word.text);
                call.args.iter().find(set).map(|word| (word, false))
            })
        }
        _ => None,
    }
}

/// `-o Acquire::AllowInsecureRepositories=true`, also in a line of apt.conf.
fn apt_setting(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let names = ["allowunauthenticated", "allowinsecurerepositories", "allowweakrepositories"];
    names.iter().any(|name| {
        let value = text.split_once(name).map_or("", |(_, value)| value);
        let value = value.trim_start_matches([' ', '=', '"', '\'', '\t']);
        ["true", "1", "yes"].iter().any(|yes| value.starts_with(yes))
    })
}

/// `gpgcheck=0`, but not `repo_gpgcheck=0`, which is about the list of packages.
fn gpgcheck_off(text: &str) -> bool {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("gpgcheck")) {
        let start = from + at;
        let after = text.get(start + "gpgcheck".len()..).unwrap_or_default();
        let value = after.trim_start_matches([' ', '\t']).strip_prefix('=').unwrap_or("");
        let value = value.trim_start_matches([' ', '\t']);
        let own = !text.get(..start).is_some_and(|before| before.ends_with(['_', '#', 'o']));
        let off = ["0", "no", "false", "False"].iter().any(|no| value.starts_with(no));
        if own && off {
            return true;
        }
        from = start + 1;
    }
    false
}

/// What a step writes into the files that package managers read.
fn written(run: &Run<'_>, command: &Command, found: &mut Findings) {
    let Some(call) = command.call() else { return };
    let writes =
        matches!(call.name, "echo" | "printf" | "sed" | "tee" | "cat" | "add-apt-repository");
    if !writes {
        return;
    }
    for word in call.args {
        if written_text(&word.text, call.name == "sed") {
            report(run, word, call.name, Vec::new(), found);
            return;
        }
    }
    for redirect in &command.redirects {
        let body = run.body.bytes.get(redirect.body.clone()).unwrap_or_default();
        if !body.is_empty() && written_text(&String::from_utf8_lossy(body), false) {
            report(run, &redirect.target, call.name, Vec::new(), found);
            return;
        }
    }
}

fn written_text(text: &str, sed: bool) -> bool {
    if sed {
        // `s/gpgcheck=1/gpgcheck=0/`: what stands there afterwards.
        let new = text.split(text.chars().nth(1).unwrap_or('/')).nth(2).unwrap_or_default();
        return text.starts_with('s') && (gpgcheck_off(new) || apt_setting(new) || trusted(new));
    }
    gpgcheck_off(text)
        || apt_setting(text)
        || trusted(text)
        || text.lines().any(|line| {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            name.trim() == "SigLevel" && value.trim() == "Never"
        })
}

/// `deb [trusted=yes] https://…`; what comes from this machine is trusted already.
fn trusted(text: &str) -> bool {
    text.lines().any(|line| {
        let Some((before, after)) = line.split_once('[') else { return false };
        let Some((options, address)) = after.split_once(']') else { return false };
        let options = options.replace(' ', "");
        let yes = options.contains("trusted=yes") || options.contains("allow-insecure=yes");
        let address = address.trim_start();
        let local = ["file:", "copy:", "./", "/"].iter().any(|own| address.starts_with(own));
        yes && before.trim_start_matches(['"', '\'']).trim().starts_with("deb") && !local
    })
}

/// Whether a script downloads anything itself, worked out once for each.
#[derive(Default)]
struct Downloads {
    known: Option<(*const (), bool)>,
}

impl Downloads {
    fn of(&mut self, run: &Run<'_>) -> bool {
        let key = std::ptr::from_ref(run).cast();
        if let Some((_, downloads)) = self.known.filter(|(known, _)| *known == key) {
            return downloads;
        }
        let downloads = calls_of(run).any(|(_, call)| download(call).is_some());
        self.known = Some((key, downloads));
        downloads
    }
}

/// Whether all that is installed are files.
fn only_files(call: Call<'_>) -> bool {
    let files = |words: &mut dyn Iterator<Item = &Word>| {
        let mut words = words.peekable();
        words.peek().is_some()
            && words.all(|word| {
                let text = word.text.as_str();
                let package = [".apk", ".rpm", ".deb"].iter().any(|end| text.ends_with(end));
                (package || text.starts_with(['/', '.', '$'])) && !text.contains("://")
            })
    };
    match PackageCall::of(call) {
        Some(it) if it.action == Action::Install => files(&mut it.packages()),
        Some(_) => false,
        None => call.name == "rpm" && files(&mut call.operands(&[])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, fixed, silent};

    #[test]
    fn what_takes_any_package() {
        fires(
            &SignaturesOff,
            &[
                "apt-get install -y --allow-unauthenticated x",
                "apt-get install --force-yes x",
                "apt-get -o Acquire::AllowInsecureRepositories=true update",
                "apt-get -o APT::Get::AllowUnauthenticated=true install x",
                "wget https://example.com/glibc.apk && apk add --no-cache --allow-untrusted glibc.apk",
                "apk add --allow-untrusted curl",
                "rpm -ivh --nosignature https://example.com/x.rpm",
                "yum install -y --nogpgcheck x",
                "dnf install -y --setopt=gpgcheck=0 x",
                "zypper --no-gpg-checks install x",
                "echo 'deb [trusted=yes] https://repo.example.com stable main' > /etc/apt/sources.list.d/x.list",
                "echo \"deb [arch=amd64 trusted=yes] $URL ./\" >> /etc/apt/sources.list",
                "printf '[x]\\nbaseurl=https://x\\ngpgcheck=0\\n' > /etc/yum.repos.d/x.repo",
                "sed -i 's/gpgcheck=1/gpgcheck=0/' /etc/yum.conf",
                "echo 'APT::Get::AllowUnauthenticated \"true\";' > /etc/apt/apt.conf.d/99x",
            ],
        );
    }

    #[test]
    fn what_does_not() {
        silent(
            &SignaturesOff,
            &[
                "apt-get install -y x && apk add x && yum install -y x",
                "echo 'deb [ trusted=yes ] file:///tmp/debs ./' > /etc/apt/sources.list.d/tmp.list",
                "echo 'deb [signed-by=/k.gpg] https://x y z' > /etc/apt/sources.list",
                "printf 'gpgcheck=1\\nrepo_gpgcheck=0\\n' > /etc/yum.repos.d/x.repo",
                "sed -i 's/gpgcheck=0/gpgcheck=1/' /etc/yum.conf",
                "wget https://x.example.com/x.apk && echo \"$S x.apk\" | sha256sum -c && apk add --allow-untrusted x.apk",
                "apt-get -o Acquire::Check-Valid-Until=false update",
                "echo 'do not use --nogpgcheck'",
                "grep gpgcheck=0 /etc/yum.conf",
                "--mount=from=b,target=/p apk add --allow-untrusted /p/x-*.apk",
            ],
        );
    }

    #[test]
    fn fixes() {
        assert_eq!(
            fixed(&SignaturesOff, "apt-get install -y --allow-unauthenticated x"),
            "apt-get install -y x"
        );
        assert_eq!(fixed(&SignaturesOff, "yum -y --nogpgcheck install x"), "yum -y install x");
    }
}
