//! What is fetched without TLS can be replaced by anybody on the way.

use super::host_key_unchecked;
use crate::policy::commands::{Verified, calls, download, is_local};
use crate::policy::{About, Findings, Place, Rule, Severity, View};
use crate::shell::{Call, Word};

pub struct PlainHttp;

static ABOUT: About = About {
    id: "plain-http",
    title: "a download over plain http, ftp or git",
    severity: Severity::High,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/plain-http.md"),
};

impl Rule for PlainHttp {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut verified = Verified::default();
        for (run, index, call) in calls(view) {
            let addresses = addresses(call);
            // Another rule has keys that are trusted.
            let key = || host_key_unchecked::plain_key(run, index, call).is_some();
            if addresses.is_empty() || key() || verified.of(view, run) {
                continue;
            }
            for word in addresses {
                let span = run.body.span(word.span.clone());
                let (scheme, _) = word.text.split_once("://").unwrap_or(("http", ""));
                let scheme = scheme.rsplit(['=', '+']).next().unwrap_or(scheme);
                found
                    .report(
                        &ABOUT,
                        span,
                        format!("fetched over {scheme}, which anybody may change"),
                    )
                    .help("use https, or compare a checksum in the same step");
            }
        }
    }
}

/// Addresses without TLS that a call fetches from.
fn addresses(call: Call<'_>) -> Vec<&Word> {
    let words: Vec<&Word> = match call.name {
        "curl" | "wget" | "wget2" | "aria2c" => match download(call) {
            // What is sent is no download.
            Some(source) if !source.asks => source.urls,
            _ => return Vec::new(),
        },
        "git" => {
            let verb = call.subcommand(&["-c", "-C"]);
            if !matches!(verb, Some("clone" | "fetch" | "pull" | "submodule" | "remote")) {
                return Vec::new();
            }
            call.args.iter().collect()
        }
        name if name.starts_with("pip") || name == "uv" => {
            if !call.args.iter().any(|word| matches!(word.text.as_str(), "install" | "download")) {
                return Vec::new();
            }
            call.args.iter().collect()
        }
        _ => return Vec::new(),
    };
    words.into_iter().filter(|word| is_plain(&word.text)).collect()
}

fn is_plain(text: &str) -> bool {
    // `--index-url=http://…`, `git+http://…`
    let start = ["http://", "ftp://", "git://"].iter().filter_map(|it| text.find(it)).min();
    let Some(start) = start else { return false };
    let before = text.get(..start).unwrap_or_default();
    let url = text.get(start..).unwrap_or_default();
    let known = before.is_empty()
        || before.ends_with('+')
        || before.ends_with('=') && before.starts_with('-');
    known && !is_local(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn what_comes_without_tls() {
        fires(
            &PlainHttp,
            &[
                "curl -o x http://example.com/x",
                "wget http://example.com/$VERSION/x.tgz && tar xf x.tgz",
                "wget ftp://ftp.example.com/x",
                "git clone http://example.com/x.git",
                "git clone --depth 1 git://example.com/x.git /x",
                "pip install --index-url http://pypi.example.com/simple x",
                "pip3 install --extra-index-url=http://pypi.example.com/simple x",
                "pip install git+http://example.com/x.git",
            ],
        );
    }

    #[test]
    fn what_does_not() {
        silent(
            &PlainHttp,
            &[
                "curl -o x https://example.com/x",
                "curl -x http://proxy.example.com:3128 https://example.com/x",
                "curl --proxy http://proxy.example.com https://example.com",
                "curl -H 'Referer: http://example.com' https://example.com",
                "curl http://localhost:8080/health",
                "curl http://127.0.0.1/ && wget http://[::1]:80/",
                "curl http://$HOST/x",
                "curl http://web/x && curl http://192.168.1.4/x && curl http://172.17.0.1/x",
                "wget http://example.com/x && echo \"$SUM x\" | sha256sum -c",
                "echo 'deb http://deb.debian.org/debian bookworm main' > /etc/apt/sources.list",
                "git config --global url.https://github.com/.insteadOf git://github.com/",
                "git clone https://example.com/x.git",
                "apk add --repository http://dl-cdn.alpinelinux.org/alpine/edge/main x",
                "curl -d @x http://example.com/api",
                "wget -qO - http://example.com/key | apt-key add -",
            ],
        );
    }
}
