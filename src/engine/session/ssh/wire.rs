//! Fields of ssh messages and key files: numbers in network order, strings with a length.
//!
//! Source: RFC 4251, section 5.

/// A message that ends too early or holds what it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads fields from the front.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number of four bytes.
    pub(super) fn number(&mut self) -> Result<u32, Malformed> {
        let bytes = self.take(4)?.first_chunk::<4>().ok_or(Malformed)?;
        Ok(u32::from_be_bytes(*bytes))
    }

    /// A string of bytes.
    pub(super) fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        self.take(length)
    }

    /// A positive whole number, without leading zeros.
    pub(super) fn integer(&mut self) -> Result<&'a [u8], Malformed> {
        let bytes = self.string()?;
        if bytes.first().is_some_and(|first| first & 0x80 != 0) {
            return Err(Malformed);
        }
        Ok(trimmed(bytes))
    }
}

/// A whole number without leading zeros.
pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// Appends a string.
pub(super) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Appends a positive whole number.
pub(super) fn put_integer(out: &mut Vec<u8>, bytes: &[u8]) {
    let bytes = trimmed(bytes);
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        put(out, &[&[0], bytes].concat());
    } else {
        put(out, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        put(&mut out, b"ssh");
        put_integer(&mut out, &[0, 0, 0x80, 1]);
        put_integer(&mut out, &[]);
        let mut reader = Reader(&out);
        assert_eq!(reader.string(), Ok(&b"ssh"[..]));
        assert_eq!(reader.integer(), Ok(&[0x80, 1][..]));
        assert_eq!(reader.integer(), Ok(&[][..]));
        assert_eq!(reader.number(), Err(Malformed));
        assert_eq!(Reader(&[0, 0, 0, 9, 1]).string(), Err(Malformed));
    }
}
