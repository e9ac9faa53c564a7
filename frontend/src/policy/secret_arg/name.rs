//! What a name says about its value.
//!
//! English puts the thing last: TOKEN_URL is a URL, SECRET_NAME a name,
//! PASSWORD_MIN_LENGTH a length, NPM_TOKEN a token. So only the last word
//! counts, and for words with a second meaning (KEY, PASS, PAT) the one before
//! it must settle the meaning. BuildKit's own rule looks for these words
//! anywhere and therefore also reports CACHE_KEY and TOKEN_URL.

use super::Word;

/// Names that end in no secret word but hold a secret by their owner's definition.
const EXACT: [(&str, Word); 14] = [
    ("NETRC", Word::Credentials),
    ("DOCKER_AUTH", Word::Credentials),
    ("DOCKER_AUTH_CONFIG", Word::Credentials),
    ("DOCKERCONFIGJSON", Word::Credentials),
    ("COMPOSER_AUTH", Word::Credentials),
    ("NPM_AUTH", Word::Credentials),
    ("NPM_CONFIG__AUTH", Word::Credentials),
    ("GIT_AUTH_HEADER", Word::Credentials),
    ("REDISCLI_AUTH", Word::Password),
    ("SECRET_KEY_BASE", Word::Key),
    ("NEW_RELIC_LICENSE_KEY", Word::Key),
    ("SSHPASS", Word::Password),
    ("VAULT_UNSEAL_KEY", Word::Key),
    ("SOPS_AGE_KEY", Word::Key),
];

/// Words that end a name without changing what it is: NPM_TOKEN_PROD.
const SUFFIXES: [&str; 7] = ["PROD", "PRODUCTION", "STAGING", "DEV", "BASE64", "B64", "VALUE"];

/// Words that turn a name into a published thing, a stand-in, a switch, an order or a count.
const HARMLESS: &[&str] = &[
    "PUBLIC",
    "PUB",
    "PUBLISHABLE",
    "ANON",
    "ANONYMOUS",
    "DUMMY",
    "FAKE",
    "MOCK",
    "EXAMPLE",
    "SAMPLE",
    "PLACEHOLDER",
    "EMPTY",
    "USE",
    "USES",
    "USING",
    "NO",
    "NOT",
    "SKIP",
    "ALLOW",
    "ALLOWED",
    "REQUIRE",
    "REQUIRES",
    "REQUIRED",
    "DISABLE",
    "DISABLED",
    "ENABLE",
    "ENABLED",
    "HAS",
    "IS",
    "WITH",
    "WITHOUT",
    "SHOW",
    "HIDE",
    "RESET",
    "FORGOT",
    "CHANGE",
    "ROTATE",
    "VALIDATE",
    "VERIFY",
    "CHECK",
    "GENERATE",
    "RANDOM",
    "CREATE",
    "FORCE",
    "EXPIRE",
    "MAX",
    "MIN",
    "NUM",
    "TOTAL",
    "COUNT",
];

/// Orchestrators whose secrets go by names: K8S_SECRET is which one, not what is in it.
const SECRET_STORES: &[&str] =
    &["K8S", "KUBE", "KUBERNETES", "HELM", "VAULT", "PULL", "TLS", "DOCKER", "SWARM"];

/// Words before TOKEN that make it a piece of text or a page.
const TEXT_TOKENS: [&str; 18] = [
    "PAD",
    "EOS",
    "BOS",
    "UNK",
    "MASK",
    "SEP",
    "CLS",
    "EOT",
    "STOP",
    "START",
    "END",
    "NEXT",
    "SPECIAL",
    "PAGE",
    "CONTINUATION",
    "DESIGN",
    "PROMPT",
    "CSRF",
];

/// Words before KEY that make it a secret.
const SECRET_KEYS: [&str; 15] = [
    "API",
    "ACCESS",
    "SECRET",
    "PRIVATE",
    "PRIV",
    "SIGNING",
    "ENCRYPTION",
    "DECRYPTION",
    "MASTER",
    "DEPLOY",
    "SSH",
    "AUTH",
    "ROLE",
    "HMAC",
    "JWT",
];

/// What a PASS, a PWD or a word glued to PASSWORD opens.
const OWNERS: [&str; 45] = [
    "DB",
    "DATABASE",
    "PG",
    "POSTGRES",
    "POSTGRESQL",
    "MYSQL",
    "MARIADB",
    "MSSQL",
    "SA",
    "MONGO",
    "MONGODB",
    "REDIS",
    "RABBITMQ",
    "LDAP",
    "SMTP",
    "MAIL",
    "EMAIL",
    "FTP",
    "SFTP",
    "SSH",
    "GIT",
    "GITHUB",
    "GITLAB",
    "BITBUCKET",
    "NPM",
    "NEXUS",
    "ARTIFACTORY",
    "MAVEN",
    "DOCKER",
    "REGISTRY",
    "PROXY",
    "VNC",
    "USER",
    "ROOT",
    "ADMIN",
    "SUDO",
    "LOGIN",
    "AUTH",
    "KEYSTORE",
    "TRUSTSTORE",
    "STORE",
    "CERT",
    "SERVICE",
    "BASIC",
    "DEFAULT",
];

