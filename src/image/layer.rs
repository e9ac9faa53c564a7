//! One layer's archive: which of its files matter, and what it hides of those below.
//!
//! Source: OCI image specification, layer.md (whiteouts, hard links).

use std::collections::BTreeMap;
use std::io::{self, Read};

use cofferdam_inventory::{
    HEAD, Interest, Kind, Layer, Reading, Source, by_name, read, read_pair, wants,
};

use cofferdam_contents::{Entry, Gather};

use super::bytes::{Bytes, entry};
use super::leaks::Leaks;
use super::looking::Looked;
use super::spool;
use super::tar::{Kind as Type, Member, Members};

/// Begins the name of a file that removes another.
const WHITEOUT: &[u8] = b".wh.";
/// Begins names that a file system of old kept for itself.
const META: &[u8] = b".wh..wh.";
/// The name that hides what a directory holds below.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Looks through a layer that is not packed any more, to the archive's end.
pub(super) fn look(
    archive: impl Read,
    gather: Option<Gather>,
    leaks: Option<Leaks<'_>>,
) -> io::Result<Looked> {
    let mut look = Look {
        layer: Layer::default(),
        waiting: BTreeMap::new(),
        read: BTreeMap::new(),
        bytes: Bytes { gather, leaks },
    };
    let mut members = Members::new(archive);
    while let Some(member) = members.next()? {
        look.member(&member, &mut members)?;
    }
    Ok(look.finish())
}

struct Look<'n> {
    layer: Layer,
    /// Databases that may have a companion further on, and companions.
    waiting: BTreeMap<Vec<u8>, (Kind, Box<dyn Source>)>,
    /// Files that were read, for the links to them.
    read: BTreeMap<Vec<u8>, File>,
    bytes: Bytes<'n>,
}

/// What decides how a link to a file is read.
struct File {
    size: u64,
    mode: u32,
    head: Vec<u8>,
    reading: Option<Reading>,
}

impl File {
    fn of(member: &Member, head: Vec<u8>) -> Self {
        Self { size: member.size, mode: member.mode, head, reading: None }
    }
}

