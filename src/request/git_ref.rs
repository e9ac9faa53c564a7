//! Git repositories as BuildKit names them: `url#ref:subdir`, or `?ref=…&subdir=…`.

/// A place in a git repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitRef {
    /// The text as it was typed; BuildKit reads this one.
    pub url: String,
    /// The repository alone.
    pub remote: String,
    /// Commit, tag or branch.
    pub reference: Option<String>,
    /// Directory in it.
    pub subdir: Option<String>,
    /// The commit that the reference must turn out to be.
    pub checksum: Option<String>,
    /// Whether `.git` stays in the context.
    pub keep_git_dir: Option<bool>,
    /// Whether submodules are fetched.
    pub submodules: Option<bool>,
    /// Whether the query form was used, which old frontends do not know.
    pub has_query: bool,
    /// Whether it is fetched over ssh, so that an agent is of use.
    pub over_ssh: bool,
}

impl GitRef {
    /// Reads a git URL; `None` when the text is something else.
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        if text.starts_with("./") || text.starts_with("../") {
            return None;
        }
        let (before_fragment, fragment) = match text.split_once('#') {
            Some((url, fragment)) => (url, fragment),
            None => (text, ""),
        };
        let (remote, query) = match before_fragment.split_once('?') {
            Some((remote, query)) => (remote, query),
            None => (before_fragment, ""),
        };
        let over_ssh = transport(remote)? == Transport::Ssh;
        let mut parsed = Self {
            url: text.to_string(),
            remote: remote.to_string(),
            has_query: !query.is_empty(),
            over_ssh,
            ..Self::default()
        };
        let (reference, subdir) = fragment.split_once(':').unwrap_or((fragment, ""));
        parsed.reference = Some(decode(reference)).filter(|text| !text.is_empty());
        parsed.subdir = Some(clean(&decode(subdir))).filter(|text| !text.is_empty());
        Some(parsed.read_query(query).map(|()| parsed))
    }

    fn read_query(&mut self, query: &str) -> Result<(), String> {
        let (mut tag, mut branch) = (None, None);
        let mut seen = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key), decode(value));
            if seen.contains(&key) {
                return Err(format!("query {key:?} has multiple values"));
            }
            seen.push(key.clone());
            let flag = |value: &str| match value {
                "" => Ok(true),
                value => super::boolean::parse(value)
                    .map_err(|_| format!("invalid {key} value: {value:?}")),
            };
            match key.as_str() {
                "submodules" => self.submodules = Some(flag(&value)?),
                "keep-git-dir" => self.keep_git_dir = Some(flag(&value)?),
                "fetch-by-commit" => drop(flag(&value)?),
                _ if value.is_empty() => return Err(format!("query {key:?} has no value")),
                "ref" => agree("ref", &mut self.reference, value)?,
                "subdir" => agree("subdir", &mut self.subdir, value)?,
                "tag" => tag = Some(value),
                "branch" => branch = Some(value),
                "checksum" | "commit" => agree("checksum", &mut self.checksum, value)?,
                "mtime" if value == "checkout" || value == "commit" => {}
                "mtime" => {
                    return Err(format!(
                        "invalid mtime value: {value:?} (must be \"checkout\" or \"commit\")"
                    ));
                }
                _ => return Err(format!("unexpected query {key:?}")),
            }
        }
        if tag.is_some() && branch.is_some() {
            return Err("branch conflicts with tag".into());
        }
        for (value, prefix) in [(tag, "refs/tags/"), (branch, "refs/heads/")] {
            let Some(value) = value else { continue };
            let whole = if value.starts_with(prefix) { value } else { format!("{prefix}{value}") };
            agree("ref", &mut self.reference, whole)?;
        }
        Ok(())
    }
}

