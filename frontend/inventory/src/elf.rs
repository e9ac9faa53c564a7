//! ELF files by their sections (<https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html>).
//!
//! Only the headers are read, and then the sections that somebody asks for.

use crate::numbers::{Order, index};
use crate::reading::Reason;
use crate::source::{self, Source};

pub(crate) const MAGIC: &[u8] = b"\x7fELF";

/// More than any linker makes; what lies behind is not looked at.
const MOST_SECTIONS: u64 = 4096;
const MOST_SEGMENTS: u64 = 256;
/// Names of sections together, in bytes.
const MOST_NAMES: u64 = 1 << 18;
/// A section without bytes in the file.
const NOBITS: u32 = 8;
/// A segment that is loaded.
const LOAD: u32 = 1;
const WRITABLE: u32 = 2;

/// Bytes of the file that are loaded somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Where they begin in memory.
    pub address: u64,
    /// Where they begin in the file.
    pub offset: u64,
    /// How many they are.
    pub size: u64,
}

/// An ELF file.
pub(crate) struct Elf<'a> {
    pub source: &'a mut dyn Source,
    pub order: Order,
    /// Whether addresses have 64 bits.
    pub wide: bool,
    header: Vec<u8>,
    sections: Vec<u8>,
    names: Vec<u8>,
}

impl<'a> Elf<'a> {
    /// Reads the header and the table of sections; `None` for what is no ELF file. A file whose
    /// table is missing or damaged has no sections: the kernel does not need any.
    pub(crate) fn open(source: &'a mut dyn Source) -> Option<Self> {
        let length = usize::try_from(source.size().min(64)).ok()?;
        let header = source::bytes(source, 0, length).ok()?;
        if !header.starts_with(MAGIC) {
            return None;
        }
        let wide = header.get(4) == Some(&2);
        let order = if header.get(5) == Some(&2) { Order::Big } else { Order::Little };
        let mut found =
            Self { source, order, wide, header, sections: Vec::new(), names: Vec::new() };
        if found.read_sections().is_none() {
            found.sections.clear();
        }
        Some(found)
    }

    fn read_sections(&mut self) -> Option<()> {
        let offset = self.word(&self.header, 32, 40)?;
        let size = self.section_size();
        let (at_count, at_names) = if self.wide { (60, 62) } else { (48, 50) };
        let mut count = u64::from(self.order.u16(&self.header, at_count)?);
        let mut names = u32::from(self.order.u16(&self.header, at_names)?);
        if offset == 0 {
            return None;
        }
        // What does not fit into the header stands in the first section.
        if count == 0 || names == 0xffff {
            self.sections = source::bytes(self.source, offset, size).ok()?;
            let (size, link) =
                (self.word(&self.sections, 20, 32)?, if self.wide { 40 } else { 24 });
            count = if count == 0 { size } else { count };
            names = if names == 0xffff { self.order.u32(&self.sections, link)? } else { names };
        }
        let length = size * usize::try_from(count.min(MOST_SECTIONS)).ok()?;
        self.sections = source::bytes(self.source, offset, length).ok()?;
        let names = self.section_at(index(names))?;
        let length = usize::try_from(names.size.min(MOST_NAMES)).ok()?;
        self.names = source::bytes(self.source, names.offset, length).ok()?;
        Some(())
    }

    fn section_size(&self) -> usize {
        if self.wide { 64 } else { 40 }
    }

    /// A number that has 32 or 64 bits.
    fn word(&self, bytes: &[u8], narrow: usize, wide: usize) -> Option<u64> {
        match self.wide {
            true => self.order.u64(bytes, wide),
            false => self.order.u32(bytes, narrow).map(u64::from),
        }
    }

    fn section_at(&self, number: usize) -> Option<Part> {
        let size = self.section_size();
        let entry = self.sections.get(number.checked_mul(size)?..)?.get(..size)?;
        if self.order.u32(entry, 4)? == NOBITS {
            return None;
        }
        Some(Part {
            address: self.word(entry, 12, 16)?,
            offset: self.word(entry, 16, 24)?,
            size: self.word(entry, 20, 32)?,
        })
    }

    /// Whether there is any table of sections.
    pub(crate) fn has_sections(&self) -> bool {
        !self.sections.is_empty()
    }

