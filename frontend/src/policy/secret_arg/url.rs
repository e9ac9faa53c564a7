//! URLs and connection strings that carry a password.

use super::Shape;
use super::scan::after;
use super::text::{distinct, is_stand_in, is_url_safe, run, varied};

/// Whether a URL within the text has a password before its `@`.
pub(super) fn has_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, mark)| {
        let scheme = text.get(..at).and_then(|before| before.bytes().next_back());
        let rest = text.get(at + mark.len()..).unwrap_or_default();
        scheme.is_some_and(|byte| byte.is_ascii_alphanumeric()) && authority_has_password(rest)
    })
}

/// Whether a proxy's address has one; the scheme may be left out there.
pub(super) fn proxy_password(text: &str) -> bool {
    if text.contains("://") { has_password(text) } else { authority_has_password(text) }
}

fn authority_has_password(rest: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || "/?#\"'`<\\".contains(c);
    let end = rest.find(ends).unwrap_or(rest.len());
    let Some((userinfo, host)) = rest.get(..end).and_then(|authority| authority.rsplit_once('@'))
    else {
        return false;
    };
    // `docker-image://alpine:3.20@sha256:…` is an image and its digest.
    let digest = ["sha256:", "sha384:", "sha512:"].iter().any(|name| host.starts_with(name));
    let Some((user, password)) = userinfo.split_once(':') else { return false };
    // user = password is a public default: postgres:postgres.
    !digest
        && !host.is_empty()
        && !password.is_empty()
        && password != user
        && !is_filled_in_later(password)
        && !is_stand_in(password)
}

/// A variable anywhere in the password: somebody else puts it in.
fn is_filled_in_later(password: &str) -> bool {
    password.contains("${") || password.starts_with('$') || password.contains("{{")
}

/// The credential among a URL's parameters or a connection string's fields.
pub(super) fn parameter(text: &str) -> Option<Shape> {
    if let Some((_, query)) = text.split_once("://").and_then(|(_, rest)| rest.split_once('?')) {
        let pairs = || query.split(['&', ';', '#']).filter_map(|pair| pair.split_once('='));
        let has = |wanted: &str| pairs().any(|(key, _)| key == wanted);
        let secret = pairs().any(|(key, value)| {
            let key = key.to_ascii_lowercase();
            let named =
                matches!(key.as_str(), "password" | "passwd" | "access_token") && value.len() >= 4;
            // A shared access signature of Azure, signed requests of AWS and Google.
            let azure = key == "sig" && has("se") && has("sp") && value.len() >= 40;
            let signed =
                matches!(key.as_str(), "x-amz-signature" | "x-goog-signature") && value.len() >= 64;
            (named || azure || signed) && !is_stand_in(value) && !is_filled_in_later(value)
        });
        if secret {
            return Some(Shape::UrlParameter);
        }
    }
    fields(text).then_some(Shape::ConnectionString)
}

/// `Server=db;User Id=app;Password=…`, `AccountName=x;AccountKey=…`.
fn fields(text: &str) -> bool {
    let pairs = || {
        text.split(';').filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.trim().to_ascii_lowercase(), value.trim()))
        })
    };
    let target = pairs().any(|(key, _)| {
        matches!(
            key.as_str(),
            "server" | "data source" | "host" | "endpoint" | "accountname" | "addr" | "address"
        )
    });
    let secret = pairs().any(|(key, value)| match key.as_str() {
        "password" | "pwd" => {
            !value.is_empty() && !is_stand_in(value) && !is_filled_in_later(value)
        }
        "accountkey" | "sharedaccesskey" | "sharedaccesssignature" => {
            value.len() >= 40 && distinct(value) >= 8 && !is_filled_in_later(value)
        }
        _ => false,
    });
    target && secret
}

/// A web hook, whose path is the credential.
pub(super) fn web_hook(text: &str) -> Option<Shape> {
    // Team, channel and a random end.
    let slack = after(text, "hooks.slack.com/services/").any(|path| {
        let mut parts = path.split('/').map(|part| run(part, 64, is_url_safe));
        [9, 9, 20].iter().all(|&length| {
            parts.next().is_some_and(|part| part.len() >= length && distinct(part) >= 5)
        })
    });
    if slack {
        return Some(Shape::WebHook("Slack"));
    }
    let discord = ["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"]
        .into_iter()
        .any(|host| after(text, host).any(discord_path));
    discord.then_some(Shape::WebHook("Discord"))
}

/// A number and a random end.
fn discord_path(path: &str) -> bool {
    path.split_once('/').is_some_and(|(id, token)| {
        let token = run(token, 128, is_url_safe);
        id.len() >= 17
            && id.bytes().all(|byte| byte.is_ascii_digit())
            && token.len() >= 60
            && varied(token)
    })
}
