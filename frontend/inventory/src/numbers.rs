//! Numbers inside of byte strings; a place outside gives `None`.

pub(crate) fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The order of bytes in a file that has its machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let taken = take(bytes, at)?;
        Some(match self {
            Self::Little => u16::from_le_bytes(taken),
            Self::Big => u16::from_be_bytes(taken),
        })
    }

    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let taken = take(bytes, at)?;
        Some(match self {
            Self::Little => u32::from_le_bytes(taken),
            Self::Big => u32::from_be_bytes(taken),
        })
    }

    pub(crate) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let taken = take(bytes, at)?;
        Some(match self {
            Self::Little => u64::from_le_bytes(taken),
            Self::Big => u64::from_be_bytes(taken),
        })
    }
}

/// An index or a length; on machines that cannot hold it, one that is never in range.
pub(crate) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
