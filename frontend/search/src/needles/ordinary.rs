//! Lines of secrets that are no secret: every file of their kind has them.
//!
//! Finding one says nothing, and failing a build for one would be wrong. Everything in doubt counts
//! as secret.

/// Words that stand where a secret should; each is in thousands of files.
const WORDS: [&str; 24] = [
    "password",
    "passw0rd",
    "passphrase",
    "changeme",
    "changeit",
    "changeme123",
    "password1",
    "password123",
    "placeholder",
    "undefined",
    "redacted",
    "postgres",
    "postgresql",
    "rabbitmq",
    "administrator",
    "localhost",
    "development",
    "production",
    "12345678",
    "123456789",
    "1234567890",
    "supersecret",
    "topsecret",
    "username",
];

/// Keys of configuration whose values name things: hosts, users, switches.
const KEYS: &[&str] = &[
    "@scope:registry",
    "account",
    "always-auth",
    "auth_provider_x509_cert_url",
    "auth_uri",
    "cafile",
    "cert",
    "certificate-authority-data",
    "client-certificate-data",
    "client_email",
    "client_id",
    "client_x509_cert_url",
    "cluster",
    "context",
    "current-context",
    "default",
    "email",
    "extra-index-url",
    "find-links",
    "helper",
    "host",
    "id",
    "index-servers",
    "index-url",
    "installinstalled",
    "login",
    "machine",
    "name",
    "namespace",
    "output",
    "port",
    "private_key_id",
    "proc-type",
    "project",
    "project_id",
    "protocol",
    "proxy",
    "region",
    "registry",
    "repository",
    "server",
    "strict-ssl",
    "timeout",
    "token_uri",
    "trusted-host",
    "type",
    "universe_domain",
    "url",
    "user",
];

/// "openssh-key-v1" and what follows it in every key of its kind, of all lengths.
const OPENSSH_HEAD: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAA";

/// Keys beside those above that begin a line which holds no secret.
const MORE_KEYS: [&str; 9] = [
    "apiversion",
    "identityfile",
    "kind",
    "preferences",
    "stricthostkeychecking",
    "username",
    "userknownhostsfile",
    "version",
    "x-github-api-version",
];

/// Values that settings of all kinds have.
const VALUES: [&str; 22] = [
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "null",
    "none",
    "auto",
    "info",
    "debug",
    "warn",
    "warning",
    "error",
    "test",
    "testing",
    "staging",
    "local",
    "127.0.0.1",
    "0.0.0.0",
    "utf-8",
    "default",
];

/// Elements of Maven's settings, and of others', whose text is no secret.
const ELEMENTS: [&str; 27] = [
    "activebydefault",
    "active",
    "activeprofile",
    "artifactid",
    "blocked",
    "checksumpolicy",
    "directorypermissions",
    "enabled",
    "filepermissions",
    "groupid",
    "host",
    "id",
    "interactivemode",
    "layout",
    "localrepository",
    "mirrorof",
    "name",
    "nonproxyhosts",
    "offline",
    "plugingroup",
    "port",
    "protocol",
    "releases",
    "updatepolicy",
    "url",
    "username",
    "version",
];

/// Whether a value is a word that everybody writes.
pub(super) fn is_word(value: &[u8]) -> bool {
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a line of a credentials file holds no secret.
pub(super) fn is_line(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|line| {
        is_frame(line) || is_public_key(line) || is_element(line) || is_setting(line)
    })
}

/// A comment, a section, a key without a value, the head of all of OpenSSH's keys.
fn is_frame(line: &str) -> bool {
    let section = line.len() < 64 && line.starts_with('[') && line.ends_with(']');
    let key = line.strip_suffix(':').is_some_and(|key| {
        let key = key.trim_start_matches("- ").trim_matches('"');
        key.len() < 48 && key.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'))
    });
    line.starts_with("# ")
        || line.starts_with("; ")
        || line.starts_with("-----") && line.ends_with("-----")
        || line.starts_with(OPENSSH_HEAD)
        || section
        || key
}

/// A line of `known_hosts`, `authorized_keys` or a `.pub` file.
fn is_public_key(line: &str) -> bool {
    ["ssh-rsa AAAA", "ssh-ed25519 AAAA", "ecdsa-sha2-nistp"]
        .iter()
        .any(|kind| line.starts_with(kind) || line.contains(&format!(" {kind}")))
}

/// A tag alone, one of a schema, or an element that names something.
fn is_element(line: &str) -> bool {
    if ["xmlns", "schemaLocation", "<?xml"].iter().any(|mark| line.contains(mark)) {
        return true;
    }
    let Some((tag, rest)) = line.strip_prefix('<').and_then(|line| line.split_once('>')) else {
        return false;
    };
    let tag = tag.trim_matches('/').to_ascii_lowercase();
    let plain = !tag.contains('=') && line.len() < 64;
    let text = rest.split('<').next().unwrap_or_default();
    plain && rest.is_empty() || ELEMENTS.contains(&tag.as_str()) && !has_credentials(text)
}

/// `key = value`, `"key": "value",`, `key value`, where the key or the value says that it is no
/// secret.
fn is_setting(line: &str) -> bool {
    let line = line.trim_end_matches(',').trim_start_matches("- ").trim_start_matches("export ");
    let end = line.find(['=', ' ', '\t']).unwrap_or(line.len());
    // A key of npm's may hold colons; JSON's and YAML's end with one.
    let (key, rest) = match line.split_once(": ").or_else(|| line.split_once("\":")) {
        Some((key, rest)) if key.len() < end + 2 => (key, rest),
        _ => line.split_at(end),
    };
    let quotes: &[char] = &['"', '\'', ' ', '\t', ':'];
    let key = key.trim_matches(quotes).to_ascii_lowercase();
    let value = rest.trim_start_matches(['=', ' ', '\t', ':']).trim_matches(quotes);
    let known = KEYS.contains(&key.as_str())
        || MORE_KEYS.contains(&key.as_str())
        || key.ends_with(":registry");
    // An opening of something within: `"auths": {`.
    let opens = line.len() < 64 && matches!(value, "{" | "[" | "|" | "{}" | "[]");
    let one = !value.contains(char::is_whitespace);
    let number = !value.is_empty() && value.len() <= 5 && value.bytes().all(|b| b.is_ascii_digit());
    let common = number
        || VALUES.iter().any(|common| value.eq_ignore_ascii_case(common))
        || is_word(value.as_bytes());
    opens
        || one && known && !has_credentials(value)
        || common && !super::fields::is_secret_key(&key)
}

/// An address that may carry a secret within.
fn has_credentials(value: &str) -> bool {
    let address = value.split_once("://").map_or("", |(_, rest)| rest);
    address.contains('@') || address.contains('?') || address.contains('#')
}

/// Follows the blocks of a PEM file, of which only those of private keys are secret.
#[derive(Debug, Default)]
pub(super) struct Armour {
    public: bool,
}

impl Armour {
    /// Whether a line, the next one, belongs to a certificate, a public key or parameters.
    pub(super) fn is_public(&mut self, line: &[u8]) -> bool {
        let label = |start: &[u8]| {
            line.strip_prefix(start).and_then(|rest| rest.strip_suffix(b"-----")).map(|label| {
                let ends = |kind: &[u8]| label.windows(kind.len()).any(|part| part == kind);
                ends(b"CERTIFICATE") || ends(b"PUBLIC KEY") || ends(b"PARAMETERS")
            })
        };
        if let Some(public) = label(b"-----BEGIN ") {
            self.public = public;
        }
        let public = self.public;
        if label(b"-----END ").is_some() {
            self.public = false;
        }
        public
    }
}
