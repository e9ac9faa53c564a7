//! Rust: the crates that `cargo auditable` writes into a binary
//! (<https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md>).

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::Deserialize;

use crate::elf::Elf;
use crate::package::{Ecosystem, Package, add};
use crate::reading::Reason;

const SECTION: &[u8] = b".dep-v0";
/// The section, and the list in it, in bytes.
const PACKED: u64 = 1 << 20;
const UNPACKED: usize = 8 << 20;

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    /// `build` for what ran during the build only.
    #[serde(default)]
    kind: String,
}

/// Appends the crates of a binary that was built so.
pub(crate) fn crates(
    elf: &mut Elf<'_>,
    origin: &str,
    into: &mut Vec<Package>,
) -> Result<(), Reason> {
    let Some(part) = elf.section(SECTION) else { return Ok(()) };
    let packed = elf.bytes(part, PACKED)?;
    let list = decompress_to_vec_zlib_with_limit(&packed, UNPACKED)
        .map_err(|error| Reason::damaged(format!("its list of crates: {}", error.status as i32)))?;
    let list: List = serde_json::from_slice(&list)
        .map_err(|error| Reason::damaged(format!("its list of crates: {error}")))?;
    for package in list.packages.iter().filter(|package| package.kind != "build") {
        add(into, Package::new(Ecosystem::Cargo, &package.name, &package.version, origin))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::*;
    use crate::elf::tests::file;

    fn read(list: &[u8]) -> Result<Vec<String>, Reason> {
        let bytes = file(&[(".dep-v0", list)]);
        let mut source = bytes.as_slice();
        let mut found = Vec::new();
        crates(&mut Elf::open(&mut source).unwrap(), "tool", &mut found)?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn crates_of_the_build_alone_are_not_inside() {
        let list = br#"{"packages": [
            {"name": "time", "version": "0.1.43", "source": "crates.io", "dependencies": [1]},
            {"name": "cc", "version": "1.0.0", "source": "crates.io", "kind": "build"},
            {"name": "tool", "version": "0.1.0", "source": "local", "root": true}]}"#;
        assert_eq!(read(&compress_to_vec_zlib(list, 6)).unwrap(), ["time 0.1.43", "tool 0.1.0"]);
        assert!(read(&compress_to_vec_zlib(b"[]", 6)).is_err());
        assert!(read(b"nonsense").is_err());
        let bomb = compress_to_vec_zlib(&vec![b' '; UNPACKED + 1], 6);
        assert!(read(&bomb).is_err());
    }
}
