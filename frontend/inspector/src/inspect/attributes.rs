//! Extended attributes: a value may stand there that no file holds.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::fs::{fgetxattr, flistxattr, lgetxattr, llistxattr};
use rustix::io::Errno;

/// Bytes of the kernel's longest list and value (`XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
const LONGEST: usize = 64 * 1024;

/// Name and value.
pub(super) type Attribute = (Vec<u8>, Vec<u8>);

/// Name and value of each attribute of an open file or directory.
pub(super) fn of_open(file: BorrowedFd<'_>) -> Result<Vec<Attribute>, Errno> {
    all(|buffer| flistxattr(file, buffer), |name, buffer| fgetxattr(file, name, buffer))
}

/// The same of a name that cannot be opened: a link, a device, a pipe or a socket.
pub(super) fn of_name(dir: BorrowedFd<'_>, name: &CStr) -> Result<Vec<Attribute>, Errno> {
    let mut path = format!("/proc/self/fd/{}/", dir.as_raw_fd()).into_bytes();
    path.extend_from_slice(name.to_bytes());
    let path = CString::new(path).map_err(|_| Errno::INVAL)?;
    all(
        |buffer| llistxattr(path.as_c_str(), buffer),
        |name, buffer| lgetxattr(path.as_c_str(), name, buffer),
    )
}

fn all(
    list: impl Fn(&mut [u8]) -> Result<usize, Errno>,
    get: impl Fn(&CStr, &mut [u8]) -> Result<usize, Errno>,
) -> Result<Vec<Attribute>, Errno> {
    // Most files have none, or one of the kernel's own.
    let mut few = [0; 256];
    let names = match list(&mut few) {
        Ok(length) => few.get(..length).unwrap_or_default().to_vec(),
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(Errno::RANGE) => {
            let mut many = vec![0; LONGEST];
            let length = list(&mut many)?;
            many.truncate(length);
            many
        }
        Err(cause) => return Err(cause),
    };
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut value = vec![0; LONGEST];
    for name in names.split_inclusive(|&byte| byte == 0) {
        let Ok(name) = CStr::from_bytes_with_nul(name) else { continue };
        match get(name, &mut value) {
            Ok(length) => {
                let value = value.get(..length).unwrap_or_default().to_vec();
                found.push((name.to_bytes().to_vec(), value));
            }
            // Of a user namespace that does not exist here, or hidden from whoever asks.
            Err(Errno::NODATA | Errno::OVERFLOW | Errno::OPNOTSUPP) => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(found)
}
