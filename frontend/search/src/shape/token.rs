//! Tokens that name their issuer by a prefix.
//!
//! A row matches only with the exact alphabet and length, and with the
//! checksum where the issuer documents one. Rows without a checksum also ask
//! for a random look, so that a stand-in of the right length does not match.

use super::checksum::{ends_in_crc36, ends_in_crc62};
use super::scan::after;
use super::text::{is_url_safe, run, varied};

/// The description of AWS's access key ids, which are no secret alone.
pub const AWS: &str = "an AWS access key id";
/// The description of Google's API keys, which are public in browsers.
pub const GOOGLE: &str = "a Google API key";

struct Row {
    prefix: &'static str,
    what: &'static str,
    /// The bytes the token continues with; the first other byte ends it.
    alphabet: fn(u8) -> bool,
    /// Lengths after the prefix.
    lengths: std::ops::RangeInclusive<usize>,
    /// What else must hold of the part after the prefix.
    check: fn(&str) -> bool,
}

const fn row(
    prefix: &'static str,
    what: &'static str,
    alphabet: fn(u8) -> bool,
    lengths: std::ops::RangeInclusive<usize>,
    check: fn(&str) -> bool,
) -> Row {
    Row { prefix, what, alphabet, lengths, check }
}

fn alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn base32(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'2'..=b'7')
}

fn dotted(byte: u8) -> bool {
    is_url_safe(byte) || byte == b'.'
}

/// Alphabet of bech32 in upper case.
fn bech32(byte: u8) -> bool {
    b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".contains(&byte)
}

const GITHUB: &str = "a GitHub token";
const GITLAB: &str = "a GitLab token";
const SLACK: &str = "a Slack token";
const OPENAI: &str = "an OpenAI API key";
const ANTHROPIC: &str = "an Anthropic API key";
const PYPI: &str = "a PyPI token";
const STRIPE: &str = "a Stripe live key";

static ROWS: [Row; 46] = [
    row("ghp_", GITHUB, alnum, 36..=251, ends_in_crc62),
    row("gho_", GITHUB, alnum, 36..=251, ends_in_crc62),
    row("ghu_", GITHUB, alnum, 36..=251, ends_in_crc62),
    row("ghr_", GITHUB, alnum, 36..=251, ends_in_crc62),
    row("ghs_", GITHUB, alnum, 36..=251, ends_in_crc62),
    row("github_pat_", GITHUB, word, 82..=82, |t| t.as_bytes().get(22) == Some(&b'_') && varied(t)),
    row("npm_", "an npm token", alnum, 36..=36, ends_in_crc62),
    row("glpat-", GITLAB, is_url_safe, 20..=20, mixed),
    row("gldt-", GITLAB, is_url_safe, 20..=20, mixed),
    row("glrt-", GITLAB, is_url_safe, 20..=20, mixed),
    row("glptt-", GITLAB, hex, 40..=40, varied),
    row("gloas-", GITLAB, hex, 64..=64, varied),
    row("glagent-", GITLAB, is_url_safe, 50..=50, mixed),
    row("AKIA", AWS, base32, 16..=16, aws),
    row("ASIA", AWS, base32, 16..=16, aws),
    row("xoxb-", SLACK, is_url_safe, 36..=255, slack),
    row("xoxp-", SLACK, is_url_safe, 36..=255, slack),
    row("xoxa-", SLACK, is_url_safe, 36..=255, slack),
    row("xoxs-", SLACK, is_url_safe, 36..=255, slack),
    row("xoxr-", SLACK, is_url_safe, 36..=255, slack),
    row("xapp-1-", SLACK, is_url_safe, 80..=200, varied),
    row("sk_live_", STRIPE, alnum, 24..=247, mixed),
    row("rk_live_", STRIPE, alnum, 24..=247, mixed),
    // A macaroon of location pypi.org or test.pypi.org.
    row("pypi-AgEIcHlwaS5vcmc", PYPI, is_url_safe, 70..=2000, varied),
    row("pypi-AgENdGVzdC5weXBpLm9yZw", PYPI, is_url_safe, 70..=2000, varied),
    row("AIza", GOOGLE, is_url_safe, 35..=35, mixed),
    row("sk-ant-api03-", ANTHROPIC, is_url_safe, 95..=95, |t| t.ends_with("AA") && mixed(t)),
    row("sk-ant-admin01-", ANTHROPIC, is_url_safe, 95..=95, |t| t.ends_with("AA") && mixed(t)),
    row("sk-ant-oat01-", "an Anthropic OAuth token", is_url_safe, 80..=120, mixed),
    row("sk-proj-", OPENAI, is_url_safe, 40..=200, openai),
    row("sk-svcacct-", OPENAI, is_url_safe, 40..=200, openai),
    row("sk-admin-", OPENAI, is_url_safe, 40..=200, openai),
    row("sk-", OPENAI, alnum, 48..=48, |t| t.get(20..28) == Some("T3BlbkFJ")),
    row("hf_", "a Hugging Face token", alnum, 34..=34, mixed),
    row("dckr_pat_", "a Docker Hub token", is_url_safe, 27..=27, mixed),
    row("dop_v1_", "a DigitalOcean token", hex, 64..=64, varied),
    row("SG.", "a SendGrid key", dotted, 66..=66, |t| {
        t.as_bytes().get(22) == Some(&b'.') && mixed(t)
    }),
    row("hvs.", "a HashiCorp Vault token", is_url_safe, 90..=300, mixed),
    row("shpat_", "a Shopify token", hex, 32..=32, varied),
    row("rubygems_", "a RubyGems key", hex, 48..=48, varied),
    row("dapi", "a Databricks token", hex, 32..=32, varied),
    row("NRAK-", "a New Relic key", alnum, 27..=27, varied),
    row("sntryu_", "a Sentry token", hex, 64..=64, varied),
    row("ATATT3", "an Atlassian token", |b| is_url_safe(b) || b == b'=', 180..=220, mixed),
    row("lin_api_", "a Linear key", alnum, 40..=40, mixed),
    row("AGE-SECRET-KEY-1", "an age private key", bech32, 58..=58, varied),
];

