//! One walk over a layer: what stands out in it.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use cofferdam_search::unknown::is_public_path;
use cofferdam_search::{FileSearcher, FileSuspect, Limits, Needles};

use crate::accounts::{self, AccountFile};
use crate::contents::{Contents, Secret, Secrets};
use crate::entry::{Entry, FileKind, Item};
use crate::hidden::Known;
use crate::text::{encoded, name, parent, plain};

/// Bytes of the name of a member of an archive that are kept.
const MEMBER: usize = 256;
/// Members of an archive on the way to a secret that are kept.
const TRAIL: usize = 8;
/// Kinds of secrets that are kept of one file.
const SECRETS: usize = 8;

/// Files that shells and the like write down what was typed in.
const HISTORIES: [&str; 12] = [
    ".bash_history",
    ".ash_history",
    ".sh_history",
    ".zsh_history",
    ".zhistory",
    ".history",
    ".python_history",
    ".node_repl_history",
    ".irb_history",
    ".mysql_history",
    ".psql_history",
    ".rediscli_history",
];

/// Sees a layer, entry by entry; each thread has its own.
#[derive(Debug, Default)]
pub struct Gather {
    pub(crate) contents: Contents,
    known: Option<Arc<Known>>,
    ignores_secrets: bool,
    /// Made when it is first needed: it has large buffers.
    search: Option<FileSearcher<'static>>,
}

impl Gather {
    /// For a layer that may stand on any others.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a layer that stands on these: it remembers of what it hides only what matters.
    #[must_use]
    pub fn over(mut self, known: Arc<Known>) -> Self {
        self.known = Some(known);
        self
    }

