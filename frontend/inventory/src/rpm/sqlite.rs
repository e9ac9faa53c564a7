//! rpm's database since 2020: an SQLite file with one row for each package
//! (<https://www.sqlite.org/fileformat2.html>).
//!
//! Reads one table, page by page, and never a page twice: whatever the file says, the work is
//! bounded by its length.

use std::collections::BTreeSet;

use super::wal::Log;
use super::{Found, LONGEST, header};
use crate::numbers::{Order, index};
use crate::reading::Reason;
use crate::source::{self, Source};

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Deeper trees than SQLite's own limit.
const DEEPEST: usize = 20;
const TABLE: &[u8] = b"Packages";

/// Reads `rpmdb.sqlite`, and the `rpmdb.sqlite-wal` beside it.
pub(crate) fn read(
    source: &mut dyn Source,
    log: Option<&mut dyn Source>,
    origin: &str,
    into: &mut Found,
) -> Result<(), Reason> {
    let mut database = Database::open(source, log)?;
    let mut root = None;
    database.table(1, &mut |row| {
        let columns = columns(row).ok_or_else(|| Reason::damaged("the schema"))?;
        if let [b"table", _, TABLE, page, ..] = columns.as_slice() {
            let page = page.iter().fold(0u32, |page, &byte| page << 8 | u32::from(byte));
            root = Some(page);
        }
        Ok(())
    })?;
    let root = root.ok_or_else(|| Reason::damaged("it has no table of packages"))?;
    // One damaged header does not hide the others.
    let mut damage = None;
    database.table(root, &mut |row| {
        let columns = columns(row).ok_or_else(|| Reason::damaged("a row of the table"))?;
        let blob = columns.get(1).copied().unwrap_or_default();
        if let Err(reason) = header(blob, origin, into) {
            damage.get_or_insert(reason);
        }
        Ok(())
    })?;
    damage.map_or(Ok(()), Err)
}

struct Database<'a, 'b> {
    source: &'a mut dyn Source,
    log: Option<(&'b mut dyn Source, Log)>,
    page_size: u32,
    /// Bytes of a page that are SQLite's to use.
    usable: usize,
    seen: BTreeSet<u32>,
}

impl<'a, 'b> Database<'a, 'b> {
    fn open(source: &'a mut dyn Source, log: Option<&'b mut dyn Source>) -> Result<Self, Reason> {
        let start = source::bytes(source, 0, 100)?;
        if !start.starts_with(MAGIC) {
            return Err(Reason::damaged("it is no SQLite database"));
        }
        let page_size = match Order::Big.u16(&start, 16) {
            Some(1) => 65536,
            Some(size) if size >= 512 && size.is_power_of_two() => u32::from(size),
            _ => return Err(Reason::damaged("the size of its pages")),
        };
        let reserved = start.get(20).copied().map_or(0, usize::from);
        let usable = index(page_size) - reserved;
        if usable < 480 {
            return Err(Reason::damaged("the size of its pages"));
        }
        let log = match log {
            Some(log) => {
                let pages = Log::read(log, page_size)?;
                Some((log, pages))
            }
            None => None,
        };
        Ok(Self { source, log, page_size, usable, seen: BTreeSet::new() })
    }

    /// A page in its newest form, once.
    fn page(&mut self, number: u32) -> Result<Vec<u8>, Reason> {
        if number == 0 || !self.seen.insert(number) {
            return Err(Reason::damaged("its pages form a circle"));
        }
        let size = index(self.page_size);
        if let Some((source, log)) = &mut self.log
            && let Some(place) = log.place(number)
        {
            return source::bytes(*source, place, size);
        }
        let place = u64::from(number - 1) * u64::from(self.page_size);
        source::bytes(self.source, place, size)
    }

    /// Gives all rows of a table to `each`, whole.
    fn table(
        &mut self,
        root: u32,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        self.seen.clear();
        self.node(root, 0, each)
    }

    fn node(
        &mut self,
        number: u32,
        depth: usize,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let damaged = || Reason::damaged(format!("page {number}"));
        if depth > DEEPEST {
            return Err(damaged());
        }
        let page = self.page(number)?;
        // The first page begins with the file's header.
        let at = if number == 1 { 100 } else { 0 };
        let inner = match page.get(at) {
            Some(5) => true,
            Some(13) => false,
            _ => return Err(damaged()),
        };
        let cells = Order::Big.u16(&page, at + 3).ok_or_else(damaged)?;
        let pointers = at + if inner { 12 } else { 8 };
        for cell in 0..usize::from(cells) {
            let cell = Order::Big.u16(&page, pointers + 2 * cell).ok_or_else(damaged)?;
            let cell = usize::from(cell);
            if inner {
                let child = Order::Big.u32(&page, cell).ok_or_else(damaged)?;
                self.node(child, depth + 1, each)?;
            } else {
                let row = self.row(page.get(cell..).unwrap_or_default())?.ok_or_else(damaged)?;
                each(&row)?;
            }
        }
        if inner {
            let last = Order::Big.u32(&page, at + 8).ok_or_else(damaged)?;
            self.node(last, depth + 1, each)?;
        }
        Ok(())
    }

    /// The payload of a cell, with its overflow pages.
    fn row(&mut self, cell: &[u8]) -> Result<Option<Vec<u8>>, Reason> {
        let Some((length, rest)) = varint(cell) else { return Ok(None) };
        let Some((_, rest)) = varint(rest) else { return Ok(None) };
        let Some(length) = usize::try_from(length).ok().filter(|&length| length <= LONGEST) else {
            return Err(Reason::TooLarge { limit: LONGEST as u64 });
        };
        let most = self.usable - 35;
        let local = if length <= most {
            length
        } else {
            let least = (self.usable - 12) * 32 / 255 - 23;
            let local = least + (length - least) % (self.usable - 4);
            if local <= most { local } else { least }
        };
        let Some((payload, rest)) = rest.split_at_checked(local) else { return Ok(None) };
        let mut payload = payload.to_vec();
        let mut next = Order::Big.u32(rest, 0);
        while payload.len() < length {
            let Some(number) = next else { return Ok(None) };
            let page = self.page(number)?;
            next = Order::Big.u32(&page, 0);
            let part = page.get(4..self.usable).unwrap_or_default();
            let part = part.get(..length - payload.len()).unwrap_or(part);
            payload.extend(part);
        }
        Ok(Some(payload))
    }
}

/// The columns of a row, as bytes.
fn columns(row: &[u8]) -> Option<Vec<&[u8]>> {
    let (length, _) = varint(row)?;
    let (head, mut body) = row.split_at_checked(usize::try_from(length).ok()?)?;
    let (_, mut head) = varint(head)?;
    let mut found = Vec::new();
    while !head.is_empty() {
        let (kind, rest) = varint(head)?;
        head = rest;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            // Odd numbers are texts, even ones blobs.
            _ => (kind - 12) / 2,
        };
        let (column, rest) = body.split_at_checked(usize::try_from(length).ok()?)?;
        body = rest;
        found.push(column);
    }
    Some(found)
}

/// A number in one to nine bytes, and what follows.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0u64;
    for (at, &byte) in bytes.iter().enumerate().take(9) {
        if at == 8 {
            return Some((number << 8 | u64::from(byte), bytes.get(9..)?));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests;
