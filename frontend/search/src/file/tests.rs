//! A secret in any container is found by its trail; what cannot be read is told; nothing hangs.

mod build;
mod hostile;

use std::io::{self, Read};

use super::*;
use build::*;

const SECRET: &[u8] = b"hunter2-hunter3-hunter4";

fn needles() -> Needles {
    Needles::new([("it", SECRET)])
}

fn search(file: &[u8]) -> Report {
    FileSearcher::new(&needles(), Limits::default()).search(file).unwrap()
}

/// The trails to the raw secret.
fn trails(report: &Report) -> Vec<String> {
    let raw = report.hits.iter().filter(|hit| hit.hit.transform == crate::Transform::Raw);
    raw.map(|hit| hit.trail.join(" > ")).collect()
}

fn obstacles(report: &Report) -> Vec<(Obstacle, String)> {
    report.unread.iter().map(|unread| (unread.obstacle, unread.trail.join(" > "))).collect()
}

/// Text with the secret in it, that packs well but not to nothing.
fn text() -> Vec<u8> {
    let mut text = String::new();
    for line in 0..2000_u64 {
        text += &format!("line {line} of {:x}\n", line.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }
    text += std::str::from_utf8(SECRET).unwrap();
    text.into_bytes()
}

#[test]
fn a_plain_file_is_searched_as_it_is() {
    let report = search(&text());
    assert_eq!(trails(&report), [""]);
    assert_eq!((report.total, report.bytes), (1, text().len() as u64));
    assert_eq!((report.unpacked, report.unread_total), (0, 0));
    assert_eq!(search(b""), Report::default());
}

#[test]
fn streams_are_unpacked() {
    for (name, packed) in [
        ("gzip", gzip(&text())),
        ("zlib", zlib(&text())),
        ("xz", xz(&text())),
        ("zstd", zstd(&text())),
        ("bzip2", bzip2(&text())),
    ] {
        let report = search(&packed);
        assert_eq!(trails(&report), [name]);
        assert_eq!(report.unpacked, text().len() as u64, "{name}");
        assert_eq!(obstacles(&report), [], "{name}");
    }
}

#[test]
fn streams_behind_each_other_are_one() {
    let text = text();
    // The secret lies across the border.
    let (one, two) = text.split_at(text.len() - 9);
    for (name, pack) in
        [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd), ("bzip2", bzip2), ("xz", xz)]
    {
        let report = search(&[pack(one), pack(two)].concat());
        assert_eq!(trails(&report), [name]);
        assert_eq!(obstacles(&report), [], "{name}");
    }
    let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    assert_eq!(trails(&search(&[&skipped[..], &zstd(&text)].concat())), ["zstd"]);
    // What follows and is none is searched as it is.
    let report = search(&[&gzip(b"nothing"), SECRET].concat());
    assert_eq!((trails(&report), obstacles(&report)), (vec![String::new()], vec![]));
}

#[test]
fn members_of_archives_are_named() {
    let text = text();
    let report = search(&tar(&[("a/b", b"no"), ("c/d.env", &text)]));
    assert_eq!(trails(&report), ["c/d.env", ""]);
    let report = search(&zip(&[Entry::deflated("a", b"no"), Entry::deflated("b/c.env", &text)]));
    assert_eq!(trails(&report), ["b/c.env"]);
    let report = search(&zip(&[Entry::stored("s", &text)]));
    assert_eq!(trails(&report), ["s", ""]);
    let report = search(&ar(&[("x.o", b"odd"), ("data.txt", &text)]));
    assert_eq!(trails(&report), ["data.txt", ""]);
    assert_eq!(obstacles(&report), []);
}

#[test]
fn zip_knows_its_methods_and_sizes() {
    let text = text();
    for (method, packed) in [(12, bzip2(&text)), (93, zstd(&text)), (95, xz(&text))] {
        let entry = by_method("m", method, packed, &text);
        assert_eq!(trails(&search(&zip(&[entry, Entry::deflated("n", b"x")]))), ["m"]);
    }
    // Streamed: sizes behind the members; with and without a mark.
    for mark in [true, false] {
        let streamed = |name, text| Entry { streamed: Some(mark), ..Entry::deflated(name, text) };
        let report = search(&zip(&[streamed("a", b"no"), streamed("b", &text)]));
        assert_eq!((trails(&report), obstacles(&report)), (vec!["b".into()], vec![]));
    }
    let large = Entry { zip64: true, ..Entry::deflated("l", &text) };
    let report = search(&zip(&[large, Entry::deflated("k", b"x")]));
    assert_eq!((trails(&report), obstacles(&report)), (vec!["l".into()], vec![]));
    // A script that runs the archive behind it.
    let script =
        [b"#!/usr/bin/env python3\n".to_vec(), zip(&[Entry::deflated("a", &text)])].concat();
    assert_eq!(trails(&search(&script)), ["a"]);
}

