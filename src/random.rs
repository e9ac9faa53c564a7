//! Random names.

/// `N` random bytes in hexadecimal.
pub fn hex<const N: usize>() -> std::io::Result<String> {
    let mut bytes = [0u8; N];
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
