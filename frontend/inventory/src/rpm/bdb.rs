//! rpm's database until 2020: `Packages`, a hash of Berkeley DB (its `dbinc/db_page.h`).
//!
//! Which bucket a package is in does not matter: all pages are looked at in turn.

use super::{Found, LONGEST, header};
use crate::numbers::{Order, index};
use crate::reading::Reason;
use crate::source::{self, Source};

const HASH_MAGIC: u32 = 0x0006_1561;
/// Kinds of pages.
const UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const SORTED: u8 = 13;
/// Kinds of items.
const INLINE: u8 = 1;
const ELSEWHERE: u8 = 3;
/// The largest file, in bytes: ten times what any distribution fills.
const LARGEST: u64 = 1 << 30;
/// The header of every page.
const HEAD: usize = 26;

/// Reads all packages of the database.
pub(crate) fn read(source: &mut dyn Source, origin: &str, into: &mut Found) -> Result<(), Reason> {
    if source.size() > LARGEST {
        return Err(Reason::TooLarge { limit: LARGEST });
    }
    let start = source::bytes(source, 0, 72)?;
    let orders = [Order::Little, Order::Big];
    let order = orders.into_iter().find(|order| order.u32(&start, 12) == Some(HASH_MAGIC));
    let Some(order) = order else {
        return Err(Reason::damaged("it is no hash of Berkeley DB"));
    };
    let page_size = order.u32(&start, 20).unwrap_or_default();
    if !(512..=65536).contains(&page_size) || !page_size.is_power_of_two() {
        return Err(Reason::damaged("the size of its pages"));
    }
    if start.get(24) != Some(&0) {
        return Err(Reason::Unsupported { what: "it is encrypted".into() });
    }
    let last = order.u32(&start, 32).unwrap_or_default();
    let pages = (source.size() / u64::from(page_size)).min(u64::from(last) + 1);
    let cut = pages <= u64::from(last);
    let mut file = File { source, order, page_size: index(page_size), budget: pages };
    let mut damage = cut.then_some(Reason::Truncated);
    for number in 1..pages {
        let page = file.page(number)?;
        if matches!(page.get(25), Some(&(UNSORTED | SORTED)))
            && let Err(reason) = file.items(&page, origin, into)
        {
            damage.get_or_insert(reason);
        }
    }
    damage.map_or(Ok(()), Err)
}

struct File<'a> {
    source: &'a mut dyn Source,
    order: Order,
    page_size: usize,
    /// How many overflow pages may still be read: each belongs to one item.
    budget: u64,
}

impl File<'_> {
    fn page(&mut self, number: u64) -> Result<Vec<u8>, Reason> {
        source::bytes(self.source, number * self.page_size as u64, self.page_size)
    }

    fn number(&self, page: &[u8], at: usize) -> Option<usize> {
        self.order.u16(page, at).map(usize::from)
    }

    /// Keys and values in turn; values are the headers.
    fn items(&mut self, page: &[u8], origin: &str, into: &mut Found) -> Result<(), Reason> {
        let damaged = || Reason::damaged("a page");
        let entries = self.number(page, 20).ok_or_else(damaged)?;
        let mut damage = None;
        for entry in (1..entries).step_by(2) {
            let at = self.number(page, HEAD + 2 * entry).ok_or_else(damaged)?;
            // Items lie one before the other, from the end of the page.
            let end = self.number(page, HEAD + 2 * (entry - 1)).ok_or_else(damaged)?;
            let item = page.get(at..end).ok_or_else(damaged)?;
            let blob = match item.first() {
                Some(&INLINE) => Ok(item.get(1..).unwrap_or_default().to_vec()),
                Some(&ELSEWHERE) => self.elsewhere(item),
                _ => Err(damaged()),
            };
            // The first item counts packages, and is no header.
            let taken = blob.and_then(|blob| match blob.len() {
                4 => Ok(()),
                _ => header(&blob, origin, into),
            });
            if let Err(reason) = taken {
                damage.get_or_insert(reason);
            }
        }
        damage.map_or(Ok(()), Err)
    }

    /// A value on pages of its own.
    fn elsewhere(&mut self, item: &[u8]) -> Result<Vec<u8>, Reason> {
        let damaged = || Reason::damaged("a chain of pages");
        let mut number = self.order.u32(item, 4).ok_or_else(damaged)?;
        let length = self.order.u32(item, 8).map(index).ok_or_else(damaged)?;
        if length > LONGEST {
            return Err(Reason::TooLarge { limit: LONGEST as u64 });
        }
        let mut found = Vec::new();
        while found.len() < length {
            self.budget = self.budget.checked_sub(1).ok_or_else(damaged)?;
            let page = self.page(u64::from(number))?;
            let part = self.number(&page, 22).and_then(|part| page.get(HEAD..HEAD + part));
            match part {
                Some(part) if number != 0 && page.get(25) == Some(&OVERFLOW) => found.extend(part),
                _ => return Err(damaged()),
            }
            number = self.order.u32(&page, 16).ok_or_else(damaged)?;
        }
        found.truncate(length);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpm::tests::package;

    /// A file of three pages: the first, one with items, one that overflows.
    fn file() -> Vec<u8> {
        let mut file = vec![0; 3 * 512];
        file[12..16].copy_from_slice(&HASH_MAGIC.to_le_bytes());
        file[20..24].copy_from_slice(&512u32.to_le_bytes());
        file[32] = 2;
        let (items, blob) = (&mut file[512..1024], package("bash"));
        (items[20], items[25]) = (6, SORTED);
        let mut end = 512usize;
        let far = u8::try_from(blob.len()).unwrap();
        let elsewhere = [ELSEWHERE, 0, 0, 0, 2, 0, 0, 0, far, 0, 0, 0];
        let inline = [&[INLINE][..], &package("zlib")].concat();
        let key = [INLINE, 1, 0, 0, 0];
        for (entry, item) in
            [&key[..], &[INLINE, 9, 0, 0, 0], &key, &elsewhere, &key, &inline].iter().enumerate()
        {
            end -= item.len();
            items[end..end + item.len()].copy_from_slice(item);
            let at = u16::try_from(end).unwrap().to_le_bytes();
            items[HEAD + 2 * entry..HEAD + 2 * entry + 2].copy_from_slice(&at);
        }
        let over = &mut file[1024..];
        (over[22], over[25]) = (far, OVERFLOW);
        over[HEAD..HEAD + blob.len()].copy_from_slice(&blob);
        file
    }

    #[test]
    fn packages_lie_inline_and_on_pages_of_their_own() {
        let mut found = Found::default();
        read(&mut file().as_slice(), "x", &mut found).unwrap();
        let told: Vec<_> = found.packages.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["bash 1.0-1 (noarch)", "zlib 1.0-1 (noarch)"]);
    }

    #[test]
    fn damage_is_said_and_the_rest_kept() {
        let file = file();
        let mut found = Found::default();
        assert_eq!(read(&mut &file[..1024], "x", &mut found), Err(Reason::Truncated));
        assert_eq!(found.packages.len(), 1);
        // A chain that leads back to itself.
        let mut round = file.clone();
        round[1024 + 22] = 1;
        round[1024 + 16] = 2;
        let read = read(&mut round.as_slice(), "x", &mut Found::default());
        assert!(matches!(read, Err(Reason::Damaged { .. })));
    }
}
