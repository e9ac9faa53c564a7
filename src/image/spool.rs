//! One file of a layer, kept so that it can be read in any order.

use std::io::{Cursor, Read, Write as _};

use cofferdam_inventory::{Seeking, Source};

/// Larger files go to the disk, bytes.
const IN_MEMORY: u64 = 4 << 20;

/// Keeps a file of `size` bytes, of which `head` has been read already.
pub(super) fn keep(
    head: &[u8],
    rest: &mut impl Read,
    size: u64,
) -> std::io::Result<Box<dyn Source>> {
    if size <= IN_MEMORY {
        let mut bytes = head.to_vec();
        rest.read_to_end(&mut bytes)?;
        return Ok(Box::new(Seeking::new(Cursor::new(bytes))?));
    }
    // Without a name: it is gone with the process, however that ends.
    let mut file = tempfile::tempfile()?;
    file.write_all(head)?;
    std::io::copy(rest, &mut file)?;
    Ok(Box::new(Seeking::new(file)?))
}