    /// For a layer whose secrets nobody asks for, such as those of a base, or that are searched for
    /// elsewhere and told with [`Gather::suspects`].
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        self.ignores_secrets = true;
        self
    }

    /// Sees an entry.
    pub fn entry(&mut self, entry: &Entry<'_>) {
        let path = plain(entry.path);
        let is_directory = entry.kind == FileKind::Directory;
        self.contents.hidden.has(&path, is_directory, self.known.as_deref());
        self.contents.sums.names += 1;
        if entry.kind == FileKind::File {
            self.contents.sums.files += 1;
            self.contents.sums.bytes = self.contents.sums.bytes.saturating_add(entry.size);
            self.contents.caches.file(&path, entry.size);
        }
        self.list(entry, &path);
        if !is_directory && accounts::is_one(&path) {
            let empty = entry.kind == FileKind::File && entry.size == 0;
            let file = if empty { accounts::read(&path, b"") } else { AccountFile::Unread };
            self.contents.accounts.insert(path, file);
        }
    }

    fn list(&mut self, entry: &Entry<'_>, path: &str) {
        let lists = &mut self.contents.lists;
        let (mode, kind) = (entry.mode, entry.kind);
        let is_file = kind == FileKind::File;
        let is_directory = kind == FileKind::Directory;
        let is_program = is_file && mode & 0o111 != 0;
        let item = || Item::of(entry);
        if is_file && mode & 0o6000 != 0 {
            lists.setuid.insert(path, item());
        }
        if is_file && entry.capability {
            lists.capabilities.insert(path, item());
        }
        if is_directory && mode & 0o2000 != 0 {
            lists.setgid.insert(path, item());
        }
        // A container has a /dev of its own.
        if matches!(kind, FileKind::CharDevice | FileKind::BlockDevice) && !is_mounted_over(path) {
            lists.devices.insert(path, item());
        }
        let sticky = is_directory && mode & 0o1000 != 0;
        if (is_file || is_directory) && mode & 0o002 != 0 && !sticky && !is_mounted_over(path) {
            lists.open.insert(path, item());
        }
        let by_owner = entry.uid != 0 && mode & 0o200 != 0;
        if (is_program || is_directory) && (by_owner || mode & 0o022 != 0) {
            lists.owned.insert(path, item());
        }
        let directory = parent(path);
        let is_link = kind == FileKind::Symlink;
        let near = is_link && !parent(directory).contains('/');
        if near || (is_program || is_link) && matches!(name(directory), "bin" | "sbin") {
            lists.programs.insert(path, item());
        }
        if is_file && entry.size > 0 && HISTORIES.contains(&name(path)) && !is_public_path(path) {
            lists.histories.insert(path, item());
        }
        if is_file && path.strip_suffix(".git/HEAD").is_some_and(is_end_of_directory) {
            lists.repositories.insert(path, item());
        }
    }

    /// Whether it needs the bytes of this entry; only those of regular files.
    #[must_use]
    pub fn wants(&self, entry: &Entry<'_>) -> bool {
        if entry.kind != FileKind::File || entry.size == 0 {
            return false;
        }
        let path = plain(entry.path);
        accounts::is_one(&path) || (!self.ignores_secrets && !is_public_path(&path))
    }

    /// Whether it is the name of this entry that makes it want the bytes: a hard link to a file that
    /// was seen is another file to it.
    #[must_use]
    pub fn wants_by_name(&self, entry: &Entry<'_>) -> bool {
        entry.kind == FileKind::File && accounts::is_one(&plain(entry.path))
    }

    /// Sees the bytes of an entry that it wants.
    ///
    /// # Errors
    /// When the reader fails.
    pub fn content(&mut self, entry: &Entry<'_>, content: &mut dyn Read) -> io::Result<()> {
        let path = plain(entry.path);
        let mut head = Vec::new();
        if accounts::is_one(&path) {
            content.take(accounts::LONGEST as u64 + 1).read_to_end(&mut head)?;
            self.contents.accounts.insert(path.clone(), accounts::read(&path, &head));
        }
        if self.ignores_secrets || is_public_path(&path) {
            return Ok(());
        }
        let search = self.search.get_or_insert_with(|| {
            static NONE: OnceLock<Needles> = OnceLock::new();
            let none = NONE.get_or_init(|| Needles::new(std::iter::empty::<(&str, &[u8])>()));
            FileSearcher::new(none, Limits::default())
        });
        let report = search.search_all(&path, head.as_slice().chain(content))?;
        self.suspects(entry.path, &report.suspects);
        Ok(())
    }

    /// Secrets that another search has found in a file of this layer, by
    /// [`FileSearcher::search_all`].
    pub fn suspects(&mut self, path: &[u8], suspects: &[FileSuspect]) {
        let secret = |suspect: &FileSuspect| Secret {
            what: suspect.suspect.what.clone(),
            trail: suspect.trail.iter().take(TRAIL).map(|member| shortened(member)).collect(),
        };
        let mut found: BTreeSet<Secret> = suspects.iter().map(secret).collect();
        while found.len() > SECRETS {
            found.pop_last();
        }
        if !found.is_empty() {
            self.contents.lists.secrets.insert(&plain(path), Secrets(found));
        }
    }

    /// A whiteout: the layer removes this path from those below.
    pub fn remove(&mut self, path: &[u8]) {
        self.contents.hidden.remove(plain(path));
    }

    /// Likewise for one of [`Contents::paths`].
    pub fn remove_text(&mut self, path: String) {
        self.contents.hidden.remove(path);
    }

    /// A directory that shows nothing of the layers below.
    pub fn opaque(&mut self, path: &[u8]) {
        self.contents.hidden.opaque(plain(path));
    }

    /// Takes what another walk over the same layer saw.
    pub fn absorb(&mut self, other: Self) {
        self.contents.absorb(other.contents);
    }

    /// What stands out in the layer.
    #[must_use]
    pub fn finish(self) -> Contents {
        self.contents.finish()
    }
}

/// Whether a container has something of its own there.
fn is_mounted_over(path: &str) -> bool {
    ["dev/", "proc/", "sys/"].iter().any(|directory| path.starts_with(directory))
        || matches!(path, "dev" | "proc" | "sys")
}

fn is_end_of_directory(path: &str) -> bool {
    path.is_empty() || path.ends_with('/')
}

fn shortened(member: &str) -> String {
    encoded(member.as_bytes()).chars().take(MEMBER).collect()
}
