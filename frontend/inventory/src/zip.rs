//! Zip archives: the members that somebody asks for
//! (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>).

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::numbers::Order;
use crate::reading::Reason;
use crate::source::{self, Source};

/// The longest comment, and the record before it.
const TAIL: u64 = 65535 + 22;
/// The longest directory, in bytes.
const LONGEST: usize = 32 << 20;
/// What an archive or a member costs at least, in bytes.
const LEAST: usize = 4096;
const RECORD: usize = 46;

/// A member of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub name: Vec<u8>,
    flags: u16,
    method: u16,
    packed: u64,
    at: u64,
}

/// A part of a source as a source: a member that is stored as it is.
pub(crate) struct Window<'a> {
    source: &'a mut dyn Source,
    start: u64,
    size: u64,
}

impl Source for Window<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = rest.min(into.len());
        match into.get_mut(..length) {
            Some(into) if length > 0 => self.source.read_at(self.start + offset, into),
            _ => Ok(0),
        }
    }
}

/// Where the directory begins, how long it is, and how many bytes stand before the archive.
struct Directory {
    at: u64,
    length: u64,
    before: u64,
}

/// The members that `wanted` names, in the directory's order. The directory is taken off the budget:
/// archives in archives may all have the same bytes, and so more directories than the file is long.
pub(crate) fn members(
    source: &mut dyn Source,
    budget: &mut usize,
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<Vec<Member>, Reason> {
    let damaged = || Reason::damaged("the directory of the archive");
    let Directory { at, length, before } = directory(source)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(Reason::TooLarge { limit: LONGEST as u64 });
    }
    spend(budget, length)?;
    let directory = source::bytes(source, at, length)?;
    let mut rest = directory.as_slice();
    let mut found = Vec::new();
    while rest.starts_with(b"PK\x01\x02") {
        let short = |at| Order::Little.u16(rest, at).map(usize::from).ok_or_else(damaged);
        let long = |at| Order::Little.u32(rest, at).ok_or_else(damaged);
        let (name, extra, comment) = (short(28)?, short(30)?, short(32)?);
        let (packed, size, place) = (long(20)?, long(24)?, long(42)?);
        let (flags, method) = (Order::Little.u16(rest, 8), Order::Little.u16(rest, 10));
        let body = rest.get(RECORD..).ok_or_else(damaged)?;
        let (name, body) = body.split_at_checked(name).ok_or_else(damaged)?;
        let (extra, body) = body.split_at_checked(extra).ok_or_else(damaged)?;
        rest = body.get(comment..).ok_or_else(damaged)?;
        if wanted(name) {
            let [_, packed, at] = widened(extra, [size, packed, place]).ok_or_else(damaged)?;
            found.push(Member {
                name: name.to_vec(),
                flags: flags.unwrap_or_default(),
                method: method.unwrap_or_default(),
                packed,
                at: at.checked_add(before).ok_or_else(damaged)?,
            });
        }
    }
    Ok(found)
}

/// Takes bytes off a budget.
fn spend(budget: &mut usize, bytes: usize) -> Result<(), Reason> {
    let left = budget.checked_sub(bytes.max(LEAST));
    *budget = left.unwrap_or(0);
    left.map(|_| ()).ok_or_else(|| Reason::damaged("it unpacks to far more than it should"))
}

/// Numbers that do not fit stand in the extra field, in this order.
fn widened(extra: &[u8], numbers: [u32; 3]) -> Option<[u64; 3]> {
    let mut found = numbers.map(u64::from);
    if !numbers.contains(&u32::MAX) {
        return Some(found);
    }
    let mut rest = extra;
    while rest.len() >= 4 {
        let length = usize::from(Order::Little.u16(rest, 2)?);
        let (head, body) = rest.split_at_checked(4)?;
        let (body, after) = body.split_at_checked(length)?;
        rest = after;
        if head.starts_with(&[1, 0]) {
            let mut at = 0;
            for number in found.iter_mut().filter(|number| **number == u64::from(u32::MAX)) {
                *number = Order::Little.u64(body, at)?;
                at += 8;
            }
            return Some(found);
        }
    }
    None
}

/// Reads the end of the archive; programs may stand before it.
fn directory(source: &mut dyn Source) -> Result<Directory, Reason> {
    let size = source.size();
    // Nearly all have no comment.
    let end = source::bytes(source, size.checked_sub(22).ok_or(Reason::Truncated)?, 22)?;
    let short = end.starts_with(b"PK\x05\x06") && end.ends_with(&[0, 0]);
    let length = size.min(if short { 22 + 20 } else { TAIL });
    let tail = source::bytes(source, size - length, usize::try_from(length).unwrap_or_default())?;
    let no_end = || Reason::damaged("it has no end of an archive");
    let at = memchr::memmem::rfind(&tail, b"PK\x05\x06").ok_or_else(no_end)?;
    let end = tail.get(at..).filter(|end| end.len() >= 22).ok_or(Reason::Truncated)?;
    let number = |at| Order::Little.u32(end, at).map(u64::from).ok_or_else(no_end);
    let (mut length, mut claimed) = (number(12)?, number(16)?);
    let mut end = size - tail.len() as u64 + at as u64;
    // An archive of more than 4 GiB has a second end before this one, and says where.
    let locator = at.checked_sub(20).and_then(|at| tail.get(at..)).unwrap_or_default();
    if locator.starts_with(b"PK\x06\x07") {
        let place = Order::Little.u64(locator, 8).ok_or_else(no_end)?;
        let wide = source::bytes(source, place, 56)?;
        if !wide.starts_with(b"PK\x06\x06") {
            return Err(no_end());
        }
        length = Order::Little.u64(&wide, 40).ok_or_else(no_end)?;
        claimed = Order::Little.u64(&wide, 48).ok_or_else(no_end)?;
        end = place;
    }
    let at = end.checked_sub(length).ok_or(Reason::Truncated)?;
    let before = at.checked_sub(claimed).ok_or(Reason::Truncated)?;
    Ok(Directory { at, length, before })
}

