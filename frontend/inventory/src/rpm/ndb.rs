//! rpm's own database of SUSE: `Packages.db` (rpm, `lib/backend/ndb/rpmpkg.c`).

use super::{Found, LONGEST, header};
use crate::numbers::{Order, index};
use crate::reading::Reason;
use crate::source::{self, Source};

const SLOT: usize = 16;
const SLOTS_ON_PAGE: u32 = 4096 / 16;
/// As many packages as nobody installs.
const MOST_PAGES: u32 = 2048;

/// Reads all packages of the database.
pub(crate) fn read(source: &mut dyn Source, origin: &str, into: &mut Found) -> Result<(), Reason> {
    let start = source::bytes(source, 0, 32)?;
    let number = |bytes: &[u8], at| Order::Little.u32(bytes, at).unwrap_or_default();
    if !start.starts_with(b"RpmP") {
        return Err(Reason::damaged("it is no ndb database"));
    }
    if number(&start, 4) != 0 {
        return Err(Reason::Unsupported { what: "its version of ndb".into() });
    }
    let pages = number(&start, 12).min(MOST_PAGES);
    let slots = source::bytes(source, 0, SLOT * index(pages * SLOTS_ON_PAGE))?;
    let mut damage = None;
    // Packages do not overlap: together they are no longer than the file.
    let mut budget = source.size();
    // The header is as long as two slots.
    for slot in slots.chunks_exact(SLOT).skip(2) {
        let (package, block) = (number(slot, 4), number(slot, 8));
        if !slot.starts_with(b"Slot") {
            damage.get_or_insert(Reason::damaged("a slot"));
        } else if block != 0
            && let Err(reason) = blob(source, package, block, &mut budget, origin, into)
        {
            damage.get_or_insert(reason);
        }
    }
    damage.map_or(Ok(()), Err)
}

fn blob(
    source: &mut dyn Source,
    package: u32,
    block: u32,
    budget: &mut u64,
    origin: &str,
    into: &mut Found,
) -> Result<(), Reason> {
    let at = u64::from(block) * 16;
    let head = source::bytes(source, at, 16)?;
    let number = |at| Order::Little.u32(&head, at);
    if !head.starts_with(b"BlbS") || number(4) != Some(package) {
        return Err(Reason::damaged("a package"));
    }
    let length = number(12).map_or(usize::MAX, index);
    if length > LONGEST {
        return Err(Reason::TooLarge { limit: LONGEST as u64 });
    }
    *budget = budget.checked_sub(length as u64).ok_or(Reason::Truncated)?;
    header(&source::bytes(source, at + 16, length)?, origin, into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpm::tests::package;

    #[test]
    fn packages_are_found_through_their_slots() {
        let mut file = vec![0; 4096];
        file[..4].copy_from_slice(b"RpmP");
        file[12] = 1;
        for slot in file.chunks_exact_mut(16).skip(2) {
            slot[..4].copy_from_slice(b"Slot");
        }
        for (number, name) in [(1u8, "bash"), (2, "zlib")] {
            let slot = 32 + 16 * usize::from(number);
            file[slot + 4] = number;
            let block = u32::try_from(file.len() / 16).unwrap();
            file[slot + 8..slot + 12].copy_from_slice(&block.to_le_bytes());
            let blob = package(name);
            file.extend(b"BlbS");
            file.extend(u32::from(number).to_le_bytes());
            file.extend([0; 4]);
            file.extend(u32::try_from(blob.len()).unwrap().to_le_bytes());
            file.extend(blob);
            file.resize(file.len().next_multiple_of(16), 0);
        }
        let mut found = Found::default();
        read(&mut file.as_slice(), "x", &mut found).unwrap();
        let told: Vec<_> = found.packages.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["bash 1.0-1 (noarch)", "zlib 1.0-1 (noarch)"]);
        let mut found = Found::default();
        assert_eq!(read(&mut &file[..file.len() - 64], "x", &mut found), Err(Reason::Truncated));
        assert_eq!(found.packages.len(), 1);
    }
}
