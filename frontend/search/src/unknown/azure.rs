//! Connection strings of Azure's storage.

use crate::shape::text::{decode_base64, distinct, is_base64, run};

/// The key of the emulator, which Microsoft's documentation gives.
const EMULATOR: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq";

/// Judges `AccountKey=`: sixty-four bytes in base64 follow, and a name stands before.
pub(super) fn account(text: &[u8], at: usize) -> Option<&'static str> {
    let before = text.get(at.saturating_sub(256)..at)?;
    let after = text.get(at..(at + 128).min(text.len()))?;
    let after = std::str::from_utf8(after).unwrap_or_else(|error| {
        after.get(..error.valid_up_to()).and_then(|ok| std::str::from_utf8(ok).ok()).unwrap_or("")
    });
    let rest = after.strip_prefix("AccountKey=")?;
    let key = run(rest, 87, is_base64);
    let named = || before.windows(12).any(|window| window == b"AccountName=");
    let whole = key.len() == 86 && rest.get(86..88) == Some("==");
    let real = decode_base64(key).len() == 64 && distinct(key) >= 24 && !key.starts_with(EMULATOR);
    (whole && real && named()).then_some("an Azure storage account key")
}