impl Member {
    /// Where its bytes are in the archive.
    fn place(&self, source: &mut dyn Source) -> Result<u64, Reason> {
        if self.flags & 1 != 0 {
            return Err(Reason::Unsupported { what: "a member is encrypted".into() });
        }
        let head = source::bytes(source, self.at, 30)?;
        let skipped = |at| Order::Little.u16(&head, at).map(u64::from);
        let (Some(name), Some(extra)) = (skipped(26), skipped(28)) else {
            return Err(Reason::Truncated);
        };
        if !head.starts_with(b"PK\x03\x04") {
            return Err(Reason::damaged("a member of the archive"));
        }
        Ok(self.at + 30 + name + extra)
    }

    /// Reads it, if it is not longer than `limit`, and takes it off the budget.
    pub(crate) fn bytes(
        &self,
        source: &mut dyn Source,
        limit: usize,
        budget: &mut usize,
    ) -> Result<Vec<u8>, Reason> {
        let bytes = self.unpacked(source, limit.min(*budget))?;
        spend(budget, bytes.len())?;
        Ok(bytes)
    }

    fn unpacked(&self, source: &mut dyn Source, limit: usize) -> Result<Vec<u8>, Reason> {
        let place = self.place(source)?;
        let large = || Reason::TooLarge { limit: limit as u64 };
        let packed = usize::try_from(self.packed).ok().filter(|&packed| packed <= limit);
        let packed = source::bytes(source, place, packed.ok_or_else(large)?)?;
        match self.method {
            0 => Ok(packed),
            8 => decompress_to_vec_with_limit(&packed, limit).map_err(|error| match error.status {
                miniz_oxide::inflate::TINFLStatus::HasMoreOutput => large(),
                _ => Reason::damaged("a member of the archive"),
            }),
            method => {
                Err(Reason::Unsupported { what: format!("a member is packed by method {method}") })
            }
        }
    }

    /// The member without a copy, if it is stored as it is.
    pub(crate) fn window<'a>(
        &self,
        source: &'a mut dyn Source,
    ) -> Result<Option<Window<'a>>, Reason> {
        if self.method != 0 {
            return Ok(None);
        }
        let start = self.place(source)?;
        let end = start.checked_add(self.packed).filter(|&end| end <= source.size());
        end.ok_or(Reason::Truncated)?;
        Ok(Some(Window { source, start, size: self.packed }))
    }
}

/// An archive of these members, for tests; deflated or stored.
#[cfg(test)]
pub(crate) fn archive(members: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content, deflated) in members {
        let packed = match deflated {
            true => miniz_oxide::deflate::compress_to_vec(content, 6),
            false => content.to_vec(),
        };
        let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let at = bytes.len();
        // Flags, method, time, checksum, sizes, lengths of name and extra field.
        let common = [
            &[20, 0, 0, 0, u8::from(*deflated) * 8, 0][..],
            &[0; 8],
            &long(packed.len()),
            &long(content.len()),
            &long(name.len()),
        ]
        .concat();
        bytes.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &packed].concat());
        let record = [b"PK\x01\x02\x14\x00", &common[..], &[0; 10], &long(at), name.as_bytes()];
        directory.extend(record.concat());
    }
    let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let (at, length) = (bytes.len(), directory.len());
    bytes.extend(directory);
    bytes.extend([b"PK\x05\x06", &[0; 8][..], &long(length), &long(at), &[0; 2]].concat());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Reason> {
        let mut source = bytes;
        let budget = &mut (1 << 20);
        let found = members(&mut source, budget, |_| true)?;
        let text = |name: Vec<u8>| String::from_utf8(name).unwrap();
        found
            .into_iter()
            .map(|m| Ok((text(m.name.clone()), m.bytes(&mut source, 100, budget)?)))
            .collect()
    }

    #[test]
    fn members_are_found_also_behind_a_program() {
        let bytes = archive(&[("a", b"one", false), ("b/c", b"two", true)]);
        let expected = [("a".into(), b"one".to_vec()), ("b/c".into(), b"two".to_vec())];
        assert_eq!(read(&bytes).unwrap(), expected);
        assert_eq!(read(&[b"#!/bin/sh\n", &bytes[..]].concat()).unwrap(), expected);
        assert_eq!(read(&[&bytes[..], b"comment"].concat()).unwrap(), expected);
    }

    #[test]
    fn a_stored_member_is_a_source() {
        let bytes = archive(&[("a", b"one", false), ("b", b"two", true)]);
        let mut source = bytes.as_slice();
        let found = members(&mut source, &mut 10_000, |_| true).unwrap();
        let mut window = found[0].window(&mut source).unwrap().unwrap();
        assert_eq!(source::whole(&mut window, 10).unwrap(), b"one");
        assert_eq!(source::bytes(&mut window, 1, 3), Err(Reason::Truncated));
        assert!(found[1].window(&mut source).unwrap().is_none());
    }

    #[test]
    fn bombs_and_damage_are_said() {
        let bomb = archive(&[("a", &[0; 5000], true)]);
        assert_eq!(read(&bomb), Err(Reason::TooLarge { limit: 100 }));
        let bytes = archive(&[("a", b"one", false)]);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err());
        }
        let mut secret = bytes.clone();
        let at = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
        secret[at + 8] = 1;
        assert!(matches!(read(&secret), Err(Reason::Unsupported { .. })));
    }
}
