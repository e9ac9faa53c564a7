//! What runs on this machine; the engines' containers are processes of it.

use std::path::PathBuf;

use super::saved;

/// Processes whose command line holds the word, this one excluded.
pub fn with_argument(word: &str) -> Vec<u32> {
    processes().filter(|pid| saved::contains(&file(*pid, "cmdline"), word.as_bytes())).collect()
}

/// Processes that hold the word in their arguments or their environment, this one excluded.
pub fn exposing(word: &str) -> Vec<(u32, String)> {
    let holds = |pid: u32, name| saved::contains(&file(pid, name), word.as_bytes());
    processes()
        .filter(|pid| holds(*pid, "cmdline") || holds(*pid, "environ"))
        .map(|pid| (pid, String::from_utf8_lossy(&file(pid, "cmdline")).replace('\0', " ")))
        .collect()
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != std::process::id())
}

fn file(pid: u32, name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(format!("/proc/{pid}/{name}"))).unwrap_or_default()
}
