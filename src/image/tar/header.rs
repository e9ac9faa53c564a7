//! One block that says what follows.

use std::io;

use super::{BLOCK, damaged};

pub(super) struct Header {
    pub(super) path: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) kind: u8,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    /// As it is written: what is below zero says nothing of a member without content.
    pub(super) size: i64,
    pub(super) device: (u64, u64),
    /// Whether the map of a sparse file goes on behind it.
    pub(super) extended: bool,
}

impl Header {
    pub(super) fn of(block: &[u8; BLOCK]) -> io::Result<Self> {
        let field = |from: usize, length: usize| block.get(from..from + length).unwrap_or_default();
        let number = |from, length| number(field(from, length));
        let text = |from, length| text(field(from, length));
        let sum: i64 = block.iter().map(|byte| i64::from(*byte)).sum();
        let own: i64 = field(148, 8).iter().map(|byte| i64::from(*byte)).sum();
        if number(148, 8) != Some(sum - own + 8 * i64::from(b' ')) {
            return Err(damaged("a header's sum is wrong"));
        }
        let kind = block.get(156).copied().unwrap_or_default();
        let (posix, gnu) = (field(257, 6) == b"ustar\0", field(257, 6) == b"ustar ");
        let mut path = text(0, 100);
        let prefix = text(345, 155);
        if posix && !prefix.is_empty() {
            path = [prefix.as_slice(), b"/", &path].concat();
        }
        let natural =
            |from, length| number(from, length).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let device = (natural(329, 8), natural(337, 8));
        Ok(Self {
            path,
            target: text(157, 100),
            kind,
            mode: u32::try_from(number(100, 8).unwrap_or(0) & 0o7777).unwrap_or(0),
            uid: natural(108, 8),
            gid: natural(116, 8),
            size: number(124, 12).ok_or_else(|| damaged("a size is no number"))?,
            device: if posix || gnu { device } else { (0, 0) },
            extended: gnu && kind == b'S' && block.get(482).is_some_and(|more| *more != 0),
        })
    }
}

/// Octal digits, or base 256 where the first bit is set, the second being the sign; `None` for what
/// is no number.
fn number(field: &[u8]) -> Option<i64> {
    match field {
        [first, rest @ ..] if first & 0x80 != 0 => {
            let flipped = if first & 0x40 == 0 { 0 } else { 0xff };
            let begin = i64::from((first ^ flipped) & 0x7f);
            let number = rest.iter().try_fold(begin, |sum, byte| {
                sum.checked_mul(256)?.checked_add(i64::from(byte ^ flipped))
            })?;
            Some(if flipped == 0 { number } else { !number })
        }
        field => {
            let digits = field.iter().skip_while(|byte| matches!(byte, b' ' | 0));
            let digits = digits.take_while(|byte| !matches!(byte, b' ' | 0));
            digits.copied().try_fold(0_i64, |sum, byte| match byte {
                b'0'..=b'7' => sum.checked_mul(8)?.checked_add(i64::from(byte - b'0')),
                _ => None,
            })
        }
    }
}

fn text(field: &[u8]) -> Vec<u8> {
    field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
}