/// Whose a PAT is; alone it may be a pattern.
const PAT_OWNERS: [&str; 13] = [
    "GH",
    "GITHUB",
    "GITLAB",
    "GL",
    "GIT",
    "AZURE",
    "AZDO",
    "ADO",
    "DEVOPS",
    "DOCKER",
    "DOCKERHUB",
    "BITBUCKET",
    "NPM",
];

/// Words that are two written as one.
const GLUED: [(&str, &str, &str); 16] = [
    ("APIKEY", "API", "KEY"),
    ("ACCESSKEY", "ACCESS", "KEY"),
    ("SECRETKEY", "SECRET", "KEY"),
    ("PRIVATEKEY", "PRIVATE", "KEY"),
    ("PRIVKEY", "PRIV", "KEY"),
    ("SIGNINGKEY", "SIGNING", "KEY"),
    ("MASTERKEY", "MASTER", "KEY"),
    ("DEPLOYKEY", "DEPLOY", "KEY"),
    ("SSHKEY", "SSH", "KEY"),
    ("AUTHKEY", "AUTH", "KEY"),
    ("AUTHTOKEN", "AUTH", "TOKEN"),
    ("ACCESSTOKEN", "ACCESS", "TOKEN"),
    ("APITOKEN", "API", "TOKEN"),
    ("APPSECRET", "APP", "SECRET"),
    ("CLIENTSECRET", "CLIENT", "SECRET"),
    ("JWTSECRET", "JWT", "SECRET"),
];

/// Prefixes whose variables a bundler copies into the code that browsers load.
const BUNDLED: [&str; 5] = ["VITE_", "REACT_APP_", "VUE_APP_", "GATSBY_", "EXPO_PUBLIC_"];

/// Whether the name is one of the proxy variables, in either case.
pub(super) fn is_proxy(name: &str) -> bool {
    ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY"]
        .iter()
        .any(|proxy| proxy.eq_ignore_ascii_case(name))
}

/// Whether the name says that everybody may see the value.
pub(super) fn is_public(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    BUNDLED.iter().any(|prefix| name.starts_with(prefix))
        || words(&name).iter().any(|word| {
            matches!(
                word.as_str(),
                "PUBLIC" | "PUBLISHABLE" | "ANON" | "FIREBASE" | "MAPS" | "BROWSER" | "SEARCH"
            )
        })
}

/// The kind of secret a name says its value is, if it does.
pub(super) fn secret_word(name: &str) -> Option<Word> {
    let upper = name.trim_start_matches('_').to_ascii_uppercase().replace('-', "_");
    if let Some((_, word)) = EXACT.iter().find(|(exact, _)| *exact == upper) {
        return Some(*word);
    }
    let mut words = words(name);
    while words.len() > 1 && words.last().is_some_and(|word| is_suffix(word)) {
        words.pop();
    }
    let any_of = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if any_of(HARMLESS) {
        return None;
    }
    let (stored, managed) = (any_of(SECRET_STORES), any_of(&["KMS"]));
    let last = words.pop()?;
    let last = last.trim_end_matches(|c: char| c.is_ascii_digit());
    let (before, last) = match GLUED.iter().find(|(glued, ..)| *glued == last) {
        Some((_, before, last)) => (*before, *last),
        None => (words.last().map_or("", String::as_str), last),
    };
    let word = match last {
        "PASSWORD" | "PASSWD" | "PASSPHRASE" | "PASSWORT" => Word::Password,
        "PASS" | "PWD" | "PW" if OWNERS.contains(&before) => Word::Password,
        "SECRET" if !stored => Word::Secret,
        "TOKEN" if !TEXT_TOKENS.contains(&before) => Word::Token,
        "PAT" if PAT_OWNERS.contains(&before) => Word::Token,
        "BEARER" => Word::Token,
        "KEY" if SECRET_KEYS.contains(&before) && !managed => Word::Key,
        "CREDENTIAL" | "CREDENTIALS" | "CREDS" => Word::Credentials,
        _ => glued_to_owner(last)?,
    };
    // A bundled token or key may be a published one; a password never is.
    let publishable = matches!(word, Word::Token | Word::Key);
    if publishable && is_public(name) { None } else { Some(word) }
}

/// PGPASSWORD, GITHUBTOKEN: an owner and a secret word without a separator.
fn glued_to_owner(word: &str) -> Option<Word> {
    let ends = [("PASSWORD", Word::Password), ("PASSWD", Word::Password), ("TOKEN", Word::Token)];
    ends.into_iter().find_map(|(end, kind)| {
        let owner = word.strip_suffix(end)?;
        (OWNERS.contains(&owner) || PAT_OWNERS.contains(&owner)).then_some(kind)
    })
}

fn is_suffix(word: &str) -> bool {
    SUFFIXES.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a name in upper case: split at anything but letters and digits, and in camelCase.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for letter in name.chars() {
        let starts = !letter.is_ascii_alphanumeric() || after_lower && letter.is_ascii_uppercase();
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(letter.to_ascii_uppercase());
        }
        after_lower = letter.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}
