//! Facts about a tree of files: an image's root, an archive, a directory that a build wrote.

use std::io::{Read, Result};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::facts::Facts;

/// Texts up to this many bytes are shown as they are: a difference then explains itself.
const SHOWN: usize = 200;

/// Bits that only count on regular files, where they are facts of their own.
const PRIVILEGES: u32 = 0o6000;

/// What is known of a file.
#[derive(Debug, Default)]
pub struct Node {
    pub kind: &'static str,
    /// Permissions with set-uid, set-gid and sticky bits.
    pub mode: u32,
    pub owner: (u64, u64),
    /// Of a regular file: see [`content`]. Of a link: where it points. Of a device: its numbers.
    pub content: String,
    pub modified: Duration,
    /// Names and values of extended attributes.
    pub attributes: Vec<(String, String)>,
}

impl Node {
    /// Adds `PREFIX/tree/PATH` and its companions `bits`, `xattr` and `mtime`.
    ///
    /// Privileges have a fact of their own, since their loss must not hide that of anything else.
    pub fn tell(&self, facts: &mut Facts, prefix: &str, path: &str) {
        let regular = self.kind == "file";
        let mode = if regular { self.mode & !PRIVILEGES } else { self.mode };
        let (uid, gid) = self.owner;
        let text = format!("{} {mode:o} {uid}:{gid} {}", self.kind, self.content);
        facts.add(format!("{prefix}/tree/{path}"), text.trim_end());
        if regular && self.mode & PRIVILEGES != 0 {
            facts.add(format!("{prefix}/bits/{path}"), format!("{:o}", self.mode & PRIVILEGES));
        }
        for (name, value) in &self.attributes {
            facts.add(format!("{prefix}/xattr/{path}/{name}"), value);
        }
        facts.add(format!("{prefix}/mtime/{path}"), age(self.modified));
    }
}

/// Age of the files of a case, since 1970: 2020-09-13T12:26:40Z.
pub const OLD: Duration = Duration::from_secs(1_600_000_000);

/// A time that was set on purpose is told in seconds. What is newer than a case was made by a build,
/// perhaps an earlier one: `WORKDIR` is answered from buildx's cache also with `--no-cache`.
pub fn age(modified: Duration) -> String {
    if modified > OLD { "made".into() } else { modified.as_secs().to_string() }
}

/// A regular file's size and content: short texts as they are, all else as a digest.
pub fn content(mut from: impl Read) -> Result<String> {
    let mut digest = Sha256::new();
    let mut head = Vec::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = from.read(&mut buffer)?;
        let Some(part) = buffer.get(..length).filter(|part| !part.is_empty()) else { break };
        size += length;
        if head.len() <= SHOWN {
            head.extend_from_slice(part);
        }
        digest.update(part);
    }
    let text = std::str::from_utf8(&head).ok().filter(|_| size <= SHOWN);
    Ok(match text {
        Some(text) => format!("{text:?}"),
        None => format!("{size} bytes {:x}", digest.finalize()),
    })
}

/// Facts of every member of a tar, as `PREFIX/tree/PATH`.
pub fn of_tar(facts: &mut Facts, prefix: &str, tar: impl Read) -> Result<()> {
    for (path, node) in members(tar)? {
        node.tell(facts, prefix, &path);
    }
    Ok(())
}

/// The members of a tar, in its order.
pub fn members(tar: impl Read) -> Result<Vec<(String, Node)>> {
    let mut archive = tar::Archive::new(tar);
    let mut found = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path.trim_start_matches("./").trim_matches('/').to_string();
        found.push((path, node(&mut entry)?));
    }
    Ok(found)
}

fn node<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Node> {
    use tar::EntryType;
    let header = entry.header().clone();
    let link = entry.link_name_bytes().map(|link| String::from_utf8_lossy(&link).into_owned());
    let link = link.unwrap_or_default();
    let (mut owner, mut attributes) = ((header.uid()?, header.gid()?), Vec::new());
    for extension in entry.pax_extensions()?.into_iter().flatten() {
        let extension = extension?;
        let (key, value) = (extension.key().unwrap_or_default(), extension.value_bytes());
        match (key, key.strip_prefix("SCHILY.xattr.")) {
            (_, Some(name)) => {
                attributes
                    .push((name.to_string(), format!("{:?}", value.escape_ascii().to_string())));
            }
            ("uid", _) => owner.0 = number(value),
            ("gid", _) => owner.1 = number(value),
            _ => {}
        }
    }
    let device = || -> Result<String> {
        let part = |part: Option<u32>| part.unwrap_or_default();
        Ok(format!("{}:{}", part(header.device_major()?), part(header.device_minor()?)))
    };
    let (kind, content) = match header.entry_type() {
        EntryType::Directory => ("directory", String::new()),
        EntryType::Symlink => ("symlink", link),
        EntryType::Link => ("hard link", link.trim_start_matches("./").trim_matches('/').into()),
        EntryType::Char => ("character device", device()?),
        EntryType::Block => ("block device", device()?),
        EntryType::Fifo => ("fifo", String::new()),
        _ => ("file", content(&mut *entry)?),
    };
    let modified = Duration::from_secs(header.mtime()?);
    Ok(Node { kind, mode: header.mode()? & 0o7777, owner, content, modified, attributes })
}

fn number(digits: &[u8]) -> u64 {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}
