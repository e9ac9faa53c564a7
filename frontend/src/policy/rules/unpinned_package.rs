//! Packages whose version the mirror decides.

use crate::policy::commands::{Action, Manager, PackageCall, calls};
use crate::policy::{About, Findings, Place, Rule, Severity, View};
use crate::shell::{Call, Word};

pub struct UnpinnedPackage;

static ABOUT: About = About {
    id: "unpinned-package",
    title: "packages without a version",
    severity: Severity::Medium,
    also: &[
        "DL3008", "DL3013", "DL3016", "DL3018", "DL3028", "DL3033", "DL3037", "DL3041", "DL3062",
    ],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/unpinned-package.md"),
};

impl Rule for UnpinnedPackage {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut snapshot = None;
        for (run, _, call) in calls(view) {
            let system = PackageCall::of(call);
            let names: Vec<&str> = match &system {
                Some(it) if it.action == Action::Install => {
                    let manager = it.manager;
                    it.packages().filter_map(|word| unpinned(manager, word)).collect()
                }
                Some(_) => continue,
                None => others(call),
            };
            if names.is_empty() {
                continue;
            }
            // A snapshot of the mirror is a pin of everything.
            let snapshot = *snapshot.get_or_insert_with(|| {
                let source = String::from_utf8_lossy(view.file.source());
                source.contains("snapshot.debian.org") || source.contains("snapshot.ubuntu.com")
            });
            if snapshot && system.is_some_and(|it| it.manager == Manager::Apt) {
                continue;
            }
            let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
            let more = names.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let span = run.body.span(call.command.span.clone());
            found
                .report(&ABOUT, span, format!("no version for {shown}{more}"))
                .help("name the version of each, or install from a lock file");
        }
    }
}

/// How many packages a message names.
const SHOWN: usize = 5;

/// The name of a package of a system, when it says nothing about its version.
fn unpinned(manager: Manager, word: &Word) -> Option<&str> {
    let name = word.literal()?;
    let path = name.contains(['/', '*', '?']) || name.starts_with('.') || name.contains("://");
    let pinned = match manager {
        // `name-` takes a package away.
        Manager::Apt => name.contains('=') || name.ends_with(".deb") || name.ends_with('-'),
        Manager::Apk => {
            name.contains(['=', '~', '<', '>', '@'])
                || name.ends_with(".apk")
                || name.starts_with('!')
        }
        Manager::Zypper => name.contains(['=', '<', '>']) || name.ends_with(".rpm"),
        Manager::Dnf | Manager::Yum => {
            let version = |(at, _): (usize, &str)| {
                name.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit)
            };
            // `name-1.2`, and groups and modules, which have no version.
            name.match_indices('-').any(version) || name.ends_with(".rpm") || name.starts_with('@')
        }
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    (is_name && !path && !pinned).then_some(name)
}

/// Packages of languages without a version.
fn others(call: Call<'_>) -> Vec<&str> {
    match call.name {
        "npm" | "pnpm" => node(call, &["install", "i", "add"]),
        "yarn" if call.args.first().is_some_and(|word| word.text == "global") => {
            let mut names = node(call, &["global"]);
            names.retain(|name| *name != "add");
            if call.args.iter().any(|word| word.text == "add") { names } else { Vec::new() }
        }
        "gem" => gem(call),
        "go" => {
            let install = call.subcommand(&[]) == Some("install");
            let latest = |word: &&Word| install && word.text.ends_with("@latest");
            call.args.iter().filter(latest).filter_map(Word::literal).collect()
        }
        "cargo" => cargo(call),
        name if name.starts_with("pip") || name.starts_with("python") || name == "uv" => pip(call),
        _ => Vec::new(),
    }
}

fn pip(call: Call<'_>) -> Vec<&str> {
    const VALUED: [&str; 22] = [
        "-i",
        "--index-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "-t",
        "--target",
        "--platform",
        "--prefix",
        "--root",
        "--trusted-host",
        "--proxy",
        "--retries",
        "--timeout",
        "--cache-dir",
        "--cert",
        "--log",
        "--only-binary",
        "--no-binary",
        "--python-version",
        "--progress-bar",
        "--global-option",
    ];
    let own = call.name.starts_with("pip");
    let args = call.args.iter();
    let before = args.clone().take_while(|word| word.text != "install");
    let is_pip = match call.name {
        "uv" => before.clone().any(|word| word.text == "pip"),
        _ => own || before.clone().any(|word| word.text == "pip"),
    };
    let verb = before.count();
    let limited =
        ["-r", "--requirement", "-c", "--constraint", "--require-hashes", "-e", "--editable"];
    let limits = |word: &Word| {
        let text = word.text.as_str();
        limited.iter().any(|it| text == *it || text.starts_with(&format!("{it}=")))
            || ["-r", "-c"].iter().any(|it| text.starts_with(it))
    };
    let Some(rest) = call.args.get(verb + 1..).filter(|_| is_pip) else { return Vec::new() };
    if rest.iter().any(limits) {
        return Vec::new();
    }
    let call = Call { args: rest, ..call };
    let names = call.operands(&VALUED).filter_map(Word::literal);
    names
        .filter(|name| {
            let file = name.contains(['/', '@', '*', '?'])
                || name.starts_with('.')
                || [".whl", ".gz", ".zip", ".tar"].iter().any(|end| name.ends_with(end));
            let pinned = ["==", "~=", "<"].iter().any(|it| name.contains(it));
            name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !file && !pinned
        })
        .collect()
}

