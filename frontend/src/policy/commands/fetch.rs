//! Downloads: `curl`, `wget`, `aria2c`.

use crate::shell::{Call, Word};

/// A call that downloads.
#[derive(Clone, Debug)]
pub struct Download<'a> {
    pub call: Call<'a>,
    /// Addresses, as they are written.
    pub urls: Vec<&'a Word>,
    pub output: Output<'a>,
    /// Whether it sends something or asks for the header only.
    pub asks: bool,
}

/// Where a download goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output<'a> {
    Stdout,
    /// A file with this path.
    File(&'a str),
    /// A file named by the address.
    Named,
}

/// Letters of curl's short options with a value.
pub const CURL_VALUED: &str = "AbcCdDeEFHKmoPQrtTuUwxXyYz";
/// Letters of wget's short options with a value.
const WGET_VALUED: &str = "oaetOTwQPUlARDIXiB";
/// Letters of aria2c's short options with a value.
const ARIA_VALUED: &str = "dlojsxkiU";
/// Long options without a value, as far as people use them; all others of curl take one.
const CURL_FLAGS: [&str; 40] = [
    "--fail",
    "--fail-with-body",
    "--fail-early",
    "--silent",
    "--show-error",
    "--location",
    "--location-trusted",
    "--insecure",
    "--compressed",
    "--head",
    "--include",
    "--get",
    "--remote-name",
    "--remote-name-all",
    "--remote-header-name",
    "--remote-time",
    "--create-dirs",
    "--tlsv1",
    "--tlsv1.0",
    "--tlsv1.1",
    "--tlsv1.2",
    "--tlsv1.3",
    "--ipv4",
    "--ipv6",
    "--http1.0",
    "--http1.1",
    "--http2",
    "--http2-prior-knowledge",
    "--progress-bar",
    "--no-progress-meter",
    "--retry-connrefused",
    "--retry-all-errors",
    "--verbose",
    "--globoff",
    "--junk-session-cookies",
    "--anyauth",
    "--netrc",
    "--parallel",
    "--no-buffer",
    "--ssl-reqd",
];
/// wget's long options whose value may be the next word.
const WGET_LONG: [&str; 14] = [
    "--output-document",
    "--output-file",
    "--directory-prefix",
    "--tries",
    "--timeout",
    "--user-agent",
    "--header",
    "--user",
    "--password",
    "--post-data",
    "--referer",
    "--waitretry",
    "--input-file",
    "--wait",
];

/// What a call downloads; `None` for other programs and for calls without an address.
pub fn download(call: Call<'_>) -> Option<Download<'_>> {
    let mut found = Download { call, urls: Vec::new(), output: Output::Stdout, asks: false };
    match call.name {
        "curl" => curl(&mut found),
        "wget" | "wget2" | "aria2c" => wget(&mut found),
        _ => return None,
    }
    let to_file = call.command.redirects.iter().find(|to| {
        matches!(to.operator.as_str(), ">" | ">>" | ">|" | "&>") && to.fd.is_none_or(|fd| fd == 1)
    });
    if let (Output::Stdout, Some(file)) = (found.output, to_file) {
        found.output = file_or_stdout(&file.target.text);
    }
    (!found.urls.is_empty()).then_some(found)
}

fn file_or_stdout(path: &str) -> Output<'_> {
    match path {
        "-" | "/dev/stdout" | "/dev/null" | "&1" => Output::Stdout,
        path => Output::File(path),
    }
}

