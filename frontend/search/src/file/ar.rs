//! Archives of ar: Debian's packages, static libraries.

use std::io::Read;

use super::Obstacle;
use super::input::Input;
use super::walk::Walk;

pub(super) fn read(walk: &Walk<'_>, input: &mut Input<'_, '_>) -> Result<(), Obstacle> {
    input.array::<8>()?;
    while !input.is_empty() {
        // Name 16, date 12, owner 6, group 6, mode 8, size 10, end 2.
        let header = input.array::<60>()?;
        let field = |range| {
            let bytes = header.get(range).unwrap_or_default();
            String::from_utf8_lossy(bytes).trim_end().to_owned()
        };
        if header.get(58..) != Some(b"`\n") {
            return Err(Obstacle::Damaged);
        }
        let size: u64 = field(48..58).parse().map_err(|_| Obstacle::Damaged)?;
        let mut member = input.by_ref().take(size);
        walk.member(field(0..16).trim_end_matches('/'), &mut member);
        let left = member.limit();
        input.skip(left)?;
        if size % 2 == 1 && !input.is_empty() {
            input.skip(1)?;
        }
    }
    Ok(())
}
