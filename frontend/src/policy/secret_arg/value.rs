//! What a value says about itself, and whether it can be what its name says.

use super::text::{
    decode_base64, distinct, find_ignore_case, is_base64, is_stand_in, is_url_safe, run, varied,
};
use super::{Shape, Word, scan, token, url};

/// The shape of a credential in a value, if there is one.
pub(super) fn shape(value: &str) -> Option<Shape> {
    // What is most specific is named first: a token in a URL is a token.
    token::find(value)
        .or_else(|| private_key(value).then_some(Shape::PrivateKey))
        .or_else(|| jwt(value).then_some(Shape::Jwt))
        .or_else(|| credentials_file(value).map(Shape::CredentialsFile))
        .or_else(|| authorization_header(value).then_some(Shape::AuthorizationHeader))
        .or_else(|| url::has_password(value).then_some(Shape::UrlPassword))
        .or_else(|| url::web_hook(value))
        .or_else(|| url::parameter(value))
}

/// A PEM block with a body, plain or in base64; PuTTY's format.
fn private_key(value: &str) -> bool {
    const MIN_BODY: usize = 40;
    let pem = value.match_indices("-----BEGIN ").any(|(start, _)| {
        let rest = value.get(start..).unwrap_or_default();
        let Some((label, body)) =
            rest.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"))
        else {
            return false;
        };
        let body = body.split("-----").next().unwrap_or_default();
        // The body of a key with headers or escaped line ends still has these many.
        let letters = body.bytes().filter(|&byte| is_base64(byte)).count();
        label.contains("PRIVATE KEY") && label.len() < 64 && letters >= MIN_BODY
    });
    let encoded = || {
        // "-----BEGIN " in base64.
        scan::after(value, "LS0tLS1CRUdJTi").any(|rest| {
            let head = run(rest, 80, is_base64);
            let decoded = decode_base64(&format!("LS0tLS1CRUdJTi{head}"));
            decoded.windows(16).any(|window| window == b"PRIVATE KEY-----")
        })
    };
    pem || encoded() || value.contains("PuTTY-User-Key-File-") && value.contains("Private-Lines:")
}

/// Three parts of base64url: an object with `alg`, an object, a signature.
fn jwt(value: &str) -> bool {
    /// No issuer writes a longer header, and few a larger token than fits a request.
    const MAX_HEADER: usize = 1024;
    const MAX_REST: usize = 8192;
    let object = |json: &[u8]| json.starts_with(b"{") && json.ends_with(b"}");
    // No boundary is asked for: some issuers put a prefix and a `_` before it.
    value.match_indices("eyJ").any(|(start, _)| {
        let rest = value.get(start..).unwrap_or_default();
        let header = run(rest, MAX_HEADER, is_url_safe);
        let Some(rest) = rest.get(header.len()..).and_then(|rest| rest.strip_prefix('.')) else {
            return false;
        };
        let json = decode_base64(header);
        if !object(&json) || !json.windows(5).any(|window| window == b"\"alg\"") {
            return false;
        }
        let mut parts = run(rest, MAX_REST, |byte| is_url_safe(byte) || byte == b'.').split('.');
        let (Some(payload), Some(signature)) = (parts.next(), parts.next()) else { return false };
        object(&decode_base64(payload)) && signature.len() >= 32 && varied(signature)
    })
}

/// Contents of `.npmrc`, `.netrc` or a Docker configuration.
fn credentials_file(value: &str) -> Option<&'static str> {
    let npmrc = ["_authToken=", "_auth=", "_password="].iter().any(|key| {
        value.match_indices(key).any(|(start, _)| {
            let before = value.get(..start).and_then(|before| before.bytes().next_back());
            // A line of the file starts with the key or with a registry's `//host/:`.
            if !matches!(before, None | Some(b':' | b'\n' | b' ')) {
                return false;
            }
            let secret = value.get(start + key.len()..).unwrap_or_default();
            let secret = secret.split(char::is_whitespace).next().unwrap_or_default();
            secret.len() >= 8 && !is_stand_in(secret) && !secret.starts_with('$')
        })
    });
    if npmrc {
        return Some("a .npmrc with a token");
    }
    let words: Vec<&str> = value.split_whitespace().take(64).collect();
    let field =
        |name: &str| words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1));
    if field("machine").is_some() && field("password").is_some_and(|secret| !is_stand_in(secret)) {
        return Some("a .netrc with a password");
    }
    let docker = value.contains("\"auths\"")
        && scan::after(value, "\"auth\"").any(|rest| {
            let rest = rest.trim_start().strip_prefix(':').unwrap_or_default().trim_start();
            let secret = rest.strip_prefix('"').map_or("", |rest| run(rest, 4096, is_base64));
            decode_base64(secret).contains(&b':')
        });
    docker.then_some("a Docker configuration with a password")
}