impl Look<'_> {
    fn member(&mut self, member: &Member, content: &mut impl Read) -> io::Result<()> {
        let path = plain(&member.path);
        self.bytes.name(&path, member);
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let directory = path.strip_suffix(name).unwrap_or_default();
        if name == OPAQUE {
            self.layer.opaque(directory);
            self.bytes.opaque(directory);
        } else if name.starts_with(META) {
            // Engines leave it out, too.
        } else if let Some(removed) = name.strip_prefix(WHITEOUT) {
            let removed = [directory, removed].concat();
            self.layer.remove(&removed);
            self.bytes.remove(&removed);
        } else {
            // A later member of the same name takes the place of an earlier one.
            self.read.remove(&path);
            self.waiting.remove(&path);
            let entry = entry(&path, member);
            entry.iter().for_each(|entry| self.bytes.entry(entry));
            match member.kind {
                Type::Directory => {}
                Type::HardLink => self.link(&path, member),
                Type::File | Type::Sparse => return self.file(&path, member, entry, content),
                Type::SymbolicLink | Type::Other(_) => self.layer.cover(&path),
            }
        }
        // Whatever it is, its bytes are in the image.
        match member.size {
            0 => Ok(()),
            _ => self.bytes.content(&path, None, content),
        }
    }

    fn file(
        &mut self,
        path: &[u8],
        member: &Member,
        entry: Option<Entry<'_>>,
        content: &mut impl Read,
    ) -> io::Result<()> {
        let (size, mode) = (member.size, member.mode);
        let mut head = Vec::new();
        if by_name(path, mode) == Interest::Look {
            content.take(HEAD as u64).read_to_end(&mut head)?;
        }
        let kind = wants(path, size, mode, &head);
        let sparse = (member.kind == Type::Sparse).then_some("it is a file with holes");
        let why = sparse.or((size > spool::LARGEST).then_some("it is larger than 1 GiB"));
        if let (Some(kind), None) = (kind, why) {
            let mut source = spool::keep(&head, content, size)?;
            if self.bytes.want(entry.as_ref()) {
                self.bytes.each(path, entry.as_ref(), |look| {
                    look(&mut spool::Reading::of(source.as_mut()))
                })?;
            }
            return self.reading(path, kind, source, File::of(member, head));
        }
        match (kind, why) {
            (Some(kind), Some(why)) => self.layer.read(path, read(kind, path, &mut Gone(why))),
            _ => self.layer.cover(path),
        }
        self.bytes.content(path, entry.as_ref(), &mut head.as_slice().chain(content))
    }

    fn reading(
        &mut self,
        path: &[u8],
        kind: Kind,
        mut source: Box<dyn Source>,
        file: File,
    ) -> io::Result<()> {
        if kind.companion().is_some() || kind == Kind::RpmLog {
            self.waiting.insert(path.to_vec(), (kind, source));
            return Ok(());
        }
        let reading = read(kind, path, source.as_mut());
        self.layer.read(path, reading.clone());
        self.read.insert(path.to_vec(), File { reading: Some(reading), ..file });
        Ok(())
    }

    /// Another name of a file that has passed.
    fn link(&mut self, path: &[u8], member: &Member) {
        let target = plain(&member.target);
        let known = self.read.get(&target);
        let wanted = known.and_then(|file| wants(path, file.size, file.mode, &file.head));
        let reading = known.and_then(|file| file.reading.as_ref());
        match (reading, wanted) {
            (Some(reading), Some(kind)) if kind == reading.kind => {
                self.layer.read(path, reading.clone());
            }
            (None, _) if !matches!(by_name(path, 0), Interest::Yes(_)) => self.layer.cover(path),
            // Its bytes went by under a name that said nothing.
            (_, wanted) => match (wanted, by_name(path, 0)) {
                (Some(kind), _) | (None, Interest::Yes(kind)) => {
                    let why = "it is a hard link to a file that was passed over";
                    self.layer.read(path, read(kind, path, &mut Gone(why)));
                }
                _ => self.layer.cover(path),
            },
        }
    }

    /// Reads what had to wait for its companion.
    fn finish(mut self) -> Looked {
        let paths: Vec<Vec<u8>> = self.waiting.keys().cloned().collect();
        for path in paths {
            let Some((kind, mut source)) = self.waiting.remove(&path) else { continue };
            let beside = kind.companion().map(|end| [path.as_slice(), end.as_bytes()].concat());
            let beside = beside.and_then(|path| self.waiting.remove(&path));
            let reading = match beside {
                Some((_, mut log)) => read_pair(kind, &path, source.as_mut(), log.as_mut()),
                None => read(kind, &path, source.as_mut()),
            };
            self.layer.read(&path, reading);
        }
        let (contents, searched) = self.bytes.finish();
        Looked { size: 0, packages: self.layer, contents, searched }
    }
}

/// Bytes that cannot be had, and why.
struct Gone(&'static str);

impl Source for Gone {
    fn size(&self) -> u64 {
        // Enough for every reader to begin, so that they all come to the reason.
        1 << 16
    }

    fn read_at(&mut self, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other(self.0))
    }
}

/// A path relative to the root in normal form; nothing leads out of the root, as in engines.
fn plain(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}

#[cfg(test)]
mod tests {
    use cofferdam_inventory::View;
    use tar::{Builder, EntryType, Header};

    use super::*;

    fn look(archive: &[u8]) -> io::Result<Layer> {
        super::look(archive, None, None).map(|looked| looked.packages)
    }

