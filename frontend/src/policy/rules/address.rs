//! What an address of ADD or `git clone` is, as BuildKit and git decide it.

/// Where a source of ADD lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address<'a> {
    /// A file or directory of the context, or what cannot be told.
    Local,
    /// A file behind http or https.
    Download,
    /// A git repository, and what it names of it.
    Git { reference: Option<&'a str> },
}

/// Sorts a source; Reference: `ParseGitRef` of BuildKit's `util/gitutil`.
pub(super) fn of(text: &str) -> Address<'_> {
    let lower = text.to_ascii_lowercase();
    let web = lower.starts_with("http://") || lower.starts_with("https://");
    let end = text.find(['#', '?']).unwrap_or(text.len());
    let (path, tail) = text.split_at_checked(end).unwrap_or((text, ""));
    if web && !path.ends_with(".git") {
        return Address::Download;
    }
    if web || is_git_only(&lower) {
        return Address::Git { reference: reference(tail) };
    }
    Address::Local
}

/// Schemes and forms that only git has.
pub(super) fn is_git_only(lower: &str) -> bool {
    let scheme = ["git://", "ssh://", "git+ssh://"].iter().any(|start| lower.starts_with(start));
    // `git@host:path`
    let short = lower.split_once(':').is_some_and(|(host, path)| {
        let user_host = host.split_once('@');
        user_host.is_some_and(|(user, host)| {
            let plain = |part: &str| {
                let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
                !part.is_empty() && part.bytes().all(named)
            };
            plain(user) && plain(host)
        }) && !path.is_empty()
    });
    scheme || short
}

/// The branch, tag or commit in `#ref:dir` or `?ref=…`.
fn reference(tail: &str) -> Option<&str> {
    if let Some(fragment) = tail.strip_prefix('#') {
        let name = fragment.split(':').next().unwrap_or_default();
        return (!name.is_empty()).then_some(name);
    }
    let pairs = || tail.strip_prefix('?').unwrap_or_default().split('&');
    let value = |key: &str| pairs().find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    ["commit", "checksum", "ref", "tag", "branch"].into_iter().find_map(value)
}

/// A whole commit id of SHA-1 or SHA-256.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_sources() {
        let git = |reference| Address::Git { reference };
        for (text, expected) in [
            ("https://e.com/a", Address::Download),
            ("https://e.com/a.git.tgz", Address::Download),
            ("https://e.com/a?x=.git", Address::Download),
            ("https://e.com/a.git", git(None)),
            ("https://e.com/a.git#v1:docs", git(Some("v1"))),
            ("https://e.com/a.git#:docs", git(None)),
            ("https://e.com/a.git?branch=x&commit=ab", git(Some("ab"))),
            ("git@e.com:a/b#v1", git(Some("v1"))),
            ("git://e.com/a", git(None)),
            ("a", Address::Local),
            ("a@b", Address::Local),
            ("C:\\a@b", Address::Local),
            ("dir/a@b:c", Address::Local),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }
}
