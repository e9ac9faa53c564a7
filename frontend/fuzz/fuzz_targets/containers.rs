#![no_main]
//! Any file is searched to its end: without a panic, within the limits, and whatever container it
//! claims to be, its own bytes are searched.

use std::sync::OnceLock;

use cofferdam_search::{FileSearcher, Limits, Needles};
use libfuzzer_sys::fuzz_target;

const SECRET: &[u8] = b"hunter2-hunter3-hunter4";

fuzz_target!(|bytes: &[u8]| {
    static NEEDLES: OnceLock<Needles> = OnceLock::new();
    let needles = NEEDLES.get_or_init(|| Needles::new([("it", SECRET)]));
    let limits = Limits {
        free: 1 << 20,
        memory: 8 << 20,
        ..Limits::default()
    };
    let file = [bytes, SECRET].concat();
    let Ok(report) = FileSearcher::new(needles, limits).search_all("app/file", &file[..]) else {
        unreachable!("bytes can be read");
    };
    assert_eq!(report.bytes, file.len() as u64);
    assert!(report.total > 0);
    let most = limits.free + limits.ratio * report.bytes + (1 << 20);
    assert!(report.unpacked <= most);
});
