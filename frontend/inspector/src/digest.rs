//! The sha256 of a file, so that a download need not leave the engine to be known.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::args::DigestOptions;
use crate::error::Failure;
use crate::report::encode_path;

/// Part of the file that is in memory at a time, in bytes.
const CHUNK: usize = 1 << 20;

/// Reads the file and writes `sha256:HEX` and a newline.
pub fn run(options: &DigestOptions) -> Result<(), Failure> {
    let failed = |path: &std::path::Path| {
        use std::os::unix::ffi::OsStrExt;
        let path = encode_path(path.as_os_str().as_bytes());
        move |cause| Failure::Report { path, cause }
    };
    let digest = File::open(&options.file)
        .and_then(of)
        .map_err(|cause| Failure::Unreadable { path: options.file.display().to_string(), cause })?;
    std::fs::write(&options.report, format!("{digest}\n")).map_err(failed(&options.report))
}

fn of(mut file: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => hash.update(chunk.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hash.finalize().iter().fold(String::from("sha256:"), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_several_chunks_has_its_digest() {
        let directory = tempfile::tempdir().unwrap();
        let (file, report) = (directory.path().join("in"), directory.path().join("out"));
        std::fs::write(&file, vec![b'a'; 1_000_000]).unwrap();
        run(&DigestOptions { file: file.clone(), report: report.clone() }).unwrap();
        // The million letters of FIPS 180-2.
        assert_eq!(
            std::fs::read_to_string(&report).unwrap(),
            "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0\n"
        );
        std::fs::write(&file, vec![0; 2 * CHUNK + 1]).unwrap();
        run(&DigestOptions { file, report: report.clone() }).unwrap();
        let long = std::fs::read_to_string(&report).unwrap();
        assert_eq!(long.trim(), of(&vec![0; 2 * CHUNK + 1][..]).unwrap());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let options = DigestOptions { file: "/no/such".into(), report: "/no/where".into() };
        assert!(run(&options).unwrap_err().to_string().contains("/no/such"));
    }
}
