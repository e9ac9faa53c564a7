//! Bytes per second of one core: ten secrets under all transforms, on noise, a program, source text
//! and base64; and many secrets.
//!
//! `cargo bench -p cofferdam-search`, or with `-- FILE...` on files of one's own.

#![expect(clippy::print_stdout, reason = "what a bench is for")]
#![expect(clippy::expect_used, reason = "a bench that cannot read has failed")]

use std::fmt::Write as _;
use std::time::Instant;

use cofferdam_search::unknown::Unknown;
use cofferdam_search::{Needles, Searcher};

/// Bytes of each text.
const SIZE: usize = 64 << 20;

fn main() {
    let files: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let texts: Vec<(String, Vec<u8>)> = if files.is_empty() {
        own_texts()
    } else {
        files.iter().map(|file| (file.clone(), repeat(&read(file)))).collect()
    };
    unknown(&texts);
    for (name, needles) in sets() {
        for (text, bytes) in &texts {
            let mut search = Searcher::new(&needles);
            let mut best = 0.0_f64;
            let mut total = 0;
            for _ in 0..5 {
                let start = Instant::now();
                for chunk in bytes.chunks(1 << 20) {
                    search.feed(chunk);
                }
                total = search.finish().total;
                best = best.max(bytes.len() as f64 / start.elapsed().as_secs_f64() / 1e9);
            }
            println!("{name:28} {text:12} {best:6.2} GB/s  {total} hits");
        }
    }
}

/// Secrets that nobody told us of, on the same texts.
fn unknown(texts: &[(String, Vec<u8>)]) {
    for (text, bytes) in texts {
        let mut unknown = Unknown::new();
        let mut best = 0.0_f64;
        for _ in 0..5 {
            let start = Instant::now();
            for chunk in bytes.chunks(1 << 15) {
                unknown.feed(chunk);
            }
            unknown.finish();
            best = best.max(bytes.len() as f64 / start.elapsed().as_secs_f64() / 1e9);
        }
        println!("{:28} {text:12} {best:6.2} GB/s", "unknown secrets");
    }
}

/// Secrets as builds have them.
fn sets() -> Vec<(&'static str, Needles)> {
    let mut noise = Noise(1);
    let mut token = |length: usize| -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..length).map(|_| char::from(LETTERS[noise.next() as usize % 64])).collect()
    };
    let ten = |values: Vec<String>| {
        let start = Instant::now();
        let values = values.iter().enumerate();
        let needles = Needles::new(values.map(|(index, value)| (format!("{index}"), value)));
        println!("{:.1} ms to make needles", start.elapsed().as_secs_f64() * 1e3);
        needles
    };
    let forty = (0..10).map(|_| token(40)).collect();
    let eight = (0..10).map(|_| token(8)).collect();
    let words = (0..10).map(|n| format!("correct horse {n} battery & \"staple\"")).collect();
    let mut keys = Vec::new();
    for _ in 0..10 {
        let mut key = String::from("-----BEGIN OPENSSH PRIVATE KEY-----\n");
        for _ in 0..50 {
            let _ = writeln!(key, "{}", token(70));
        }
        keys.push(key + "-----END OPENSSH PRIVATE KEY-----\n");
    }
    vec![
        ("10 tokens of 40 bytes", ten(forty)),
        ("10 passwords of 8 bytes", ten(eight)),
        ("10 sentences", ten(words)),
        ("10 keys of 50 lines", ten(keys)),
    ]
}

fn own_texts() -> Vec<(String, Vec<u8>)> {
    let mut noise = Noise(2);
    let random: Vec<u8> = (0..SIZE / 8).flat_map(|_| noise.next().to_le_bytes()).collect();
    let program = read(std::env::current_exe().expect("own path").to_str().expect("a path"));
    let mut source = Vec::new();
    for name in ["index/mod.rs", "searcher/mod.rs", "needles/pieces.rs", "transform/escape.rs"] {
        source.extend(read(&format!("{}/src/{name}", env!("CARGO_MANIFEST_DIR"))));
    }
    let letters: Vec<u8> = random
        .iter()
        .map(|byte| {
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                [usize::from(byte % 64)]
        })
        .collect();
    let digits: Vec<u8> =
        random.iter().map(|byte| b"0123456789abcdef"[usize::from(byte % 16)]).collect();
    vec![
        ("noise".into(), random),
        ("program".into(), repeat(&program)),
        ("source".into(), repeat(&source)),
        ("base64".into(), letters),
        ("hex".into(), digits),
        ("zeros".into(), vec![0; SIZE]),
    ]
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(path).expect("the file can be read")
}

fn repeat(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().cycle().take(SIZE).collect()
}

/// Xorshift.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
