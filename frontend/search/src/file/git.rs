//! Packs of git: objects behind each other, each a zlib stream.

use flate2::bufread::ZlibDecoder;

use super::Obstacle;
use super::input::Input;
use super::walk::Walk;

/// Reads a pack; what is kept as the difference to another object is searched as such.
///
/// Format: gitformat-pack(5).
pub(super) fn read(walk: &Walk<'_>, input: &mut Input<'_, '_>) -> Result<(), Obstacle> {
    let header = input.array::<12>()?;
    let count = header.last_chunk().map_or(0, |four| u32::from_be_bytes(*four));
    for index in 0..count {
        let [mut byte] = input.array()?;
        let kind = byte >> 4 & 7;
        while byte & 0x80 != 0 {
            [byte] = input.array()?;
        }
        match kind {
            1..=4 => {}
            6 => while input.array::<1>()? >= [0x80] {},
            7 => input.skip(20)?,
            _ => return Err(Obstacle::Damaged),
        }
        // Where one ends that is damaged, and the next begins, nobody knows.
        if !walk.member(&format!("object {index}"), ZlibDecoder::new(&mut *input)) {
            break;
        }
    }
    Ok(())
}