/// `Authorization: Bearer …`, also `Basic` and `token`.
fn authorization_header(value: &str) -> bool {
    let Some(rest) = find_ignore_case(value, "authorization:")
        .and_then(|at| value.get(at + "authorization:".len()..))
    else {
        return false;
    };
    let mut words = rest.split_whitespace();
    let scheme = words.next().unwrap_or_default().to_ascii_lowercase();
    let secret = words.next().unwrap_or_default();
    matches!(scheme.as_str(), "bearer" | "basic" | "token")
        && secret.len() >= 12
        && distinct(secret) >= 6
        && !secret.starts_with('$')
        && !is_stand_in(secret)
}

/// Whether a value can be what its name says: not a switch, a place, a reference or a stand-in.
pub(super) fn may_be(word: Word, name: &str, value: &str) -> bool {
    let value = value.trim();
    value.len() >= 3
        && !is_switch(value)
        && !is_stand_in(value)
        && !is_reference(value)
        && (!is_path(value) || is_aws_secret(value))
        && !is_file_name(value)
        && !is_public_key(name, value)
        // Small numbers count tokens and keys; a password may be one.
        && (word == Word::Password || value.len() > 6 || !value.bytes().all(|b| b.is_ascii_digit()))
}

fn is_switch(value: &str) -> bool {
    [
        "true", "false", "yes", "no", "on", "off", "enabled", "disabled", "auto", "required",
        "optional",
    ]
    .iter()
    .any(|switch| switch.eq_ignore_ascii_case(value))
}

/// A URL (its own shape was looked at before), an ARN, a secret manager's reference.
fn is_reference(value: &str) -> bool {
    let scheme = |name: &str| value.get(..name.len()).is_some_and(|s| s.eq_ignore_ascii_case(name));
    let resource = value.starts_with("projects/") && value.contains("/secrets/");
    let one_line = !value.contains(char::is_whitespace);
    one_line && (value.contains("://") && !value.starts_with("://") || resource)
        || ["arn:", "env:", "file:", "vault:", "secret:", "alias/", "ref+", "sm:", "ssm:"]
            .iter()
            .any(|name| scheme(name))
}

/// `/run/secrets/x`, `./x`, `~/x`, `C:\x`, without blanks.
fn is_path(value: &str) -> bool {
    let absolute = value.starts_with('/') && !value.ends_with("==");
    let relative = ["./", "../", "~/"].iter().any(|start| value.starts_with(start));
    let windows = value.get(1..3).is_some_and(|mark| mark == ":\\" || mark == ":/");
    (absolute || relative || windows) && !value.contains(char::is_whitespace)
}

/// Forty letters of base64, which may well begin with a slash.
fn is_aws_secret(value: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| value.bytes().any(|byte| kind(&byte));
    value.len() == 40
        && value.bytes().all(is_base64)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// `credentials.json`, `secrets/key.pem`: a name with the ending of a file.
fn is_file_name(value: &str) -> bool {
    const ENDINGS: [&str; 16] = [
        ".json", ".yaml", ".yml", ".toml", ".txt", ".pem", ".key", ".crt", ".cer", ".p12", ".pfx",
        ".jks", ".env", ".gpg", ".asc", ".enc",
    ];
    let named = |byte: u8| is_url_safe(byte) || matches!(byte, b'.' | b'/');
    value.len() < 128
        && value.bytes().all(named)
        && ENDINGS.iter().any(|ending| value.ends_with(ending))
}

/// A public key, or the fingerprint of one where the name speaks of signing.
fn is_public_key(name: &str, value: &str) -> bool {
    let public = ["ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-", "sk-ssh-", "age1"]
        .iter()
        .any(|start| value.starts_with(start));
    let digits = value.strip_prefix("0x").unwrap_or(value);
    let fingerprint = matches!(digits.len(), 8 | 16 | 40)
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && find_ignore_case(name, "signing").is_some();
    let certificate = value.contains("-----BEGIN PUBLIC KEY") || value.contains("BEGIN PGP PUBLIC");
    public || fingerprint || certificate
}
