//! Programs that no package manager put there: node, python, openssl and others, by the version
//! string inside of them.
//!
//! Only files with the right name are searched, and only where programs keep their strings.

use crate::elf::{Elf, Part};
use crate::package::{Ecosystem, Package};
use crate::reading::Reason;
use crate::text::{file_name, lossy};

/// How to know a program.
struct Program {
    name: &'static str,
    /// What its files are called: whole names, or beginnings where a `*` stands.
    files: &'static [&'static str],
    /// What stands before its version.
    marks: &'static [&'static str],
    /// How many numbers its version has at least.
    numbers: usize,
}

/// Seen in the binaries that these projects and Debian ship.
const PROGRAMS: &[Program] = &[
    program("apache-httpd", &["httpd", "apache2"], &["Apache/"], 3),
    program("bash", &["bash"], &["@(#)Bash version "], 3),
    program("busybox", &["busybox*"], &["BusyBox v"], 3),
    program("curl", &["curl"], &["\0curl/"], 3),
    program("haproxy", &["haproxy"], &["\0 version "], 3),
    program("libcurl", &["libcurl.so*", "libcurl-gnutls.so*"], &["libcurl/"], 3),
    program("lua", &["lua", "lua5*", "liblua*"], &["$LuaVersion: Lua "], 3),
    program("memcached", &["memcached"], &["\0memcached "], 3),
    program("nginx", &["nginx"], &["nginx version: nginx/", "\0nginx/"], 3),
    program("node", &["node", "nodejs", "libnode.so*"], &["node.js/v"], 3),
    program("openssl", &["openssl", "libcrypto.so*"], &["\0OpenSSL "], 3),
    program("perl", &["perl", "perl5*", "libperl.so*"], &["\0v"], 3),
    program("php", &["php*", "libphp*"], &["X-Powered-By: PHP/"], 3),
    program("postgresql", &["postgres"], &["\0PostgreSQL "], 2),
    program(REDIS, &["redis-server", "redis-check-*"], &["\0"], 3),
    program("ruby", &["ruby", "ruby2*", "ruby3*", "libruby*"], &["\0ruby "], 3),
];

const fn program(
    name: &'static str,
    files: &'static [&'static str],
    marks: &'static [&'static str],
    numbers: usize,
) -> Program {
    Program { name, files, marks, numbers }
}

/// Bytes that are read at once; pieces overlap by the longest mark and version.
const PIECE: u64 = 1 << 20;
const OVERLAP: u64 = 128;
/// The most that is searched of one file.
const LONGEST: u64 = 256 << 20;
/// Python's is different: the version stands alone, and its beginning is in the file's name.
const PYTHON: &str = "python";
/// So is Redis': it stands alone among others.
const REDIS: &str = "redis";

/// The program that an ELF file is, if it is one of those.
pub(crate) fn version(elf: &mut Elf<'_>, origin: &str) -> Result<Option<Package>, Reason> {
    let name = lossy(file_name(origin.as_bytes())).into_owned();
    let (product, marks, numbers) = if let Some(minor) = python(&name) {
        (PYTHON, vec![format!("{minor}.").into_bytes()], 3)
    } else if let Some(program) = PROGRAMS.iter().find(|program| program.is_file(&name)) {
        let marks = program.marks.iter().map(|mark| mark.as_bytes().to_vec());
        (program.name, marks.collect(), program.numbers)
    } else {
        return Ok(None);
    };
    let mut found = None;
    search(elf, |bytes| {
        for mark in &marks {
            for at in memchr::memmem::find_iter(bytes, mark) {
                // Python's mark is the beginning of its version.
                let after = if product == PYTHON { at } else { at + mark.len() };
                let before = at.checked_sub(1).and_then(|at| bytes.get(at));
                if product == PYTHON && before.is_none_or(|&b| b == b'.' || b.is_ascii_digit()) {
                    continue;
                }
                let version = parse(bytes.get(after..).unwrap_or_default(), numbers, product);
                found = found.take().max(version.map(ordered));
            }
        }
        // Among Redis' strings are the versions that brought its commands, none newer than itself.
        found.is_some() && product != REDIS
    })?;
    Ok(found.map(|(_, version)| Package::new(Ecosystem::Generic, product, &version, origin)))
}

/// A version that is compared by its numbers.
fn ordered(version: String) -> (Vec<u32>, String) {
    let number = |text: &str| text.parse().unwrap_or(u32::MAX);
    (version.split('.').map(number).collect(), version)
}

impl Program {
    fn is_file(&self, name: &str) -> bool {
        self.files.iter().any(|file| match file.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *file,
        })
    }
}

/// `python3.11`, `libpython3.11.so.1.0`, `python3.6m`: `3.11`, `3.6`.
fn python(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("lib").unwrap_or(name).strip_prefix(PYTHON)?;
    let rest = rest.split(".so").next()?;
    let minor = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (major, number) = minor.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(major) && digits(number)).then_some(minor)
}

/// Searches where strings are, piece by piece, until it is enough.
fn search(elf: &mut Elf<'_>, mut enough: impl FnMut(&[u8]) -> bool) -> Result<(), Reason> {
    let mut parts: Vec<_> =
        [&b".rodata"[..], b".data"].iter().filter_map(|n| elf.section(n)).collect();
    if !elf.has_sections() {
        parts.push(Part { address: 0, offset: 0, size: elf.source.size() });
    }
    for part in parts {
        let mut done = 0;
        while done < part.size.min(LONGEST) {
            let size = PIECE.min(part.size - done);
            let piece = Part { offset: part.offset.saturating_add(done), size, ..part };
            if enough(&elf.bytes(piece, PIECE)?) {
                return Ok(());
            }
            done += if size > OVERLAP { size - OVERLAP } else { size };
            if size < PIECE {
                break;
            }
        }
    }
    Ok(())
}

