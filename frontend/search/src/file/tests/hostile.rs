//! Bombs, damage, and what is no container at all.

use proptest::prelude::*;

use super::*;

#[test]
fn bombs_are_told_and_left() {
    let zeros = vec![0; 8 << 20];
    let limits = Limits { free: 1 << 20, ratio: 16, ..Limits::default() };
    for (name, bomb) in [
        ("gzip", gzip(&zeros)),
        ("bzip2", bzip2(&zeros)),
        ("xz", xz(&zeros)),
        ("zstd", zstd(&zeros)),
    ] {
        // The secret behind it is found as it lies there.
        let file = [&bomb[..], SECRET].concat();
        let report = FileSearcher::new(&needles(), limits).search(&file[..]).unwrap();
        assert_eq!(obstacles(&report), [(Obstacle::TooLarge, name.into())]);
        assert_eq!(trails(&report), [""]);
        assert!(report.unpacked < 4 << 20, "{name} {}", report.unpacked);
    }
}

#[test]
fn bombs_in_bombs_have_one_measure() {
    let limits = Limits { free: 1 << 20, ..Limits::default() };
    let mut bomb = vec![0; 1 << 20];
    for _ in 0..2 {
        let packed = gzip(&bomb);
        let many: Vec<_> = (0..400).map(|_| Entry::stored("z", &packed)).collect();
        bomb = zip(&many);
    }
    let report = FileSearcher::new(&needles(), limits).search(&gzip(&bomb)[..]).unwrap();
    assert_eq!(report.unread_total, 1, "{report:?}");
    assert_eq!(report.unread[0].obstacle, Obstacle::TooLarge);
    assert!(report.unpacked < (1 << 20) + 256 * report.bytes + (1 << 20));
}

#[test]
fn memory_is_bounded() {
    let limits = Limits { memory: 4 << 20, ..Limits::default() };
    let file = xz_preset(&text(), 9);
    let report = FileSearcher::new(&needles(), limits).search(&file[..]).unwrap();
    assert_eq!(obstacles(&report), [(Obstacle::TooMuchMemory, "xz".into())]);
    // A window of 128 MiB, as `zstd --long=27` asks for.
    let frame = [b"\x28\xb5\x2f\xfd\x00\x88", &[0; 40][..]].concat();
    assert_eq!(obstacles(&search(&frame)), [(Obstacle::TooMuchMemory, "zstd".into())]);
}

#[test]
fn truncated_files_are_told() {
    let text = text();
    for (file, trail) in [
        (gzip(&text), "gzip"),
        (xz(&text), "xz"),
        (zstd(&text), "zstd"),
        (bzip2(&text), "bzip2"),
        (zip(&[Entry::deflated("a", &text)]), "a"),
        (tar(&[("a", &text)]), ""),
        (ar(&[("a", &text)]), ""),
        (git_pack(&[&text]), "object 0"),
    ] {
        let report = search(&file[..file.len() / 2]);
        let told: Vec<_> = report.unread.iter().map(|unread| unread.trail.join(" > ")).collect();
        assert!(told.contains(&trail.to_owned()), "{trail}: {:?}", report.unread);
    }
}

#[test]
fn damaged_members_do_not_hide_others() {
    let text = text();
    let mut broken = Entry::deflated("broken", &text);
    broken.bytes[100..200].fill(0xff);
    let report = search(&zip(&[broken, Entry::deflated("good", &text)]));
    assert_eq!(trails(&report), ["good"]);
    assert_eq!(obstacles(&report), [(Obstacle::Damaged, "broken".into())]);
    let mut packed = gzip(&text);
    packed[100..200].fill(0xff);
    let report = search(&tar(&[("broken.gz", &packed), ("good", &text)]));
    assert_eq!(trails(&report), ["good", ""]);
    assert_eq!(obstacles(&report), [(Obstacle::Damaged, "broken.gz > gzip".into())]);
}

#[test]
fn what_cannot_be_read_is_told() {
    let secret = Entry { flags: 1, ..Entry::stored("e", b"nothing to see") };
    let report = search(&zip(&[secret, Entry::deflated("good", &text())]));
    assert_eq!(trails(&report), ["good"]);
    assert_eq!(obstacles(&report), [(Obstacle::Encrypted, "e".into())]);
    let odd = Entry { method: 98, ..Entry::stored("o", b"ppmd") };
    let report = search(&zip(&[odd, Entry::deflated("good", &text())]));
    assert_eq!(obstacles(&report), [(Obstacle::Unsupported, "o".into())]);
    assert_eq!(trails(&report), ["good"]);
    assert_eq!(
        obstacles(&search(b"7z\xbc\xaf\x27\x1c...")),
        [(Obstacle::Unsupported, String::new())]
    );
}

#[test]
fn files_that_look_like_zlib_are_none() {
    for head in [&b"x\x9c"[..], b"x\x01", b"H\x89", b"hC"] {
        let report = search(&[head, &text()].concat());
        assert_eq!((trails(&report), obstacles(&report)), (vec![String::new()], vec![]));
    }
}

#[test]
fn many_hits_and_obstacles_stay_few() {
    let secret: Vec<_> = (0..5000).map(|_| Entry::deflated("a", SECRET)).collect();
    let report = search(&zip(&secret));
    assert_eq!((report.total, report.hits.len()), (5000, 4));
    let odd: Vec<_> = (0..5000).map(|_| Entry { method: 98, ..Entry::stored("o", b"?") }).collect();
    let report = search(&zip(&odd));
    assert_eq!((report.unread_total, report.unread.len()), (5000, 16));
    let long = "n".repeat(5000);
    let report = search(&zip(&[Entry::deflated(&long, SECRET)]));
    assert_eq!(report.hits[0].trail[0].len(), 256);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Damage anywhere: no panic, no hang, and every byte of the file is searched.
    #[test]
    fn damage_is_survived(
        which in 0..12_usize,
        places in prop::collection::vec((0..10_000_usize, any::<u8>()), 0..6),
        cut in 0..10_000_usize,
    ) {
        let text = &text()[50_000..];
        let packed = [gzip(text), xz(text), zstd(text), bzip2(text)].concat();
        let mut file = match which {
            0 => gzip(text),
            1 => zlib(text),
            2 => xz(text),
            3 => zstd(text),
            4 => bzip2(text),
            5 => zip(&[Entry::deflated("a", text), Entry { streamed: Some(true), ..Entry::deflated("b", text) }]),
            6 => tar_pax(&"n/".repeat(80), text),
            7 => tar_gnu(&"n/".repeat(80), text),
            8 => ar(&[("a", text), ("b", &packed)]),
            9 => git_pack(&[text, text]),
            10 => zip(&[by_method("a", 93, zstd(text), text), by_method("b", 95, xz(text), text)]),
            _ => gzip(&tar(&[("a", &packed)])),
        };
        let length = file.len();
        for (at, byte) in places {
            file[at % length] = byte;
        }
        file.truncate(length - (cut % length) / 2);
        file.extend(SECRET);
        let report = search(&file);
        prop_assert_eq!(report.bytes, file.len() as u64);
        prop_assert!(trails(&report).contains(&String::new()));
    }

    #[test]
    fn noise_behind_every_magic_is_survived(
        magic in prop::sample::select(vec![&b"\x1f\x8b\x08"[..], b"PK\x03\x04", b"!<arch>\n", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PACK\0\0\0\x02", b"BZh91AY&SY", b"x\x9c", b"\x50\x2a\x4d\x18"]),
        noise in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        let file = [magic, &noise, SECRET].concat();
        let report = search(&file);
        prop_assert!(trails(&report).contains(&String::new()));
    }
}
