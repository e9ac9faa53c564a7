//! Whether a `--build-arg NAME=VALUE` hands over a secret.
//!
//! A build argument ends in the image's history, in provenance and in the
//! engine's records, so a secret in one is refused. Two independent signs
//! count: a value of a known credential's strict shape, and a name that says
//! the value *is* a secret (not where one lies, how long one is, or which).
//! A false positive stops a build for nothing, so every doubt counts as "no".

mod advice;
mod name;
mod token;
mod url;
mod value;

use std::fmt;

#[cfg(test)]
use cofferdam_search::shape::checksum;
use cofferdam_search::shape::{scan, text};

pub use self::advice::advice;

/// A build argument that hands over a secret; holds nothing of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretArg {
    /// What gave it away.
    pub reason: Reason,
    /// The build secret's id to use instead, made of `a-z 0-9 _`.
    pub suggestion: String,
}

/// What gave a secret away; `Display` is a clause that never contains the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The name says so.
    Name(Word),
    /// The value has the shape of a credential.
    Value(Shape),
    /// The value of a proxy variable carries a user's password.
    Proxy,
    /// The name itself is a credential: somebody left out `NAME=`.
    CredentialAsName(Shape),
}

/// The kind of secret a name speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// PASSWORD, PASSWD, PASSPHRASE, or PASS and PWD after what they open.
    Password,
    /// SECRET, as in CLIENT_SECRET.
    Secret,
    /// TOKEN, BEARER, or PAT after whose it is.
    Token,
    /// KEY, after a word that makes it a secret one: API_KEY, PRIVATE_KEY.
    Key,
    /// CREDENTIALS, CREDS, and files of them: NETRC, DOCKER_AUTH_CONFIG.
    Credentials,
}

/// The shape of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A service's token with its own prefix; the text names the service.
    Token(&'static str),
    /// A JSON Web Token with a signature.
    Jwt,
    /// A private key: PEM, also in base64, PuTTY or age.
    PrivateKey,
    /// A URL with a password before the `@`.
    UrlPassword,
    /// A URL with a password or a signature among its parameters.
    UrlParameter,
    /// A connection string with a password or an account key.
    ConnectionString,
    /// A web hook's URL, which is all one needs to post there.
    WebHook(&'static str),
    /// Contents of a credentials file; the text names the file.
    CredentialsFile(&'static str),
    /// An `Authorization` header.
    AuthorizationHeader,
}

/// Decides whether a build argument hands over a secret.
///
/// `value` is what the build would get, after the environment was read for an
/// argument without `=`.
pub fn secret_build_arg(name: &str, value: &str) -> Option<SecretArg> {
    let reason = reason(name, value)?;
    Some(SecretArg { reason, suggestion: advice::secret_id(name, reason) })
}

/// The shape of a credential in any text.
pub fn credential_shape(text: &str) -> Option<Shape> {
    value::shape(text)
}

/// The secret that a variable of this name holds; `None` for proxies, which need none.
pub fn secret_name(name: &str) -> Option<Word> {
    if name::is_proxy(name) { None } else { name::secret_word(name) }
}

/// Whether a URL within a text has a password, and no public default.
pub fn url_password(text: &str) -> bool {
    url::has_password(text)
}

/// Whether a text stands where a secret would be put.
pub fn is_stand_in(text: &str) -> bool {
    text::is_stand_in(text)
}

/// Whether a password is one that everybody tries first: a word of its own name, or of a short list.
pub fn is_well_known(name: &str, value: &str) -> bool {
    const KNOWN: [&str; 18] = [
        "123456",
        "12345678",
        "1234",
        "admin",
        "administrator",
        "docker",
        "guest",
        "jenkins",
        "letmein",
        "mysql",
        "oracle",
        "pass",
        "postgres",
        "qwerty",
        "root",
        "user",
        "vagrant",
        "welcome",
    ];
    let value = value.trim().to_ascii_lowercase();
    let own = name.split('_').any(|word| word.eq_ignore_ascii_case(&value));
    own || KNOWN.contains(&value.as_str())
}

fn reason(name: &str, value: &str) -> Option<Reason> {
    if let Some(shape) = token::find(name) {
        return Some(Reason::CredentialAsName(shape));
    }
    if name::is_proxy(name) {
        return url::proxy_password(value).then_some(Reason::Proxy);
    }
    let public = name::is_public(name);
    match value::shape(value) {
        // Keys that browsers are meant to hold: anonymous JWTs, map keys.
        Some(Shape::Jwt | Shape::Token(token::GOOGLE)) if public => {}
        Some(shape) => return Some(Reason::Value(shape)),
        None => {}
    }
    let word = name::secret_word(name)?;
    value::may_be(word, name, value).then_some(Reason::Name(word))
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(word) => write!(f, "its name says that it is {word}"),
            Self::Value(shape) => write!(f, "its value is {shape}"),
            Self::Proxy => f.write_str("its value is a proxy address with a password"),
            Self::CredentialAsName(shape) => write!(f, "what stands as its name is {shape}"),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password => "a password",
            Self::Secret => "a secret",
            Self::Token => "a token",
            Self::Key => "a secret key",
            Self::Credentials => "a set of credentials",
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(what) => write!(f, "{what}"),
            Self::Jwt => f.write_str("a signed JSON Web Token"),
            Self::PrivateKey => f.write_str("a private key"),
            Self::UrlPassword => f.write_str("a URL with a password"),
            Self::UrlParameter => f.write_str("a URL with a credential among its parameters"),
            Self::ConnectionString => f.write_str("a connection string with a credential"),
            Self::WebHook(service) => write!(f, "a {service} web hook address"),
            Self::CredentialsFile(file) => write!(f, "the contents of {file}"),
            Self::AuthorizationHeader => f.write_str("an authorization header"),
        }
    }
}

#[cfg(test)]
mod tests;
