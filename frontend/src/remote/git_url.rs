//! Addresses of git repositories, as `docker build` understands them.
//!
//! Sources: moby/buildkit, util/gitutil/git_url.go and frontend/dockerfile/dfgitutil/git_ref.go.

use std::fmt;

use crate::graph::without_credentials;

/// A git repository as a build context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitContext {
    /// What git is given, credentials included: `https://…`, `ssh://…`, `git@host:path`.
    pub remote: String,
    /// Branch, tag or commit; without it the default branch.
    pub reference: Option<String>,
    /// The directory that is the context, relative, without `..`.
    pub subdir: Option<String>,
    /// Whether `.git` is a part of the context.
    pub keep_git_dir: bool,
    /// Whether submodules are.
    pub submodules: bool,
    /// The commit, or its first digits, that the reference must name.
    pub commit: Option<String>,
    /// Whether that commit is fetched whatever the reference names now.
    pub fetch_by_commit: bool,
    /// Whether files have the time of the commit instead of that of the checkout.
    pub commit_times: bool,
    /// Lines of a `known_hosts` file, for ssh; without them any host key is accepted.
    pub known_hosts: Option<String>,
}

/// Why an address of a repository makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {problem}")]
pub struct GitUrlError {
    /// The address, without credentials.
    pub url: String,
    /// What is wrong.
    pub problem: String,
}

/// Whether this is the whole id of a commit.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl GitContext {
    /// Reads an address; `None` when it is none of a git repository.
    pub fn parse(text: &str) -> Option<Result<Self, GitUrlError>> {
        let (address, fragment) = match text.split_once('#') {
            Some((address, fragment)) => (address, Some(fragment)),
            None => (text, None),
        };
        let (remote, query) = match address.split_once('?') {
            Some((remote, query)) => (remote, Some(query)),
            None => (address, None),
        };
        let remote = remote_of(remote)?;
        let made = Self::new(remote, fragment.unwrap_or_default(), query.unwrap_or_default());
        Some(made.map_err(|problem| GitUrlError { url: without_credentials(text), problem }))
    }

    fn new(remote: String, fragment: &str, query: &str) -> Result<Self, String> {
        let (reference, subdir) = fragment.split_once(':').unwrap_or((fragment, ""));
        let some = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
        let mut git = Self {
            remote,
            reference: some(reference),
            subdir: some(subdir),
            keep_git_dir: false,
            submodules: true,
            commit: None,
            fetch_by_commit: false,
            commit_times: false,
            known_hosts: None,
        };
        git.apply(query)?;
        git.subdir = git.subdir.map(|subdir| clean(&subdir)).transpose()?.flatten();
        Ok(git)
    }

    fn apply(&mut self, query: &str) -> Result<(), String> {
        let mut seen = Vec::new();
        let mut commits = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key)?, decode(value)?);
            if seen.contains(&key) {
                return Err(format!("query {key:?} has multiple values"));
            }
            let flag = matches!(key.as_str(), "keep-git-dir" | "submodules" | "fetch-by-commit");
            if value.is_empty() && !flag {
                return Err(format!("query {key:?} has no value"));
            }
            match key.as_str() {
                "ref" => set(&mut self.reference, value, "ref")?,
                // A tag and a branch of one build are told below.
                "branch" if seen.contains(&"tag".to_string()) => {}
                "tag" if seen.contains(&"branch".to_string()) => {}
                "tag" => set(&mut self.reference, full("refs/tags/", &value), "ref")?,
                "branch" => set(&mut self.reference, full("refs/heads/", &value), "ref")?,
                "subdir" => set(&mut self.subdir, value, "subdir")?,
                "commit" | "checksum" => commits.push(value.to_lowercase()),
                "keep-git-dir" => self.keep_git_dir = boolean(&key, &value)?,
                "submodules" => self.submodules = boolean(&key, &value)?,
                "fetch-by-commit" => self.fetch_by_commit = boolean(&key, &value)?,
                "mtime" => self.commit_times = times(&value)?,
                _ => return Err(format!("unexpected query {key:?}")),
            }
            seen.push(key);
        }
        if ["tag", "branch"].iter().all(|key| seen.iter().any(|known| known == key)) {
            return Err("branch conflicts with tag".into());
        }
        commits.dedup();
        if commits.len() > 1 {
            return Err("commit and checksum differ".into());
        }
        self.commit = commits.pop();
        match &self.commit {
            Some(commit) if !is_part_of_a_commit(commit) => {
                Err(format!("{commit:?} is no commit: write 7 to 64 hexadecimal digits"))
            }
            commit if self.fetch_by_commit && !commit.as_deref().is_some_and(is_commit) => {
                Err("fetch-by-commit needs the whole commit, with commit=".into())
            }
            _ => Ok(()),
        }
    }

    /// The whole commit that the address itself names.
    pub fn fixed_commit(&self) -> Option<&str> {
        let given = match &self.reference {
            Some(reference) if !self.fetch_by_commit => Some(reference),
            _ => self.commit.as_ref(),
        };
        given.map(String::as_str).filter(|text| is_commit(text))
    }

    /// Whether git goes there over ssh.
    pub fn is_ssh(&self) -> bool {
        match self.remote.split_once("://") {
            Some((scheme, _)) => scheme.eq_ignore_ascii_case("ssh"),
            None => true,
        }
    }

    /// The host that git goes to, and the port if the address names one.
    pub fn host(&self) -> (String, Option<u16>) {
        let (scp, rest) = match self.remote.split_once("://") {
            Some((_, rest)) => (false, rest),
            None => (true, self.remote.as_str()),
        };
        let end = if scp { rest.find(':') } else { rest.find('/') };
        let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if let Some((host, after)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            return (host.to_string(), after.strip_prefix(':').and_then(|port| port.parse().ok()));
        }
        match host.rsplit_once(':') {
            Some((host, port)) => (host.to_string(), port.parse().ok()),
            None => (host.to_string(), None),
        }
    }

    /// Host and path, the same for all protocols, as BuildKit names sources.
    pub(super) fn place(&self) -> String {
        let bare = self.remote.split_once("://").map_or(self.remote.as_str(), |(_, rest)| rest);
        let scp = !self.remote.contains("://");
        let bare = bare.find('/').map_or(bare, |slash| {
            // A user stands before the host only.
            match bare.get(..slash).and_then(|host| host.rfind('@')) {
                Some(at) => bare.get(at + 1..).unwrap_or(bare),
                None => bare,
            }
        });
        let bare =
            bare.rsplit_once('@').filter(|(user, _)| !user.contains('/')).map_or(bare, |b| b.1);
        if scp { bare.replacen(':', "/", 1) } else { bare.to_string() }
    }

    /// The address, without credentials.
    pub fn shown(&self) -> String {
        self.with_fragment(self.reference.as_deref().unwrap_or_default())
    }

    /// The address with a commit instead of a reference, without credentials.
    pub(super) fn shown_at(&self, commit: &str) -> String {
        self.with_fragment(commit)
    }

    fn with_fragment(&self, reference: &str) -> String {
        let remote = without_credentials(&self.remote);
        match (&self.subdir, reference) {
            (None, "") => remote,
            (None, reference) => format!("{remote}#{reference}"),
            (Some(subdir), reference) => format!("{remote}#{reference}:{subdir}"),
        }
    }
}

