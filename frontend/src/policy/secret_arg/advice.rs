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
    // A name with other letters is no variable that a shell could hold.
    let (source, variable) = if is_variable(name) {
        (format!("--secret id={id},env={name}"), name.to_owned())
    } else {
        (format!("--secret id={id},src=FILE"), id.to_ascii_uppercase())
    };
    let read = format!("RUN --mount=type=secret,id={id} {variable}=\"$(cat /run/secrets/{id})\" …");
    let first = match found.reason {
        Reason::Proxy => {
            "use a proxy address without a password; if it needs one, pass it as a build secret"
        }
        _ => "pass it as a build secret",
    };
    format!("{first}: {source}\nand in the Dockerfile: {read}")
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
