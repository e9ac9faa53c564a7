//! A download into a file that nobody compares with anything.

use crate::policy::commands::{
    Download, Output, Verified, base_name, calls, calls_of, download, is_local, verifies_call,
};
use crate::policy::{About, Findings, Place, Rule, Run, Severity, View};

pub struct UncheckedDownload;

static ABOUT: About = About {
    id: "unchecked-download",
    title: "a download without a checksum",
    severity: Severity::Medium,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/unchecked-download.md"),
};

impl Rule for UncheckedDownload {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        // A check in a later step of the same stage is one, too.
        let mut last_check = vec![0; view.stages.len()];
        for run in view.runs() {
            let checks = calls_of(run).any(|(_, call)| verifies_call(call));
            let stage = run.node.stage.and_then(|stage| last_check.get_mut(stage));
            if let Some(last) = stage.filter(|_| checks) {
                *last = run.node.index;
            }
        }
        let mut verified = Verified::default();
        for (run, index, call) in calls(view) {
            let Some(source) = download(call).filter(|source| counts(source)) else { continue };
            let Some(kept) = kept(run, index, &source) else { continue };
            let last = run.node.stage.and_then(|stage| last_check.get(stage));
            if is_data(&kept) || last.is_some_and(|last| *last >= run.node.index) {
                continue;
            }
            if source.urls.iter().all(|url| is_data(&url.text) || has_commit(&url.text))
                || verified.of(view, run)
            {
                continue;
            }
            let span = run.body.span(call.command.span.clone());
            found
                .report(&ABOUT, span, "a download that nothing is compared with")
                .help("compare its sha256sum, or use ADD --checksum=sha256:…");
        }
    }
}

fn counts(source: &Download<'_>) -> bool {
    let remote = |text: &str| {
        text.contains("://")
            && !text.starts_with("file:")
            && (text.contains('$') || !is_local(text))
    };
    !source.asks && source.urls.iter().any(|url| remote(&url.text))
}

/// Where a download ends up, when it does: a file's name, or the program that unpacks it.
fn kept(run: &Run<'_>, index: usize, source: &Download<'_>) -> Option<String> {
    match source.output {
        Output::File(path) => Some(path.to_owned()),
        Output::Named => {
            Some(source.urls.first().map_or("", |url| base_name(&url.text)).to_owned())
        }
        Output::Stdout => {
            let reads = |reader: &&crate::shell::Command| reader.reads_from == Some(index);
            let next = run.script.commands.iter().skip(index + 1).take(8).find(reads)?;
            let call = next.call()?;
            let unpacks = matches!(
                call.name,
                "tar" | "bsdtar" | "unzip" | "gunzip" | "zcat" | "xz" | "unxz" | "bunzip2" | "cpio"
            );
            unpacks.then(|| call.name.to_owned())
        }
    }
}

/// Keys and lists: who signed them is another question.
fn is_data(name: &str) -> bool {
    let path = name.split(['?', '#']).next().unwrap_or(name).to_ascii_lowercase();
    let ends = [
        ".asc",
        ".gpg",
        ".key",
        ".pub",
        ".pem",
        ".crt",
        ".sig",
        ".sha256",
        ".sha512",
        ".md5",
        ".list",
        ".sources",
        ".repo",
        ".sha256sum",
        ".sha256sums",
        ".sha512sum",
        ".digest",
        ".json",
        "/keys",
        "sha256sums",
        "sha256sums.txt",
        "checksums.txt",
    ];
    ends.iter().any(|end| path.ends_with(end))
        || ["keyring", "gpg", "trusted.gpg.d", "/etc/apk/keys", "sources.list", "yum.repos.d"]
            .iter()
            .any(|part| path.contains(part))
}

/// Whether an address names a git commit: what stands there cannot change unseen.
fn has_commit(url: &str) -> bool {
    // A variable that is named so holds one.
    url.contains("COMMIT}")
        || url.contains("_COMMIT/")
        || url
            .split(['/', '@', '=', '-', '.'])
            .any(|part| part.len() == 40 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn what_nobody_looks_at() {
        fires(
            &UncheckedDownload,
            &[
                "curl -fsSLo /usr/local/bin/tini https://example.com/tini && chmod +x /usr/local/bin/tini",
                "wget https://example.com/x-1.tar.gz && tar xf x-1.tar.gz",
                "curl -L https://example.com/x.tgz | tar xz -C /opt",
                "wget -qO- https://example.com/x.tgz | tar xz",
                "curl -fsSL https://example.com/x > /usr/bin/x",
                "curl -LO https://example.com/x.deb && dpkg -i x.deb",
                "aria2c https://example.com/x.iso",
                "curl -L $BASE://x/$FILE -o /opt/y.jar",
            ],
        );
    }

    #[test]
    fn what_is_looked_at_or_is_no_program() {
        silent(
            &UncheckedDownload,
            &[
                "wget https://example.com/x.tgz && echo \"$SUM  x.tgz\" | sha256sum -c -",
                "wget https://example.com/x.tgz && sha512sum --check x.sum",
                "curl -o x https://example.com/x; gpg --batch --verify x.asc x",
                "curl -o x https://example.com/x; check_sha256 x",
                "aria2c --checksum=sha-256=abc https://example.com/x.iso",
                "curl -fsSL https://example.com/key.asc -o /etc/apt/keyrings/x.asc",
                "curl -fsSL https://example.com/gpg | gpg --dearmor -o /usr/share/keyrings/x.gpg",
                "curl -o /etc/apt/sources.list.d/x.list https://example.com/list",
                "curl -s https://example.com/version",
                "V=$(curl -s https://example.com/version | jq -r .v)",
                "curl -X POST -o /dev/null https://example.com/",
                "curl -o x http://127.0.0.1:80/",
                "wget --spider https://example.com/",
                "curl -o x https://raw.githubusercontent.com/a/b/0123456789012345678901234567890123456789/x",
                "wget -O /x \"https://example.com/docker/${DIND_COMMIT}/hack/dind\"",
                "FROM a\nRUN curl -o x https://example.com/x\nRUN echo \"$S x\" | sha256sum -c\n",
            ],
        );
    }
}
