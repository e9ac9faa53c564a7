//! What to do instead, ready to copy.

use super::{Reason, SecretArg};

/// The advice for one refused argument, two or three lines; never contains the value.
///
/// `name` is the argument's name as given. The form that reads the file works
/// with every engine; `env=` on a mount needs a newer Dockerfile frontend.
pub fn advice(name: &str, found: &SecretArg) -> String {
    let id = &found.suggestion;
    if let Reason::CredentialAsName(_) = found.reason {
        return format!(
            "a build argument is NAME=VALUE, and this one's name is the secret: revoke it, and\n\
             pass the new one as a build secret: --secret id={id},env=VARIABLE"
        );
    }
    if found.reason == Reason::Proxy {
        let key = proxy_key(name);
        return format!(
            "put the address into config.json of the Docker client, where steps get it from and the\n\
             record leaves its password out: {{\"proxies\": {{\"default\": {{\"{key}\": \"…\"}}}}}}\n\
             or use a proxy that needs no password, for example one on this machine that logs in"
        );
    }
    // A name with other letters is no variable that a shell could hold.
    let (source, variable) = if is_variable(name) {
        (format!("--secret id={id},env={name}"), name.to_owned())
    } else {
        (format!("--secret id={id},src=FILE"), id.to_ascii_uppercase())
    };
    let read = format!("RUN --mount=type=secret,id={id} {variable}=\"$(cat /run/secrets/{id})\" …");
    format!("pass it as a build secret: {source}\nand in the Dockerfile: {read}")
}

/// What `proxies` of config.json calls the proxy of a variable; it knows no `ALL_PROXY`.
fn proxy_key(name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "https_proxy" => "httpsProxy",
        "ftp_proxy" => "ftpProxy",
        _ => "httpProxy",
    }
}

/// The id of the build secret that replaces an argument.
pub(super) fn secret_id(name: &str, reason: Reason) -> String {
    const FALLBACK: &str = "build_secret";
    if matches!(reason, Reason::CredentialAsName(_)) {
        return FALLBACK.to_owned();
    }
    let id: String = name
        .chars()
        .take(64)
        .map(
            |letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' },
        )
        .collect();
    let id = id.trim_matches('_');
    if id.is_empty() { FALLBACK.to_owned() } else { id.to_owned() }
}

fn is_variable(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
