//! Looking for bytes in everything that `docker save` gives out.

use std::io::{BufRead, Read, Write};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::Engine;

const BLOCK: usize = 512;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An image as it leaves the engine: every file of the archive, unpacked.
pub struct Saved {
    files: Vec<(String, Vec<u8>)>,
}

impl Saved {
    /// `docker save IMAGE`.
    pub fn of(engine: &Engine, image: &str) -> Self {
        let output = engine.try_docker(&["save", image]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files = entries(&output.stdout).into_iter();
        let files = files.map(|Entry { path, content, .. }| match content.starts_with(&GZIP) {
            true => (path, gunzip(content)),
            false => (path, content.to_vec()),
        });
        let files = files.collect();
        Self { files }
    }

    /// The files that hold the bytes, raw or in base64.
    pub fn holders(&self, needle: &[u8]) -> Vec<&str> {
        let forms = forms(needle);
        self.files
            .iter()
            .filter(|(_, bytes)| forms.iter().any(|form| contains(bytes, form)))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// How much was looked at.
    pub fn bytes(&self) -> usize {
        self.files.iter().map(|(_, bytes)| bytes.len()).sum()
    }
}

/// The bytes themselves, and how they look in base64 at each of its three offsets.
pub fn forms(needle: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![needle.to_vec()];
    for offset in 0..3 {
        let padded = [&vec![0; offset], needle].concat();
        let text = STANDARD_NO_PAD.encode(padded);
        // The letters at both ends depend on the neighbours.
        forms.push(text.as_bytes()[[0, 2, 3][offset]..text.len() - 1].to_vec());
    }
    forms
}

/// Whether `bytes` hold `needle`.
pub fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    let mut left = bytes;
    // The standard library's search for one byte is fast even in a test build.
    while left.skip_until(*first).unwrap() > 0 {
        if left.starts_with(rest) && !rest.is_empty() {
            return true;
        }
    }
    rest.is_empty() && bytes.contains(first)
}

/// A member of a tar archive.
#[derive(Debug)]
pub struct Entry<'a> {
    pub path: String,
    /// tar's letter: `0` a file, `5` a directory and so on.
    pub kind: u8,
    pub mode: u32,
    pub content: &'a [u8],
    /// The extended header before it, which holds attributes.
    pub extended: &'a [u8],
}

/// The members of a tar archive.
pub fn entries(tar: &[u8]) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    let (mut at, mut extended): (usize, &[u8]) = (0, &[]);
    while let Some(header) = tar.get(at..at + BLOCK) {
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            String::from_utf8_lossy(&field[..end]).trim().to_string()
        };
        let octal = |range| usize::from_str_radix(&text(range), 8).expect("octal digits");
        let size = octal(124..136);
        at += BLOCK;
        let content = &tar[at..at + size];
        at += size.div_ceil(BLOCK) * BLOCK;
        match header[156] {
            b'x' => extended = content,
            b'g' => {}
            kind => {
                let mode = u32::try_from(octal(100..108)).unwrap();
                let path = text(0..100);
                found.push(Entry { path, kind, mode, content, extended });
                extended = &[];
            }
        }
    }
    found
}

/// The files of an image with their modes and attributes, whether it has a shell or not.
pub fn exported(engine: &Engine, image: &str) -> Vec<u8> {
    let container = engine.docker(&["create", "--network=none", image, "/none"]);
    let output = engine.try_docker(&["export", &container]);
    engine.docker(&["rm", &container]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Paths of regular files in a tar that carry set-uid or set-gid.
pub fn privileged(tar: &[u8]) -> Vec<String> {
    let files = entries(tar).into_iter().filter(|entry| matches!(entry.kind, b'0' | 0));
    files.filter(|entry| entry.mode & 0o6000 != 0).map(|entry| entry.path).collect()
}

/// Paths in a tar that carry file capabilities.
pub fn capable(tar: &[u8]) -> Vec<String> {
    let holds = |entry: &Entry<'_>| contains(entry.extended, b"security.capability");
    entries(tar).into_iter().filter(holds).map(|entry| entry.path).collect()
}

fn gunzip(packed: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = gzip.stdin.take().unwrap();
    let mut bytes = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(packed).unwrap());
        gzip.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
    });
    assert!(gzip.wait().unwrap().success());
    bytes
}