/// A token within a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    /// Whose it is, with an article.
    pub what: &'static str,
    /// Where it begins, in bytes.
    pub at: usize,
    /// What follows its prefix.
    pub body: &'t str,
    /// Whether its issuer's checksum says that it is one.
    pub checked: bool,
}

/// The first token found in a text.
pub fn find(text: &str) -> Option<Token<'_>> {
    find_if(text, |_| true)
}

/// The first token that is `wanted`.
pub fn find_if<'t>(text: &'t str, wanted: impl Fn(&Token<'t>) -> bool) -> Option<Token<'t>> {
    let bytes = text.as_bytes();
    let (mut inside, mut routable) = (false, false);
    // One way through the text for all rows: most bytes begin none of them.
    for (at, byte) in bytes.iter().enumerate() {
        let begins = !inside && starts_row(*byte, bytes.get(at + 1).copied().unwrap_or_default());
        inside = word(*byte);
        let Some(rest) = text.get(at..).filter(|_| begins) else { continue };
        routable |= rest.starts_with(ROUTABLE);
        let token = ROWS.iter().find_map(|row| {
            let rest = rest.strip_prefix(row.prefix)?;
            // One byte more than allowed, so that a longer run does not match.
            let body = run(rest, row.lengths.end() + 1, row.alphabet);
            let fits = row.lengths.contains(&body.len()) && !continues(rest, body);
            let checked = SUMMED.iter().any(|prefix| row.prefix.starts_with(prefix));
            (fits && (row.check)(body)).then_some(Token { what: row.what, at, body, checked })
        });
        if let Some(token) = token.filter(&wanted) {
            return Some(token);
        }
    }
    if routable { gitlab_routable(text).filter(wanted) } else { None }
}

/// The prefix of GitLab's newer tokens, whose bodies have dots.
const ROUTABLE: &str = "glpat-";

/// Prefixes of tokens that end in a checksum.
const SUMMED: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghr_", "ghs_", "npm_"];

/// Whether some row's prefix begins with these two bytes.
fn starts_row(first: u8, second: u8) -> bool {
    match first {
        b'g' => matches!(second, b'h' | b'i' | b'l'),
        b'n' => second == b'p',
        b'A' => matches!(second, b'K' | b'S' | b'I' | b'T' | b'G'),
        b'x' => matches!(second, b'o' | b'a'),
        b's' => matches!(second, b'k' | b'h' | b'n'),
        b'r' => matches!(second, b'k' | b'u'),
        b'p' => second == b'y',
        b'h' => matches!(second, b'f' | b'v'),
        b'd' => matches!(second, b'c' | b'o' | b'a'),
        b'S' => second == b'G',
        b'N' => second == b'R',
        b'l' => second == b'i',
        _ => false,
    }
}

/// Whether a word goes on after the token, which then is none.
fn continues(rest: &str, body: &str) -> bool {
    rest.as_bytes().get(body.len()).is_some_and(|&byte| word(byte))
}

/// GitLab's tokens since 18: `glpat-<payload>.01.<length><checksum>`.
fn gitlab_routable(text: &str) -> Option<Token<'_>> {
    after(text, ROUTABLE).find_map(|rest| {
        let body = run(rest, 512, dotted);
        let at = text.len() - rest.len() - ROUTABLE.len();
        // The checksum covers the prefix as well.
        let summed = body.split('.').count() == 3
            && body.len() > 36
            && ends_in_crc36(&format!("{ROUTABLE}{body}"));
        summed.then_some(Token { what: GITLAB, at, body, checked: true })
    })
}

/// Both cases and a random look.
fn mixed(body: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| body.bytes().any(|byte| kind(&byte));
    has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && varied(body)
}

/// Letters and digits, and not the key of Amazon's documentation.
fn aws(body: &str) -> bool {
    varied(body) && !body.ends_with("EXAMPLE")
}

/// Numbers of workspace and user first, a random end.
fn slack(body: &str) -> bool {
    let first = body.split('-').next().unwrap_or_default();
    first.len() >= 9 && first.bytes().all(|byte| byte.is_ascii_digit()) && varied(body)
}

/// The issuer's name in base64 stands in the middle of every key.
fn openai(body: &str) -> bool {
    body.contains("T3BlbkFJ") && mixed(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rows_beginning_is_looked_at() {
        for row in &ROWS {
            let [first, second, ..] = row.prefix.as_bytes() else { panic!("{}", row.prefix) };
            assert!(starts_row(*first, *second), "{}", row.prefix);
        }
    }
}