    fn add(builder: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, bytes: &[u8], to: &str) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if !to.is_empty() {
            header.set_link_name(to).unwrap();
        }
        builder.append_data(&mut header, path, bytes).unwrap();
    }

    fn names(layers: &[&Layer]) -> Vec<String> {
        let mut view = View::default();
        layers.iter().for_each(|layer| view.apply(layer));
        view.inventory().packages.iter().map(ToString::to_string).collect()
    }

    const NPM: &[u8] = br#"{"name":"lodash","version":"4.17.21"}"#;
    const AT: &str = "app/node_modules/lodash/package.json";

    #[test]
    fn whiteouts_remove_and_links_are_files() {
        let mut base = Builder::new(Vec::new());
        add(&mut base, &format!("./{AT}"), EntryType::Regular, NPM, "");
        let copy = "app/node_modules/other/package.json";
        add(&mut base, copy, EntryType::Link, b"", &format!("./{AT}"));
        let base = look(base.into_inner().unwrap().as_slice()).unwrap();
        assert_eq!(names(&[&base]), ["lodash 4.17.21"]);
        for gone in ["app/node_modules/.wh..wh..opq", "app/.wh.node_modules"] {
            let mut step = Builder::new(Vec::new());
            add(&mut step, gone, EntryType::Regular, b"", "");
            let step = look(step.into_inner().unwrap().as_slice()).unwrap();
            assert!(names(&[&base, &step]).is_empty(), "{gone}");
        }
    }

    #[test]
    fn a_link_to_what_was_passed_over_is_a_hole_that_is_told() {
        let mut builder = Builder::new(Vec::new());
        add(&mut builder, "store/abc", EntryType::Regular, NPM, "");
        add(&mut builder, AT, EntryType::Link, b"", "store/abc");
        let layer = look(builder.into_inner().unwrap().as_slice()).unwrap();
        let mut view = View::default();
        view.apply(&layer);
        let unread = view.inventory().unread;
        assert_eq!(unread.len(), 1, "{unread:?}");
        assert!(unread[0].to_string().contains("hard link"), "{}", unread[0]);
    }

    /// A member with a name that the writer of archives would not write.
    fn raw(builder: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, bytes: &[u8]) {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    }

    #[test]
    fn names_mean_what_engines_make_of_them() {
        for path in ["/", "../../", "x/../", "././/", "a/b/../../"].map(|at| format!("{at}{AT}")) {
            let mut base = Builder::new(Vec::new());
            raw(&mut base, &path, EntryType::Regular, NPM);
            let base = look(&base.into_inner().unwrap()).unwrap();
            assert_eq!(names(&[&base]), ["lodash 4.17.21"], "{path}");
            let mut step = Builder::new(Vec::new());
            raw(&mut step, "app/x/../../../app/.wh.node_modules", EntryType::Regular, b"");
            let step = look(&step.into_inner().unwrap()).unwrap();
            assert!(names(&[&base, &step]).is_empty(), "{path}");
        }
    }

    #[test]
    fn of_two_members_of_one_name_the_last_counts() {
        let other = br#"{"name":"lodash","version":"9.9.9"}"#;
        for (kind, bytes, expected) in [
            (EntryType::Regular, other.as_slice(), vec!["lodash 9.9.9"]),
            (EntryType::Symlink, b"", vec![]),
            (EntryType::Char, b"", vec![]),
            (EntryType::Fifo, b"", vec![]),
        ] {
            let mut builder = Builder::new(Vec::new());
            raw(&mut builder, AT, EntryType::Regular, NPM);
            raw(&mut builder, AT, kind, bytes);
            let layer = look(&builder.into_inner().unwrap()).unwrap();
            assert_eq!(names(&[&layer]), expected, "{kind:?}");
        }
    }

    #[test]
    fn links_to_nowhere_and_files_with_holes_are_told() {
        for (kind, to) in [(EntryType::Link, "no/where"), (EntryType::Link, AT)] {
            let mut builder = Builder::new(Vec::new());
            add(&mut builder, AT, kind, b"", to);
            let mut view = View::default();
            view.apply(&look(&builder.into_inner().unwrap()).unwrap());
            assert_eq!(view.inventory().unread.len(), 1, "{to}");
        }
        let mut builder = Builder::new(Vec::new());
        raw(&mut builder, "var/lib/rpm/rpmdb.sqlite", EntryType::GNUSparse, b"SQLite");
        let mut view = View::default();
        view.apply(&look(&builder.into_inner().unwrap()).unwrap());
        let unread = view.inventory().unread;
        assert!(unread[0].to_string().contains("holes"), "{}", unread[0]);
    }

    #[test]
    fn a_layer_that_ends_too_early_is_an_error() {
        let mut builder = Builder::new(Vec::new());
        add(&mut builder, AT, EntryType::Regular, NPM, "");
        let bytes = builder.into_inner().unwrap();
        assert!(look(&bytes[..540]).is_err());
    }
}