#[test]
fn names_of_tar_may_be_long() {
    let long = "d/".repeat(80) + "file.env";
    for archive in
        [tar_gnu(&long, &text()), tar_pax(&long, &text()), tar_prefix("some/where", "f", &text())]
    {
        let report = search(&archive);
        let wanted = if archive[257..262] == *b"ustar" && archive[156] == b'0' {
            "some/where/f"
        } else {
            &long
        };
        assert_eq!(trails(&report).first().map(String::as_str), Some(wanted));
        assert_eq!(obstacles(&report), []);
    }
}

#[test]
fn objects_of_git_are_read() {
    let blob = [format!("blob {}\0", text().len()).into_bytes(), text()].concat();
    assert_eq!(trails(&search(&zlib(&blob))), ["zlib"]);
    let report = search(&git_pack(&[b"first", &text(), b"last"]));
    assert_eq!((trails(&report), obstacles(&report)), (vec!["object 1".into()], vec![]));
}

#[test]
fn containers_lie_in_each_other() {
    let mut file = text();
    for pack in [gzip, xz, zstd] {
        file = pack(&file);
    }
    let image = |file: &[u8]| {
        let inner = tar(&[("layer/secret", file), ("after", b"x")]);
        search(&zip(&[Entry::deflated("image.tar", &inner)]))
    };
    let report = image(&file);
    assert_eq!(trails(&report), ["image.tar > layer/secret > zstd > xz > gzip"]);
    assert_eq!(obstacles(&report), []);
    // One more is too many, and is told.
    let report = image(&gzip(&file));
    assert_eq!(trails(&report), Vec::<String>::new());
    let trail = "image.tar > layer/secret > gzip > zstd > xz";
    assert_eq!(obstacles(&report), [(Obstacle::TooDeep, trail.into())]);
}

#[test]
fn reads_of_any_size_give_the_same() {
    struct Few<'f>(&'f [u8], usize);
    impl Read for Few<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = out.len().min(self.1);
            self.0.read(&mut out[..count])
        }
    }
    let inner = zip(&[Entry::deflated("a", b"x"), Entry::deflated("b", &text())]);
    let file =
        gzip(&tar(&[("first", b"x"), ("inner.zip", &inner), ("pack", &git_pack(&[&text()]))]));
    let wanted = search(&file);
    assert_eq!(trails(&wanted), ["gzip > inner.zip > b", "gzip > pack > object 0"]);
    for size in [1, 2, 3, 7, 100, 4095] {
        let mut searcher = FileSearcher::new(wanted_needles(), Limits::default());
        assert_eq!(searcher.search(Few(&file, size)).unwrap(), wanted, "{size}");
    }
}

fn wanted_needles() -> &'static Needles {
    static NEEDLES: std::sync::OnceLock<Needles> = std::sync::OnceLock::new();
    NEEDLES.get_or_init(needles)
}

#[test]
fn a_searcher_takes_one_file_after_the_other() {
    let mut searcher = FileSearcher::new(wanted_needles(), Limits::default());
    let file = zip(&[Entry::deflated("a", &text())]);
    let wanted = search(&file);
    for _ in 0..3 {
        assert_eq!(searcher.search(&file[..]).unwrap(), wanted);
        assert_eq!(searcher.search(&b"other"[..]).unwrap().total, 0);
    }
}

#[test]
fn the_readers_own_failure_is_the_searchs() {
    struct Fails(usize);
    impl Read for Fails {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 > 2 {
                Err(io::ErrorKind::PermissionDenied.into())
            } else {
                zip(&[Entry::stored("a", SECRET)]).as_slice().read(out)
            }
        }
    }
    let mut searcher = FileSearcher::new(wanted_needles(), Limits::default());
    assert_eq!(searcher.search(Fails(0)).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    // And nothing of it is left for the next file.
    assert_eq!(searcher.search(&b"other"[..]).unwrap(), search(b"other"));
}

#[test]
fn unknown_secrets_are_told_if_asked_for_and_not_public() {
    let file = b"//r.io/:_authToken=npm-s3cr3t-v4lue\n";
    let archive =
        tar(&[("home/.npmrc", file), ("usr/share/x/.npmrc", file), ("a/tests/.npmrc", file)]);
    let mut searcher = FileSearcher::new(wanted_needles(), Limits::default());
    let told = |report: Report| -> Vec<(String, String)> {
        let told = |found: &FileSuspect| (found.suspect.what.clone(), found.trail.join(" > "));
        assert_eq!(report.suspects_total, report.suspects.len() as u64);
        report.suspects.iter().map(told).collect()
    };
    let what = String::from("a .npmrc with a token");
    assert_eq!(
        told(searcher.search_all("home/me/.npmrc", &file[..]).unwrap()),
        [(what.clone(), String::new())]
    );
    assert_eq!(told(searcher.search_all("app/docs/.npmrc", &file[..]).unwrap()), []);
    assert_eq!(
        told(searcher.search_all("layer.tar", &archive[..]).unwrap()),
        [(what.clone(), "home/.npmrc".into())]
    );
    assert_eq!(
        told(searcher.search_all("backup.tgz", &gzip(&archive)[..]).unwrap()),
        [(what, "gzip > home/.npmrc".into())]
    );
    assert_eq!(told(searcher.search(&archive[..]).unwrap()), []);
}
