//! Go: the modules that a binary was built from, as `go version -m` shows them.
//!
//! The one difference: a main module without a version gets the one that its build wrote down.
//! The format is that of Go's `debug/buildinfo`: behind a magic string stand two strings, or
//! pointers to them in binaries of Go before 1.18.

mod stamp;

use crate::elf::{Elf, Part};
use crate::numbers::Order;
use crate::package::{Ecosystem, Package, add};
use crate::reading::Reason;
use crate::text::{lines, lossy};

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Where the strings begin when they follow; the magic is aligned to half of it.
const HEADER: usize = 32;
/// The most of a data segment that is searched, when there is no section.
const SEARCHED: u64 = 1 << 16;
/// The longest list of modules, in bytes.
const LONGEST: u64 = 16 << 20;

/// Appends the modules of a Go binary.
pub(crate) fn modules(
    elf: &mut Elf<'_>,
    origin: &str,
    into: &mut Vec<Package>,
) -> Result<(), Reason> {
    let Some(info) = build_info(elf)? else { return Ok(()) };
    let package =
        |name: &str, version: &str| Package::new(Ecosystem::Golang, name, version, origin);
    // `go1.22.1 X:boringcrypto`: the experiments are not part of the version.
    let version = lossy(&info.version);
    let version = version.split(' ').next().unwrap_or_default();
    if let Some(version) = version.strip_prefix("go").filter(|version| !version.is_empty()) {
        add(into, package("stdlib", version))?;
    }
    let flags = lines(&info.modules).find_map(|line| line.strip_prefix(b"build\t-ldflags="));
    for line in lines(&info.modules) {
        let line = lossy(line);
        let mut words = line.split('\t');
        let (Some(key), Some(path)) = (words.next(), words.next()) else { continue };
        let version = words.next().unwrap_or_default();
        match key {
            "mod" if version == "(devel)" => {
                let stamped = flags.and_then(|flags| stamp::version(&lossy(flags), path));
                add(into, package(path, stamped.as_deref().unwrap_or(version)))?;
            }
            "mod" | "dep" if !path.is_empty() => {
                add(into, package(path, version))?;
            }
            // In place of the module before. A directory has no version: what is in it is unknown,
            // and the module's own name says most about it.
            "=>" if !version.is_empty() && !path.starts_with(['.', '/']) => {
                into.pop();
                add(into, package(path, version))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a binary says about its making.
struct BuildInfo {
    /// The version of Go.
    version: Vec<u8>,
    /// The list of modules, without the sentinels around it.
    modules: Vec<u8>,
}

fn build_info(elf: &mut Elf<'_>) -> Result<Option<BuildInfo>, Reason> {
    let Some((info, at)) = locate(elf) else { return Ok(None) };
    let damaged = || Reason::damaged("Go's build information");
    let header = info.get(at..).and_then(|rest| rest.get(..HEADER)).ok_or_else(damaged)?;
    let (Some(&pointer), Some(&flags)) = (header.get(14), header.get(15)) else {
        return Err(damaged());
    };
    let (version, modules) = if flags & 2 != 0 {
        let rest = info.get(at + HEADER..).unwrap_or_default();
        let (version, rest) = prefixed(rest).ok_or_else(damaged)?;
        let (modules, _) = prefixed(rest).ok_or_else(damaged)?;
        (version.to_vec(), modules.to_vec())
    } else {
        let order = if flags & 1 != 0 { Order::Big } else { Order::Little };
        let memory = Memory { segments: elf.segments(), order, pointer: usize::from(pointer) };
        let mut string = |at| {
            let header = memory.number(header, at).ok_or_else(damaged)?;
            memory.string(elf, header)
        };
        (string(16)?, string(16 + usize::from(pointer))?)
    };
    // Sixteen bytes before and behind, if there are modules at all.
    let inner = modules.len().checked_sub(33).and_then(|_| modules.get(16..modules.len() - 16));
    let modules = inner.filter(|inner| inner.ends_with(b"\n")).unwrap_or_default().to_vec();
    Ok(Some(BuildInfo { version, modules }))
}

/// The bytes around the magic string, and where it is in them.
fn locate(elf: &mut Elf<'_>) -> Option<(Vec<u8>, usize)> {
    let part = match elf.section(b".go.buildinfo") {
        Some(part) => part,
        None if elf.has_sections() => return None,
        None => {
            let segments = elf.segments();
            let (data, _) = segments.into_iter().find(|(_, writable)| *writable)?;
            Part { size: data.size.min(SEARCHED), ..data }
        }
    };
    let part = Part { size: part.size.min(LONGEST), ..part };
    let bytes = elf.bytes(part, LONGEST).ok()?;
    let at = memchr::memmem::find_iter(&bytes, MAGIC).find(|at| at % 16 == 0)?;
    Some((bytes, at))
}

/// A string behind its length, and what follows.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0u64;
    for (at, &byte) in bytes.iter().enumerate().take(9) {
        length |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let rest = bytes.get(at + 1..)?;
            return rest.split_at_checked(usize::try_from(length).ok()?);
        }
    }
    None
}

/// A program's memory, as far as the file has it.
struct Memory {
    segments: Vec<(Part, bool)>,
    order: Order,
    pointer: usize,
}

impl Memory {
    fn number(&self, bytes: &[u8], at: usize) -> Option<u64> {
        match self.pointer {
            4 => self.order.u32(bytes, at).map(u64::from),
            8 => self.order.u64(bytes, at),
            _ => None,
        }
    }

    fn bytes(&self, elf: &mut Elf<'_>, address: u64, size: u64) -> Option<Vec<u8>> {
        let holds = |part: &Part| {
            let inside = address.checked_sub(part.address)?;
            let end = inside.checked_add(size)?;
            (end <= part.size).then_some(part.offset.checked_add(inside)?)
        };
        let offset = self.segments.iter().find_map(|(part, _)| holds(part))?;
        elf.bytes(Part { address, offset, size }, LONGEST).ok()
    }

    /// The string whose pointer and length stand at an address.
    fn string(&self, elf: &mut Elf<'_>, address: u64) -> Result<Vec<u8>, Reason> {
        let mut read = || {
            let header = self.bytes(elf, address, 2 * self.pointer as u64)?;
            let (at, length) = (self.number(&header, 0)?, self.number(&header, self.pointer)?);
            if length == 0 { Some(Vec::new()) } else { self.bytes(elf, at, length) }
        };
        read().ok_or_else(|| Reason::damaged("a pointer of Go's build information"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::tests::file;

    const MODULES: &str = "path\tx.org/tool\nmod\tx.org/tool\t(devel)\t\n\
        dep\tgithub.com/a/b\tv1.0.0\th1:x=\n=>\tgithub.com/fork/b\tv1.0.1\th1:y=\n\
        dep\tgithub.com/a/local\tv1.2.0\n=>\t./local\t(devel)\t\n\
        dep\tgolang.org/x/text\tv0.3.6\th1:z=\nbuild\t-compiler=gc\n";

    fn inline(version: &str, modules: &str) -> Vec<u8> {
        let mut info = [MAGIC, &[8, 2], &[0; 16]].concat();
        let modules = format!("0123456789abcdef{modules}fedcba9876543210");
        for text in [version, &modules] {
            let mut length = text.len();
            while length >= 0x80 {
                info.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            info.push(u8::try_from(length).unwrap());
            info.extend(text.as_bytes());
        }
        info
    }

    fn read(bytes: &[u8]) -> Result<Vec<String>, Reason> {
        let mut source = bytes;
        let mut found = Vec::new();
        modules(&mut Elf::open(&mut source).unwrap(), "tool", &mut found)?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    const EXPECTED: [&str; 5] = [
        "stdlib 1.22.1",
        "x.org/tool (devel)",
        "github.com/fork/b v1.0.1",
        "github.com/a/local v1.2.0",
        "golang.org/x/text v0.3.6",
    ];

    #[test]
    fn modules_follow_the_magic_string() {
        let bytes = file(&[(".go.buildinfo", &inline("go1.22.1 X:boringcrypto", MODULES))]);
        assert_eq!(read(&bytes).unwrap(), EXPECTED);
        let none = file(&[(".go.buildinfo", &inline("go1.22.1", ""))]);
        assert_eq!(read(&none).unwrap(), ["stdlib 1.22.1"]);
        assert_eq!(read(&file(&[(".text", b"code")])).unwrap(), [""; 0]);
    }

    #[test]
    fn a_version_that_the_build_wrote_down_counts() {
        let modules = "path\tx.org/tool\nmod\tx.org/tool\t(devel)\t\n\
            build\t-ldflags=\"-s -X main.version=v1.5.0\"\n";
        let bytes = file(&[(".go.buildinfo", &inline("go1.22.1", modules))]);
        assert_eq!(read(&bytes).unwrap(), ["stdlib 1.22.1", "x.org/tool v1.5.0"]);
    }

    #[test]
    fn without_sections_the_data_segment_is_searched() {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (bytes[32], bytes[56]) = (64, 1);
        (bytes[64], bytes[68]) = (1, 6);
        let info = [vec![0; 16], inline("go1.22.1", MODULES)].concat();
        bytes[72..80].copy_from_slice(&120u64.to_le_bytes());
        bytes[96..104].copy_from_slice(&(info.len() as u64).to_le_bytes());
        bytes.extend(info);
        assert_eq!(read(&bytes).unwrap(), EXPECTED);
    }

    #[test]
    fn old_binaries_point_to_the_strings() {
        let modules = format!("0123456789abcdef{MODULES}fedcba9876543210");
        let mut data = [MAGIC, &[8, 0]].concat();
        let at = 0x4000u64;
        // Two pointers to string headers, the headers, the strings.
        let version = "go1.17.13";
        let strings = at + 64;
        for number in [
            at + 32,
            at + 48,
            strings,
            version.len() as u64,
            strings + version.len() as u64,
            modules.len() as u64,
        ] {
            data.extend(number.to_le_bytes());
        }
        data.extend(version.as_bytes());
        data.extend(modules.as_bytes());
        let mut bytes = file(&[(".go.buildinfo", &data[..32])]);
        let mut segment = vec![0; 56];
        (segment[0], segment[4]) = (1, 6);
        let offset = bytes.len() as u64 + 56;
        segment[8..16].copy_from_slice(&offset.to_le_bytes());
        segment[16..24].copy_from_slice(&at.to_le_bytes());
        segment[32..40].copy_from_slice(&(data.len() as u64).to_le_bytes());
        let table = bytes.len() as u64;
        bytes[32..40].copy_from_slice(&table.to_le_bytes());
        bytes[56] = 1;
        bytes.extend(segment);
        bytes.extend(&data);
        let expected = [&["stdlib 1.17.13"], &EXPECTED[1..]].concat();
        assert_eq!(read(&bytes).unwrap(), expected);
        let end = bytes.len() - 40;
        assert!(matches!(read(&bytes[..end]), Err(Reason::Damaged { .. })));
    }

    #[test]
    fn damage_is_said() {
        let info = inline("go1.22.1", MODULES);
        let torn = file(&[(".go.buildinfo", &info[..info.len() - 20])]);
        assert!(matches!(read(&torn), Err(Reason::Damaged { .. })));
    }
}
