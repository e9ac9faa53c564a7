//! Who else looks at what a layer holds: names, modes and every byte, each once.

use std::io::{self, Read};

use cofferdam_contents::{Contents, Entry, FileKind, Gather};

use super::leaks::{Leaks, Searched};
use super::spool;
use super::tar::{Kind, Member};

/// Gives a file's bytes from their beginning to whoever looks at them.
type Looker<'l> = &'l mut dyn FnMut(&mut dyn Read) -> io::Result<()>;

/// What stands out, and what should be nowhere.
pub(super) struct Bytes<'n> {
    pub(super) gather: Option<Gather>,
    pub(super) leaks: Option<Leaks<'n>>,
}

impl Bytes<'_> {
    /// What a member is called.
    pub(super) fn name(&mut self, path: &[u8], member: &Member) {
        if let Some(leaks) = &mut self.leaks {
            leaks.name(path, member);
        }
    }

    pub(super) fn entry(&mut self, entry: &Entry<'_>) {
        if let Some(gather) = &mut self.gather {
            gather.entry(entry);
        }
    }

    pub(super) fn opaque(&mut self, path: &[u8]) {
        if let Some(gather) = &mut self.gather {
            gather.opaque(path);
        }
    }

    pub(super) fn remove(&mut self, path: &[u8]) {
        if let Some(gather) = &mut self.gather {
            gather.remove(path);
        }
    }

    /// Whether anybody needs the bytes of an entry.
    pub(super) fn want(&self, entry: Option<&Entry<'_>>) -> bool {
        self.leaks.is_some() || self.gather_wants(entry)
    }

    fn gather_wants(&self, entry: Option<&Entry<'_>>) -> bool {
        match (&self.gather, entry) {
            (Some(gather), Some(entry)) => gather.wants(entry),
            _ => false,
        }
    }

    /// The bytes of something that is read only once.
    pub(super) fn content(
        &mut self,
        path: &[u8],
        entry: Option<&Entry<'_>>,
        content: &mut impl Read,
    ) -> io::Result<()> {
        if !self.want(entry) {
            return Ok(());
        }
        let size = entry.map_or(0, |entry| entry.size);
        if self.leaks.is_some() && self.gather_wants(entry) && size <= spool::LARGEST {
            let mut source = spool::keep(&[], content, size)?;
            return self.each(path, entry, |look| look(&mut spool::Reading::of(source.as_mut())));
        }
        let mut once = true;
        self.each(path, entry, |look| match std::mem::take(&mut once) {
            true => look(content),
            false => Ok(()),
        })
    }

    /// Bytes that can be had again.
    pub(super) fn each(
        &mut self,
        path: &[u8],
        entry: Option<&Entry<'_>>,
        mut give: impl FnMut(Looker<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let wants = self.gather_wants(entry);
        let Self { gather, leaks } = self;
        if let Some(leaks) = leaks {
            let mut suspects = Vec::new();
            give(&mut |reader| {
                suspects = leaks.content(path, reader)?;
                Ok(())
            })?;
            if let (Some(gather), Some(_)) = (gather.as_mut(), entry) {
                gather.suspects(path, &suspects);
            }
        }
        match (gather, entry) {
            (Some(gather), Some(entry)) if wants => {
                give(&mut |reader| gather.content(entry, reader))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn finish(self) -> (Option<Contents>, Searched) {
        let searched = self.leaks.map(Leaks::finish).unwrap_or_default();
        (self.gather.map(Gather::finish), searched)
    }
}

/// A member as an entry; `None` for what nobody knows.
pub(super) fn entry<'a>(path: &'a [u8], member: &'a Member) -> Option<Entry<'a>> {
    let kind = match member.kind {
        Kind::File | Kind::Sparse | Kind::HardLink => FileKind::File,
        Kind::Directory => FileKind::Directory,
        Kind::SymbolicLink => FileKind::Symlink,
        Kind::Other(b'3') => FileKind::CharDevice,
        Kind::Other(b'4') => FileKind::BlockDevice,
        Kind::Other(b'6') => FileKind::Fifo,
        Kind::Other(_) => return None,
    };
    let id = |id: u64| u32::try_from(id).unwrap_or(u32::MAX);
    Some(Entry {
        path,
        kind,
        mode: member.mode,
        uid: id(member.uid),
        gid: id(member.gid),
        // Bytes that went by under another name are not none.
        size: if member.kind == Kind::HardLink { 1 } else { member.size },
        capability: member.attributes.iter().any(|(name, _)| name == b"security.capability"),
        target: (kind == FileKind::Symlink).then_some(member.target.as_slice()),
    })
}
