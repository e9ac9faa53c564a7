//! Archives of tar.

use std::io::Read;

use super::Obstacle;
use super::input::Input;
use super::walk::Walk;

/// Bytes of a header, and what members are rounded up to.
pub(super) const BLOCK: usize = 512;

/// Whether a block is a member's header: its sum is right.
///
/// Format: POSIX.1-1988 and later, "pax", and GNU tar's manual, "Basic Tar Format".
pub(super) fn is_header(block: &[u8]) -> bool {
    let Some(stated) = block.get(148..156).and_then(octal) else { return false };
    if block.len() != BLOCK || block.first() == Some(&0) {
        return false;
    }
    let sum = |value: fn(u8) -> i64| -> i64 {
        let field = |(at, byte): (usize, &u8)| {
            if (148..156).contains(&at) { i64::from(b' ') } else { value(*byte) }
        };
        block.iter().enumerate().map(field).sum()
    };
    // Some wrote sums of signed bytes.
    let stated = i64::try_from(stated).unwrap_or(-1);
    stated == sum(i64::from) || stated == sum(|byte| i64::from(byte.cast_signed()))
}

pub(super) fn read(walk: &Walk<'_>, input: &mut Input<'_, '_>) -> Result<(), Obstacle> {
    // The name and the size that a header before the member's own gave.
    let (mut name, mut size) = (None, None);
    while !input.is_empty() {
        let block = input.array::<BLOCK>()?;
        if block == [0; BLOCK] {
            // The end; or the end of one of several archives behind each other.
            continue;
        }
        if !is_header(&block) {
            return Err(Obstacle::Damaged);
        }
        let stated = block.get(124..136).and_then(number).ok_or(Obstacle::Damaged)?;
        match block.get(156).copied().unwrap_or_default() {
            b'L' => {
                let text = input.text(stated)?;
                name = Some(text.trim_end_matches('\0').to_owned());
                input.skip(padding(stated))?;
            }
            b'x' => {
                let text = input.text(stated)?;
                name = record(&text, "path").map(str::to_owned).or(name);
                size = record(&text, "size").and_then(|size| size.parse().ok());
                input.skip(padding(stated))?;
            }
            b'g' | b'K' => input.skip(stated + padding(stated))?,
            kind => {
                let own = own_name(&block);
                let name = name.take().unwrap_or(own);
                let size: u64 = size.take().unwrap_or(stated);
                // Links, devices and directories have nothing, whatever their size says.
                if !matches!(kind, b'1'..=b'6') {
                    if kind == b'S' {
                        sparse(&block, input)?;
                    }
                    let mut member = input.by_ref().take(size);
                    walk.member(&name, &mut member);
                    let left = member.limit();
                    input.skip(left)?;
                    input.skip(padding(size))?;
                }
            }
        }
    }
    Ok(())
}

/// Bytes behind a member up to the next block.
fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

/// More headers behind one of GNU's sparse files, each of which says whether one more follows.
fn sparse(block: &[u8; BLOCK], input: &mut Input<'_, '_>) -> Result<(), Obstacle> {
    let mut more = block.get(482).is_some_and(|byte| *byte != 0);
    while more {
        let block = input.array::<BLOCK>()?;
        more = block.get(504).is_some_and(|byte| *byte != 0);
    }
    Ok(())
}

fn own_name(block: &[u8; BLOCK]) -> String {
    let text = |range: std::ops::Range<usize>| {
        let field = block.get(range).unwrap_or_default();
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
    };
    let name = text(0..100);
    let prefix = text(345..500);
    let posix = block.get(257..263) == Some(b"ustar\0");
    if posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// A record of a pax header: `<length> <key>=<value>\n`.
fn record<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.split_once(' ')?.1.strip_prefix(key)?.strip_prefix('='))
}

/// Octal digits, or the big-endian number that GNU tar writes where they do not suffice.
fn number(field: &[u8]) -> Option<u64> {
    match field {
        [0x80, rest @ ..] => {
            rest.iter().try_fold(0_u64, |sum, byte| Some(sum.checked_mul(256)? + u64::from(*byte)))
        }
        _ => octal(field),
    }
}

/// Octal digits between blanks; none are zero.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}