fn curl(found: &mut Download<'_>) {
    let mut args = found.call.args.iter();
    while let Some(word) = args.next() {
        let text = word.text.as_str();
        match text.strip_prefix("--") {
            Some("remote-name" | "remote-name-all") => found.output = Output::Named,
            Some("head") => found.asks = true,
            Some(_) if CURL_FLAGS.contains(&text) || text.starts_with("--no-") => {}
            Some(name) => {
                let value = args.next();
                match (name, value) {
                    ("output", Some(file)) => found.output = file_or_stdout(&file.text),
                    ("url", Some(url)) => found.urls.push(url),
                    ("upload-file" | "form", _) => found.asks = true,
                    ("request", Some(verb)) => found.asks |= verb.text != "GET",
                    (name, _) if name.starts_with("data") => found.asks = true,
                    _ => {}
                }
            }
            None if text.len() > 1 && text.starts_with('-') => {
                let (letter, value) = cluster(text, CURL_VALUED);
                let flags = text.trim_start_matches('-');
                let flags = flags.get(..flags.len() - value.len()).unwrap_or(flags);
                if flags.contains('O') && found.output == Output::Stdout {
                    found.output = Output::Named;
                }
                found.asks |= flags.contains('I');
                let Some(letter) = letter else { continue };
                let value = if value.is_empty() {
                    args.next().map_or("", |word| word.text.as_str())
                } else {
                    value
                };
                match letter {
                    'o' => found.output = file_or_stdout(value),
                    'd' | 'F' | 'T' => found.asks = true,
                    'X' => found.asks |= value != "GET",
                    _ => {}
                }
            }
            None => found.urls.push(word),
        }
    }
}

fn wget(found: &mut Download<'_>) {
    let aria = found.call.name == "aria2c";
    let valued = if aria { ARIA_VALUED } else { WGET_VALUED };
    found.output = Output::Named;
    let mut args = found.call.args.iter();
    while let Some(word) = args.next() {
        let text = word.text.as_str();
        if let Some(long) = text.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let value = match value {
                None if WGET_LONG.contains(&text) => args.next().map(|word| word.text.as_str()),
                value => value,
            };
            match (name, value) {
                ("output-document" | "out", Some(file)) => found.output = file_or_stdout(file),
                ("spider" | "post-data" | "post-file" | "method", _) => found.asks = true,
                _ => {}
            }
        } else if text.len() > 1 && text.starts_with('-') {
            let (letter, value) = cluster(text, valued);
            // `-nv`, `-nc`: the second letter belongs to the first.
            if text.starts_with("-n") && !aria {
                continue;
            }
            let Some(letter) = letter else { continue };
            let value = if value.is_empty() {
                args.next().map_or("", |word| word.text.as_str())
            } else {
                value
            };
            if letter == if aria { 'o' } else { 'O' } {
                found.output = file_or_stdout(value);
            }
        } else {
            found.urls.push(word);
        }
    }
}

/// The first letter with a value in a cluster of short options, and what of the value stands there.
pub fn cluster<'a>(text: &'a str, valued: &str) -> (Option<char>, &'a str) {
    let flags = text.trim_start_matches('-');
    for (at, letter) in flags.char_indices() {
        if valued.contains(letter) {
            return (Some(letter), flags.get(at + letter.len_utf8()..).unwrap_or_default());
        }
    }
    (None, "")
}

/// The last part of a path or address, without a query.
pub fn base_name(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether an address leads nowhere far: this machine, a private network, a name without a dot.
/// Nobody knows of a host that a variable names.
pub fn is_local(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = host.strip_prefix('[').map_or_else(
        || host.split(':').next().unwrap_or(host),
        |six| six.split(']').next().unwrap_or(six),
    );
    let private = |prefix: &str| host.starts_with(prefix);
    let numbers: Vec<u8> = host.split('.').filter_map(|part| part.parse().ok()).collect();
    host.is_empty()
        || host.contains(['$', '`', '{'])
        || !host.contains('.')
        || ["127.", "10.", "192.168.", "169.254.", "0.0.0.0"].iter().any(|net| private(net))
        || matches!(numbers.as_slice(), [172, 16..=31, _, _])
        || [".local", ".internal", ".localhost", ".lan", ".test", ".corp", ".intra", ".example"]
            .iter()
            .any(|end| host.ends_with(end))
}