    /// The section of a name, if it has bytes.
    pub(crate) fn section(&self, name: &[u8]) -> Option<Part> {
        let size = self.section_size();
        let named = |entry: &[u8]| {
            let at = self.order.u32(entry, 0).map(index)?;
            let rest = self.names.get(at..)?.strip_prefix(name)?;
            (rest.first() == Some(&0)).then_some(())
        };
        let at = self.sections.chunks_exact(size).position(|entry| named(entry).is_some())?;
        self.section_at(at)
    }

    /// The segments that are loaded, each with whether it can be written to.
    pub(crate) fn segments(&mut self) -> Vec<(Part, bool)> {
        let read = |elf: &mut Self| {
            let offset = elf.word(&elf.header, 28, 32)?;
            let count = elf.order.u16(&elf.header, if elf.wide { 56 } else { 44 })?;
            let size = if elf.wide { 56 } else { 32 };
            let length = size * usize::try_from(u64::from(count).min(MOST_SEGMENTS)).ok()?;
            Some((size, source::bytes(elf.source, offset, length).ok()?))
        };
        let Some((size, table)) = read(self) else { return Vec::new() };
        let part = |entry: &[u8]| {
            let loaded = self.order.u32(entry, 0)? == LOAD;
            let flags = self.order.u32(entry, if self.wide { 4 } else { 24 })?;
            let part = Part {
                offset: self.word(entry, 4, 8)?,
                address: self.word(entry, 8, 16)?,
                size: self.word(entry, 16, 32)?,
            };
            loaded.then_some((part, flags & WRITABLE != 0))
        };
        table.chunks_exact(size).filter_map(part).collect()
    }

    /// All bytes of a part that is not longer than `limit`.
    pub(crate) fn bytes(&mut self, part: Part, limit: u64) -> Result<Vec<u8>, Reason> {
        match usize::try_from(part.size) {
            Ok(length) if part.size <= limit => source::bytes(self.source, part.offset, length),
            _ => Err(Reason::TooLarge { limit }),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A 64-bit little-endian file with these sections, loaded at 0x1000 times their number.
    pub(crate) fn file(sections: &[(&str, &[u8])]) -> Vec<u8> {
        let mut names = vec![0];
        let mut bytes = vec![0; 64];
        let mut table = vec![0; 64];
        let mut add = |name: u32, address: u64, bytes: &mut Vec<u8>, content: &[u8]| {
            let mut entry = vec![0; 64];
            entry[0..4].copy_from_slice(&name.to_le_bytes());
            entry[4] = 1;
            entry[16..24].copy_from_slice(&address.to_le_bytes());
            entry[24..32].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            entry[32..40].copy_from_slice(&(content.len() as u64).to_le_bytes());
            table.extend(entry);
            bytes.extend(content);
        };
        for (number, (name, content)) in sections.iter().enumerate() {
            let at = u32::try_from(names.len()).unwrap();
            names.extend([name.as_bytes(), b"\0"].concat());
            add(at, 0x1000 * (number as u64 + 1), &mut bytes, content);
        }
        add(0, 0, &mut bytes, &names);
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        let at = bytes.len() as u64;
        bytes[40..48].copy_from_slice(&at.to_le_bytes());
        bytes[60] = u8::try_from(sections.len() + 2).unwrap();
        bytes[62] = u8::try_from(sections.len() + 1).unwrap();
        bytes.extend(table);
        bytes
    }

    #[test]
    fn sections_are_found_by_name() {
        let bytes = file(&[(".text", b"code"), (".dep-v0", b"crates")]);
        let mut source = bytes.as_slice();
        let mut elf = Elf::open(&mut source).unwrap();
        let part = elf.section(b".dep-v0").unwrap();
        assert_eq!(elf.bytes(part, 10).unwrap(), b"crates");
        assert_eq!(elf.bytes(part, 5), Err(Reason::TooLarge { limit: 5 }));
        assert_eq!(elf.section(b".dep"), None);
        assert!(elf.has_sections());
        assert!(Elf::open(&mut &b"#!/bin/sh"[..]).is_none());
        assert!(!Elf::open(&mut &bytes[..100]).unwrap().has_sections());
    }

    #[test]
    fn this_program_is_one() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let mut source = bytes.as_slice();
        let mut elf = Elf::open(&mut source).unwrap();
        assert!(elf.section(b".rodata").unwrap().size > 1000);
        assert!(elf.section(b".bss").is_none());
        assert!(elf.segments().iter().any(|(_, writable)| *writable));
    }
}
