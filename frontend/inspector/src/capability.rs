//! File capabilities: the attribute `security.capability` and its text form.
//!
//! Format: `struct vfs_cap_data` and `vfs_ns_cap_data` in the kernel's
//! `include/uapi/linux/capability.h`; all numbers little-endian.

use std::fmt::Write;

/// The extended attribute that holds a file's capabilities.
pub const ATTRIBUTE: &std::ffi::CStr = c"security.capability";

const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// The text of an attribute as libcap's `getcap -n` writes it, or `hex:` and the bytes.
pub fn describe(attribute: &[u8]) -> String {
    decode(attribute).map_or_else(|| hex(attribute), |caps| caps.to_text())
}

struct FileCaps {
    effective: bool,
    permitted: u64,
    inheritable: u64,
    /// The user namespace's root the capabilities belong to; only version 3 has one.
    root: u32,
}

fn decode(attribute: &[u8]) -> Option<FileCaps> {
    let mut words = attribute
        .chunks_exact(4)
        .map(|word| word.iter().rev().fold(0_u32, |number, &byte| number << 8 | u32::from(byte)));
    let magic = words.next()?;
    // Revision, number of 32-bit halves, and the attribute's size.
    let (halves, size) = match magic >> 24 {
        1 => (1, 12),
        2 => (2, 20),
        3 => (2, 24),
        _ => return None,
    };
    if attribute.len() != size {
        return None;
    }
    let (mut permitted, mut inheritable) = (0, 0);
    for half in 0..halves {
        permitted |= u64::from(words.next()?) << (32 * half);
        inheritable |= u64::from(words.next()?) << (32 * half);
    }
    Some(FileCaps {
        effective: magic & 1 == 1,
        permitted,
        inheritable,
        root: words.next().unwrap_or(0),
    })
}

impl FileCaps {
    fn to_text(&self) -> String {
        let mut text = String::new();
        // Capabilities with the same flags share a clause. The effective bit is
        // one per file and applies to whatever is permitted or inheritable.
        let effective = if self.effective { "e" } else { "" };
        let clauses = [
            (self.permitted & self.inheritable, "ip"),
            (self.inheritable & !self.permitted, "i"),
            (self.permitted & !self.inheritable, "p"),
        ];
        for (set, flags) in clauses {
            if set == 0 {
                continue;
            }
            let sign = if text.is_empty() { '=' } else { '+' };
            if sign == '+' {
                text.push(' ');
            }
            push_names(&mut text, set);
            // Writing to a String cannot fail.
            let _ = write!(text, "{sign}{effective}{flags}");
        }
        if text.is_empty() {
            text.push('=');
        }
        if self.root != 0 {
            let _ = write!(text, " [rootid={}]", self.root);
        }
        text
    }
}

fn push_names(text: &mut String, set: u64) {
    let mut first = true;
    for number in (0..64).filter(|number| set >> number & 1 == 1) {
        if !first {
            text.push(',');
        }
        first = false;
        let _ = match NAMES.get(number) {
            Some(name) => text.write_str(name),
            None => write!(text, "{number}"),
        };
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::from("hex:");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Builds a version 2 attribute, or version 3 when `root` is given; for tests.
#[cfg(test)]
fn encode(effective: bool, permitted: u64, inheritable: u64, root: Option<u32>) -> Vec<u8> {
    let revision: u32 = if root.is_some() { 3 } else { 2 };
    let mut words = vec![revision << 24 | u32::from(effective)];
    for half in [0, 32] {
        words.push((permitted >> half) as u32);
        words.push((inheritable >> half) as u32);
    }
    words.extend(root);
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_those_of_getcap() {
        let raw = 1 << 13;
        assert_eq!(describe(&encode(true, raw, 0, None)), "cap_net_raw=ep");
        assert_eq!(describe(&encode(false, raw, 0, None)), "cap_net_raw=p");
        assert_eq!(describe(&encode(true, raw | 1 << 12, 0, None)), "cap_net_admin,cap_net_raw=ep");
        assert_eq!(describe(&encode(true, raw, raw, None)), "cap_net_raw=eip");
        assert_eq!(describe(&encode(false, 0, raw, None)), "cap_net_raw=i");
        assert_eq!(describe(&encode(true, 1 << 40, 0, None)), "cap_checkpoint_restore=ep");
        assert_eq!(describe(&encode(true, 1 << 63, 0, None)), "63=ep");
        assert_eq!(describe(&encode(true, raw, 0, Some(1000))), "cap_net_raw=ep [rootid=1000]");
        assert_eq!(describe(&encode(false, 1, raw, None)), "cap_net_raw=i cap_chown+p");
        assert_eq!(describe(&encode(false, 0, 0, None)), "=");
    }

    #[test]
    fn what_is_no_capability_is_shown_in_hex() {
        assert_eq!(describe(b""), "hex:");
        assert_eq!(describe(&[1, 0, 0, 9]), "hex:01000009");
        let mut long = encode(true, 1, 0, None);
        long.push(0);
        assert!(describe(&long).starts_with("hex:"));
    }

    proptest! {
        #[test]
        fn any_attribute_has_a_text(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(!describe(&bytes).is_empty());
        }
    }
}
