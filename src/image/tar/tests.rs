use proptest::prelude::*;
use tar::{Builder, EntryType, Header as Written};

use super::*;

fn all(bytes: &[u8]) -> io::Result<Vec<(Member, Vec<u8>)>> {
    let mut members = Members::new(bytes);
    let mut found = Vec::new();
    while let Some(member) = members.next()? {
        let mut content = Vec::new();
        members.read_to_end(&mut content)?;
        found.push((member, content));
    }
    Ok(found)
}

fn written(path: &str, kind: EntryType, size: u64) -> Written {
    let mut header = Written::new_gnu();
    header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o104755);
    header.set_cksum();
    header
}

fn raw(parts: &[(&Written, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (header, content) in parts {
        bytes.extend(header.as_bytes());
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    bytes.extend([0; 2 * BLOCK]);
    bytes
}

/// A record of a pax header; two digits are enough for its length.
fn record(text: &str) -> Vec<u8> {
    format!("{:02} {text}\n", text.len() + 4).into_bytes()
}

#[test]
fn members_are_what_was_written() {
    let long = "d/".repeat(90) + "name";
    let mut builder = Builder::new(Vec::new());
    let mut header = Written::new_ustar();
    header.set_size(3);
    header.set_mode(0o4755);
    header.set_uid(7);
    builder
        .append_pax_extensions([("SCHILY.xattr.security.capability", b"\x01\0".as_slice())])
        .unwrap();
    builder.append_data(&mut header, "bin/su", &b"abc"[..]).unwrap();
    let mut header = Written::new_gnu();
    header.set_size(0);
    header.set_entry_type(EntryType::Symlink);
    builder.append_link(&mut header, &long, "/etc/".to_string() + &long).unwrap();
    let found = all(&builder.into_inner().unwrap()).unwrap();
    let (file, content) = &found[0];
    assert_eq!((file.path.as_slice(), file.mode, file.uid), (b"bin/su".as_slice(), 0o4755, 7));
    assert_eq!(content, b"abc");
    assert_eq!(file.attributes, [(b"security.capability".to_vec(), b"\x01\0".to_vec())]);
    let (link, _) = &found[1];
    assert_eq!(link.kind, Kind::SymbolicLink);
    assert_eq!(link.path, long.as_bytes());
    assert_eq!(link.target, ("/etc/".to_string() + &long).as_bytes());
}

#[test]
fn sizes_lie_without_harm() {
    // 2^63 bytes are promised, and none come.
    let mut huge = written("a", EntryType::Regular, 0);
    huge.as_gnu_mut().unwrap().size =
        [0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    huge.set_cksum();
    let error = all(&raw(&[(&huge, b"abc")])).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    // A long name of 1 TiB takes no memory.
    let name = written("././@LongLink", EntryType::GNULongName, 1 << 40);
    assert!(all(&raw(&[(&name, b"")])).unwrap_err().to_string().contains("1 MiB"));
    // A directory has no content, and a link neither.
    let directory = written("d/", EntryType::Directory, 1 << 40);
    let file = written("f", EntryType::Regular, 1);
    let found = all(&raw(&[(&directory, b""), (&file, b"x")])).unwrap();
    assert_eq!(found[1].1, b"x");
}

#[test]
fn sparse_files_are_what_is_between_their_holes() {
    let mut header = written("big", EntryType::GNUSparse, 3);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(1 << 50);
    gnu.isextended = [1];
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    // The map goes on for one block.
    bytes.extend([0; BLOCK]);
    bytes.extend(raw(&[(&written("next", EntryType::Regular, 0), b"")]).iter().take(0));
    bytes.extend(b"abc");
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes.extend(raw(&[(&written("next", EntryType::Regular, 0), b"")]));
    let found = all(&bytes).unwrap();
    assert_eq!((found[0].0.kind, found[0].1.as_slice()), (Kind::Sparse, b"abc".as_slice()));
    assert_eq!(found[1].0.path, b"next");
}

#[test]
fn damage_is_an_error_and_no_end() {
    let file = written("f", EntryType::Regular, 600);
    let good = raw(&[(&file, &[7; 600])]);
    assert_eq!(all(&good).unwrap().len(), 1);
    for cut in [1, 300, 513, 1000, 1100, 1111] {
        assert!(all(&good[..cut]).is_err(), "{cut}");
    }
    // Without what fills its last block and without two blocks of zeros it is whole, as for engines.
    for cut in [1112, 1535, 1536] {
        assert_eq!(all(&good[..cut]).unwrap().len(), 1, "{cut}");
    }
    let mut wrong = good.clone();
    wrong[3] ^= 1;
    assert!(all(&wrong).unwrap_err().to_string().contains("sum"));
    let hidden = [&[0; BLOCK], good.as_slice()].concat();
    assert!(all(&hidden).unwrap_err().to_string().contains("zeros"));
    let mut pax = written("p", EntryType::XHeader, 5);
    for text in ["99 a=b\n", "5 ab\n", "x a=b\n", "0 a=b\n"] {
        pax.set_size(text.len() as u64);
        pax.set_cksum();
        assert!(all(&raw(&[(&pax, text.as_bytes())])).is_err(), "{text}");
    }
}

/// What an engine unpacks under one name must not be looked at under another, or as no file at all.
#[test]
fn archives_that_readers_differ_about_are_read_as_go_does() {
    let file = |path| written(path, EntryType::Regular, 1);
    let one = |parts: &[(&Written, &[u8])]| {
        let mut found = all(&raw(parts)).unwrap();
        assert_eq!(found.len(), 1);
        found.remove(0)
    };
    let path = |parts: &[(&Written, &[u8])]| String::from_utf8(one(parts).0.path).unwrap();

    // A file whose name ends as a directory's has its content.
    let (member, content) = one(&[(&file("d/"), b"x")]);
    assert_eq!((member.kind, content.as_slice()), (Kind::File, b"x".as_slice()));
    let mut old = Written::new_old();
    old.as_old_mut().name[..2].copy_from_slice(b"d/");
    old.as_old_mut().linkflag = [0];
    old.set_size(1 << 40);
    old.set_cksum();
    assert_eq!(one(&[(&old, b"")]).0.kind, Kind::Directory);

    let pax = |text: &[u8]| written("pax", EntryType::XHeader, text.len() as u64);
    let says = &record("path=pax");
    let long = |name: &[u8]| written("././@LongLink", EntryType::GNULongName, name.len() as u64);
    assert_eq!(path(&[(&pax(says), says), (&file("f"), b"x")]), "pax");
    assert_eq!(path(&[(&long(b"long"), b"long"), (&pax(says), says), (&file("f"), b"x")]), "long");
    assert_eq!(path(&[(&long(b"\0"), b"\0"), (&file("f"), b"x")]), "f");
    let global = written("pax", EntryType::XGlobalHeader, says.len() as u64);
    assert_eq!(path(&[(&pax(says), says), (&global, says), (&file("f"), b"x")]), "f");
    // Only a file with holes has a name for that.
    let name = [record("GNU.sparse.name=s"), record("GNU.sparse.major=1")].concat();
    assert_eq!(path(&[(&pax(&name), &name), (&file("f"), b"x")]), "f");
    let name = [name, record("GNU.sparse.minor=0")].concat();
    let (member, _) = one(&[(&pax(&name), &name), (&file("f"), b"x")]);
    assert_eq!((member.kind, member.path.as_slice()), (Kind::Sparse, b"s".as_slice()));

    // A number below zero has lower bits, too.
    let mut negative = file("f");
    negative.as_gnu_mut().unwrap().mode = (-1_i64 << 12 | 0o4755).to_be_bytes();
    negative.set_cksum();
    assert_eq!(one(&[(&negative, b"x")]).0.mode, 0o4755);
    for size in [record("size=18446744073709551615"), record("size=-3")] {
        assert!(all(&raw(&[(&pax(&size), &size), (&file("f"), b"x")])).is_err());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_an_archive_or_an_error(
        path in "[a-z/.]{0,90}", kind in any::<u8>(), size in 0_u64..3000, noise in any::<Vec<u8>>(),
    ) {
        let _ = all(&noise);
        let mut header = written(&path, EntryType::new(kind), size);
        header.set_cksum();
        let bytes = [header.as_bytes().as_slice(), &noise, &[0; 1024]].concat();
        let _ = all(&bytes);
    }

    #[test]
    fn any_pax_header_is_read_or_not(text in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Pax::parse(&text);
        let record = [b" a=".as_slice(), &text, b"\n"].concat();
        let record = [(record.len() + 2).to_string().as_bytes(), &record].concat();
        let _ = Pax::parse(&record);
    }
}