impl fmt::Display for GitContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// The remote, with the protocol that git needs.
fn remote_of(text: &str) -> Option<String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let known = match scheme.to_ascii_lowercase().as_str() {
            // Otherwise it is a download.
            "http" | "https" => rest.ends_with(".git"),
            "git" | "ssh" => true,
            _ => false,
        };
        return (known && !rest.is_empty()).then(|| text.to_string());
    }
    if text.starts_with("github.com/") {
        return Some(format!("https://{text}"));
    }
    // user@host:path, where neither a directory nor a Windows drive can be meant.
    let (user, rest) = text.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let word = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let path = !path.is_empty() && !path.starts_with("//");
    (word(user) && word(host) && path).then(|| text.to_string())
}

fn set(slot: &mut Option<String>, value: String, name: &str) -> Result<(), String> {
    match slot {
        Some(known) if *known != value => Err(format!("{name} conflicts: {known:?} and {value:?}")),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

fn full(prefix: &str, name: &str) -> String {
    if name.starts_with(prefix) { name.to_string() } else { format!("{prefix}{name}") }
}

fn boolean(key: &str, value: &str) -> Result<bool, String> {
    match value {
        "" | "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("invalid {key} value {value:?}")),
    }
}

fn times(value: &str) -> Result<bool, String> {
    match value {
        "checkout" => Ok(false),
        "commit" => Ok(true),
        _ => Err(format!("invalid mtime value: {value:?} (must be \"checkout\" or \"commit\")")),
    }
}

fn is_part_of_a_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A relative path without `.` and `..`; `None` for the repository's root.
fn clean(subdir: &str) -> Result<Option<String>, String> {
    let mut names = Vec::new();
    for name in subdir.split('/') {
        match name {
            "" | "." => {}
            ".." if names.pop().is_some() => {}
            ".." => return Err(format!("subdir {subdir:?} leaves the repository")),
            name => names.push(name),
        }
    }
    Ok(Some(names.join("/")).filter(|path| !path.is_empty()))
}

/// Percent-encoding and `+` of a query.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap_or(0), rest.next().unwrap_or(0)];
                let digits = std::str::from_utf8(&digits).unwrap_or_default();
                let byte = u8::from_str_radix(digits, 16);
                bytes.push(byte.map_err(|_| format!("invalid escape in {text:?}"))?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| format!("{text:?} is no UTF-8"))
}

#[cfg(test)]
#[path = "git_url_tests.rs"]
mod tests;