fn node<'a>(call: Call<'a>, verbs: &[&str]) -> Vec<&'a str> {
    let valued =
        ["--prefix", "--registry", "--loglevel", "-C", "--cache", "--cwd", "--modules-folder"];
    let mut operands = call.args.iter();
    let mut names = Vec::new();
    let mut verb = false;
    while let Some(word) = operands.next() {
        let text = word.text.as_str();
        if valued.contains(&text) {
            operands.next();
        } else if text.starts_with('-') {
        } else if !verb {
            if !verbs.contains(&text) {
                return Vec::new();
            }
            verb = true;
        } else if let Some(name) = word.literal() {
            let (scope, rest) = match name.strip_prefix('@').and_then(|it| it.split_once('/')) {
                Some((scope, rest)) => (Some(scope), rest),
                None => (None, name),
            };
            let file = scope.is_none() && rest.contains(['/', ':'])
                || rest.starts_with('.')
                || rest.ends_with(".tgz");
            let version = rest.split_once('@').map(|(_, version)| version);
            if !file && matches!(version, None | Some("latest" | "next")) {
                names.push(name);
            }
        }
    }
    names
}

fn gem(call: Call<'_>) -> Vec<&str> {
    let valued =
        ["-v", "--version", "-i", "--install-dir", "-n", "--bindir", "-s", "--source", "-P"];
    let version = call.option(&["-v", "--version", "-g", "--file"]).is_some();
    let mut operands = call.args.iter();
    let mut names = Vec::new();
    let mut verb = false;
    while let Some(word) = operands.next() {
        let text = word.text.as_str();
        if text == "--" {
            break;
        }
        if valued.contains(&text) {
            operands.next();
        } else if text.starts_with('-') {
        } else if !verb {
            if !matches!(text, "install" | "i") || version {
                return Vec::new();
            }
            verb = true;
        } else if let Some(name) = word.literal().filter(|name| {
            !name.contains([':', '/', '*', '='])
                && !name.ends_with(".gem")
                && !name.starts_with('.')
        }) {
            names.push(name);
        }
    }
    names
}

fn cargo(call: Call<'_>) -> Vec<&str> {
    let given = ["--version", "--vers", "--path", "--git", "--list", "--index"];
    if call.option(&given).is_some() {
        return Vec::new();
    }
    let mut names = Vec::new();
    let valued = [
        "--root",
        "--target",
        "--features",
        "-F",
        "-j",
        "--jobs",
        "--bin",
        "--example",
        "--profile",
        "--registry",
        "--config",
        "--target-dir",
        "--color",
        "-Z",
    ];
    let mut verb = false;
    let mut args = call.args.iter();
    while let Some(word) = args.next() {
        let text = word.text.as_str();
        if valued.contains(&text) {
            args.next();
        } else if text.starts_with(['-', '+']) {
        } else if !verb {
            if text != "install" {
                return Vec::new();
            }
            verb = true;
        } else if let Some(name) = word.literal().filter(|name| !name.contains('@')) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, found, silent};

    #[test]
    fn what_the_mirror_decides() {
        fires(
            &UnpinnedPackage,
            &[
                "apt-get install -y curl git=1:2.39 x",
                "apk add --no-cache curl",
                "apk add --virtual .deps -q gcc",
                "yum install -y httpd",
                "dnf -y install httpd mod_ssl",
                "zypper in -y x",
                "pip install flask",
                "python3 -m pip install --no-cache-dir 'flask>=1'",
                "pip3 install --upgrade pip",
                "uv pip install flask",
                "npm install -g yarn",
                "npm i -g @angular/cli typescript@5",
                "npm install -g npm@latest",
                "yarn global add x",
                "gem install bundler",
                "go install example.com/x@latest",
                "cargo install ripgrep --locked",
            ],
        );
        let text = "apt-get install -y a b=1 c d e f g h";
        assert_eq!(
            found(&UnpinnedPackage, text)[0].message,
            "no version for a, c, d, e, f and 2 more"
        );
    }

    #[test]
    fn what_the_file_decides() {
        silent(
            &UnpinnedPackage,
            &[
                "apt-get install -y curl=7.88 ./x.deb /tmp/*.deb x- y/bookworm-backports",
                "apt-get install -y -t bookworm-backports $PACKAGES",
                "apt-get update && apt-get remove -y x",
                "apk add --no-cache -t .deps 'curl=8.1' git~2 /x.apk",
                "yum install -y httpd-2.4.6 https://example.com/x.rpm x.rpm",
                "dnf install -y @module:1.2",
                "pip install flask==1.0 'django~=4.2' 'x<2'",
                "pip install -r requirements.txt && pip install --require-hashes -r r.txt",
                "pip install -c constraints.txt flask",
                "pip install . ./x x.whl git+https://example.com/x@1 -e .",
                "pip install --index-url https://example.com/simple flask==1",
                "pip install $PACKAGE \"x==$V\"",
                "pip --version && pip list",
                "python3 setup.py install x",
                "npm ci && npm install && npm run install x",
                "npm install -g yarn@1.22.19 @a/b@1 ./x https://example.com/x.tgz",
                "gem install bundler -v 2.4.1 && gem install rake:13.0 && gem update",
                "go install ./... && go install example.com/x@v1.2.3",
                "cargo install ripgrep --version 13.0 && cargo install x@1 && cargo install --path . && cargo build",
                "FROM a\nRUN echo deb https://snapshot.debian.org/x > /y\nRUN apt-get install -y curl\n",
            ],
        );
    }
}