/// A version at the beginning, of so many numbers, and nothing that is part of a word behind it.
fn parse(bytes: &[u8], numbers: usize, product: &str) -> Option<String> {
    let bytes = bytes.get(..bytes.len().min(40))?;
    let length = bytes.iter().position(|&byte| !(byte.is_ascii_digit() || byte == b'.'))?;
    let (plain, rest) = bytes.split_at_checked(length)?;
    let parts: Vec<_> = plain.split(|&byte| byte == b'.').collect();
    if parts.len() < numbers || parts.len() > 3 || parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let suffix = rest.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    let (suffix, rest) = rest.split_at_checked(suffix)?;
    let (suffix, alone) = match product {
        // 3.13.0rc1, 3.12.1+
        PYTHON => (suffix, matches!(rest, [0, ..] | [b'+', 0, ..])),
        // 1.1.1w, with a date behind it
        "openssl" => (suffix, matches!(rest, [b' ', digit, ..] if digit.is_ascii_digit())),
        // 3.1.7p261: the patch level says nothing that the version does not
        "ruby" if suffix.starts_with(b"p") => (&b""[..], rest.starts_with(b" (")),
        // A string alone.
        "perl" | REDIS => (suffix, rest.starts_with(b"\0")),
        _ => (suffix, true),
    };
    alone.then(|| lossy(&[plain, suffix].concat()).into_owned())
}

/// A `release` file of a Java runtime.
pub(crate) fn java(text: &[u8], origin: &str) -> Option<Package> {
    let value = |key: &str| {
        crate::text::lines(text).find_map(|line| {
            let line = lossy(line);
            let (name, value) = line.split_once('=')?;
            (name == key).then(|| value.trim().trim_matches('"').to_string())
        })
    };
    let version = value("JAVA_VERSION").filter(|version| !version.is_empty())?;
    Some(Package::new(Ecosystem::Generic, "java", &version, origin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::tests::file;

    fn read(name: &str, strings: &str) -> Option<String> {
        let bytes = file(&[(".rodata", strings.as_bytes())]);
        let mut source = bytes.as_slice();
        let found = version(&mut Elf::open(&mut source).unwrap(), &format!("opt/{name}")).unwrap();
        found.map(|package| package.to_string())
    }

    #[test]
    fn programs_are_known_by_their_strings() {
        for (name, strings, expected) in [
            ("node", "x\0node.js/v20.9.0\0", "node 20.9.0"),
            ("python3.11", "\x003.10.1\x003.11.7\0", "python 3.11.7"),
            ("libpython3.12.so.1.0", "\0/opt/python/3.12.1\0", "python 3.12.1"),
            ("libpython3.13.so.1.0", "\x003.13.0rc1\0", "python 3.13.0rc1"),
            (
                "libcrypto.so.1.1",
                "\0OpenSSL 1.1.1w  11 Sep 2023\0\0OpenSSL 1.1.1w 11 Sep 2023\0",
                "openssl 1.1.1w",
            ),
            ("php8.2", "X-Powered-By: PHP/8.2.36\0", "php 8.2.36"),
            ("libruby-3.1.so.3.1", "\0ruby 3.1.7p261 (2025-03-26 revision 0)\0", "ruby 3.1.7"),
            ("nginx", "nginx version: nginx/1.22.1\n\0", "nginx 1.22.1"),
            ("redis-server", "\x007.0.15\x002.8.7\x00127.0.0.1\x007.0.2\0", "redis 7.0.15"),
            ("perl", "\0v5.36.0\0", "perl 5.36.0"),
            ("busybox.static", "BusyBox v1.36.1 (2023)", "busybox 1.36.1"),
            ("bash", "@(#)Bash version 5.2.15(1) release GNU\0", "bash 5.2.15"),
            ("httpd", "Apache/2\0Apache/2.4\0Apache/2.4.57 (Unix)\0", "apache-httpd 2.4.57"),
            ("postgres", "\0PostgreSQL 15.20 (Debian)\0", "postgresql 15.20"),
        ] {
            assert_eq!(read(name, strings).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn others_are_not() {
        assert_eq!(read("nodes", "node.js/v20.9.0\0"), None);
        assert_eq!(read("node", "node.js/v\0node.js/v20\0"), None);
        assert_eq!(read("python3", "\x003.11.7\0"), None);
        assert_eq!(read("python3.11", "\x003.11.7/lib\0"), None);
        assert_eq!(read("python3.1", "\x003.11.7\x0013.1.0\0"), None);
        assert_eq!(read("openssl", "\0OpenSSL 3.0.0 engine\0"), None);
        assert_eq!(read("perl", "\0v5.36.0 and more\0"), None);
    }

    #[test]
    fn strings_are_found_across_pieces() {
        for before in [PIECE - 10, PIECE - OVERLAP, PIECE - 1, PIECE, 2 * PIECE - OVERLAP - 5] {
            let strings = " ".repeat(usize::try_from(before).unwrap()) + "node.js/v20.9.0\0";
            assert_eq!(read("node", &strings).as_deref(), Some("node 20.9.0"), "{before}");
        }
    }

    #[test]
    fn runtimes_of_java_have_a_release_file() {
        let text = b"IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"17.0.9\"\n";
        assert_eq!(java(text, "x").unwrap().to_string(), "java 17.0.9");
        assert_eq!(java(b"NAME=other\n", "x"), None);
    }
}
