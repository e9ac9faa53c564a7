//! The database of `tests/fixtures/make.py`: small pages, so that it has every kind of them.

use super::*;

const DATABASE: &[u8] = include_bytes!("../../../tests/fixtures/rpmdb.sqlite");
const LOG: &[u8] = include_bytes!("../../../tests/fixtures/rpmdb.sqlite-wal");

fn names(database: &[u8], log: Option<&[u8]>) -> (Vec<String>, Result<(), Reason>) {
    let (mut database, mut log) = (database, log);
    let mut found = Found::default();
    let log = log.as_mut().map(|log| log as &mut dyn Source);
    let result = read(&mut database, log, "x", &mut found);
    (found.packages.iter().map(ToString::to_string).collect(), result)
}

fn numbered(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("package-{number:02} 1.0-1 (noarch)")).collect()
}

#[test]
fn all_packages_are_read_over_inner_and_overflow_pages() {
    assert_eq!(names(DATABASE, None), (numbered(0..20), Ok(())));
}

#[test]
fn the_log_counts_as_far_as_it_was_committed() {
    assert_eq!(names(DATABASE, Some(LOG)), (numbered(1..21), Ok(())));
    // A transaction that was never finished, and a log that is damaged or of something else.
    assert_eq!(names(DATABASE, Some(&LOG[..LOG.len() - 1])), (numbered(0..20), Ok(())));
    let mut damaged = LOG.to_vec();
    damaged[100] ^= 1;
    assert_eq!(names(DATABASE, Some(&damaged)), (numbered(0..20), Ok(())));
    assert_eq!(names(DATABASE, Some(b"")), (numbered(0..20), Ok(())));
}

#[test]
fn damage_is_said() {
    assert!(names(b"", None).1.is_err());
    assert!(matches!(names(&[0; 4096], None).1, Err(Reason::Damaged { .. })));
    assert_eq!(names(&DATABASE[..DATABASE.len() - 512], None).1, Err(Reason::Truncated));
}

/// Every byte of the file may be anything: the work stays bounded, and nothing panics.
#[test]
fn changed_bytes_end_in_a_result() {
    for at in (0..DATABASE.len()).step_by(11) {
        for byte in [0, 0xff] {
            let mut changed = DATABASE.to_vec();
            changed[at] = byte;
            let (found, _) = names(&changed, Some(LOG));
            assert!(found.len() <= DATABASE.len());
        }
    }
}

#[test]
fn numbers_take_up_to_nine_bytes() {
    assert_eq!(varint(&[0x7f, 1]), Some((0x7f, &[1][..])));
    assert_eq!(varint(&[0x81, 0]), Some((0x80, &[][..])));
    assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
    assert_eq!(varint(&[0x80]), None);
}