/// Sets a value that may be given twice if it is the same one.
fn agree(name: &str, slot: &mut Option<String>, value: String) -> Result<(), String> {
    match slot {
        Some(before) if *before != value => {
            Err(format!("{name} conflicts: {before:?} vs {value:?}"))
        }
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Ssh,
    Other,
}

/// How a repository is fetched; `None` when the text names none.
fn transport(remote: &str) -> Option<Transport> {
    if let Some((scheme, rest)) = remote.split_once("://") {
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        return match scheme.to_ascii_lowercase().as_str() {
            "ssh" => Some(Transport::Ssh),
            "git" => Some(Transport::Other),
            // Without the suffix it is a file to download.
            "http" | "https" if path.ends_with(".git") => Some(Transport::Other),
            _ => None,
        };
    }
    // An old form that cannot be told from a directory, which is looked for first.
    if remote.starts_with("github.com/") {
        return Some(Transport::Other);
    }
    let (user, rest) = remote.split_once('@')?;
    let (host, _) = rest.split_once(':')?;
    let plain = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    (plain(user, "-_") && plain(host, "-.")).then_some(Transport::Ssh)
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The directory without `.`, `..` and doubled slashes: it cannot lead out of the repository.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Option<(String, String, String, bool)> {
        let git = GitRef::parse(text)?.ok()?;
        let or_empty = |text: Option<String>| text.unwrap_or_default();
        Some((git.remote, or_empty(git.reference), or_empty(git.subdir), git.over_ssh))
    }

    #[test]
    fn repositories_are_told_from_files_and_directories() {
        let git = |remote: &str, reference: &str, subdir: &str, ssh: bool| {
            Some((remote.to_string(), reference.to_string(), subdir.to_string(), ssh))
        };
        for (text, expected) in [
            ("https://h/r.git", git("https://h/r.git", "", "", false)),
            ("https://h/r.git#v1", git("https://h/r.git", "v1", "", false)),
            ("https://h/r.git#a/b:c/../d", git("https://h/r.git", "a/b", "d", false)),
            ("https://h/r.git#:sub", git("https://h/r.git", "", "sub", false)),
            ("https://h/r.git#:../../etc", git("https://h/r.git", "", "etc", false)),
            ("git://h/r", git("git://h/r", "", "", false)),
            ("ssh://git@h:22/r.git#x", git("ssh://git@h:22/r.git", "x", "", true)),
            ("git@h.example:o/r.git#x", git("git@h.example:o/r.git", "x", "", true)),
            ("github.com/o/r", git("github.com/o/r", "", "", false)),
            ("https://h/r.git?ref=x&subdir=s", git("https://h/r.git", "x", "s", false)),
            ("https://h/r.git?tag=v1", git("https://h/r.git", "refs/tags/v1", "", false)),
            ("https://h/r.git?branch=m", git("https://h/r.git", "refs/heads/m", "", false)),
            ("https://h/r", None),
            ("https://h/context.tar.gz", None),
            ("./git@h:x", None),
            (".", None),
            ("dir", None),
            ("user@host", None),
            ("s3://b/r.git", None),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn a_query_that_makes_no_sense_is_an_error() {
        for bad in [
            "https://h/r.git?nonsense=1",
            "https://h/r.git?ref=a#b",
            "https://h/r.git?tag=a&branch=b",
            "https://h/r.git?ref=",
            "https://h/r.git?ref=a&ref=a",
            "https://h/r.git?submodules=maybe",
            "https://h/r.git?mtime=now",
        ] {
            assert!(GitRef::parse(bad).unwrap().is_err(), "{bad}");
        }
        let git = GitRef::parse("https://h/r.git?commit=abc&submodules=false&keep-git-dir")
            .unwrap()
            .unwrap();
        assert_eq!(
            (git.checksum.as_deref(), git.submodules, git.keep_git_dir),
            (Some("abc"), Some(false), Some(true))
        );
        assert!(git.has_query);
    }

    proptest! {
        #[test]
        fn no_text_leads_out_of_the_repository(text in "https://h/r\\.git#[a-z./:]{0,20}") {
            let git = GitRef::parse(&text).unwrap().unwrap();
            let subdir = git.subdir.unwrap_or_default();
            prop_assert!(!subdir.starts_with('/') && !subdir.split('/').any(|part| part == ".."));
        }

        #[test]
        fn any_text_is_read_or_not(text in "\\PC*") {
            let _ = GitRef::parse(&text);
        }
    }
}
