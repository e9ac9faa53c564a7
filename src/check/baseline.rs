//! Findings that were there before: known by rule, file and instruction, whatever line it is on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::record::atomic;
use crate::report::findings::Checked;

/// The form of the file.
const VERSION: u32 = 1;
/// Largest file that is read, in bytes.
const MAX_SIZE: u64 = 64 << 20;
/// Most entries that are told one by one.
const TOLD: usize = 10;

/// Rule, file as seen from the baseline, and digest of the instruction.
type Key = (String, String, String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    findings: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    file: String,
    instruction: String,
    count: usize,
}

/// What a baseline holds.
#[derive(Debug)]
pub struct Baseline {
    path: PathBuf,
    known: BTreeMap<Key, usize>,
}

impl Baseline {
    /// Reads one.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let failed = || Error::io(format!("read {shown}"));
        let size = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::usage_hint(
                format!("there is no baseline {shown}"),
                format!("cofferdam check --baseline {shown} --write-baseline"),
            ),
            _ => failed()(error),
        })?;
        if !size.is_file() {
            return Err(Error::usage(format!("{shown} is no file, and no baseline")));
        }
        if size.len() > MAX_SIZE {
            return Err(Error::usage(format!("{shown} is larger than 64 MiB")));
        }
        let bytes = std::fs::read(path).map_err(failed())?;
        let wrong = |why: String| {
            Error::usage_hint(
                format!("{shown} is no baseline: {why}"),
                format!("write it anew: cofferdam check --baseline {shown} --write-baseline"),
            )
        };
        let raw: Raw = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if raw.version != VERSION {
            return Err(wrong(format!("its version is {}, not {VERSION}", raw.version)));
        }
        let mut known = BTreeMap::new();
        for Entry { rule, file, instruction, count } in raw.findings {
            *known.entry((rule, file, instruction)).or_insert(0) += count;
        }
        Ok(Self { path: path.to_path_buf(), known })
    }

    /// Takes out what it knows; what it knows and nobody found any more is told.
    pub fn subtract(mut self, checked: &mut Checked) -> Vec<String> {
        let root = Root::of(&self.path);
        for file in &mut checked.files {
            let name = root.relative(&file.name);
            let before = file.rows.len();
            file.rows.retain(|row| {
                // What is no part of the file is no part of its past.
                if row.key.is_empty() {
                    return true;
                }
                let key = (row.rule.to_string(), name.clone(), row.key.clone());
                match self.known.get_mut(&key).filter(|left| **left > 0) {
                    Some(left) => {
                        *left -= 1;
                        false
                    }
                    None => true,
                }
            });
            checked.known += before - file.rows.len();
        }
        let looked: BTreeSet<String> =
            checked.names.iter().map(|name| root.relative(name)).collect();
        checked.files.retain(|file| !file.rows.is_empty());
        let stale = self.known.iter().filter(|((_, file, _), left)| {
            let gone = || !root.directory.join(file).exists();
            **left > 0 && (looked.contains(file) || gone())
        });
        let stale: Vec<&Key> = stale.map(|(key, _)| key).collect();
        let shown = self.path.display();
        let mut told: Vec<String> = stale
            .iter()
            .take(TOLD)
            .map(|(rule, file, _)| format!("{shown}: {rule} in {file} is mended"))
            .collect();
        if stale.len() > TOLD {
            told.push(format!("{shown}: {} more are mended", stale.len() - TOLD));
        }
        if !told.is_empty() {
            told.push(format!("{shown}: --write-baseline takes out what is mended"));
        }
        told
    }
}

/// Writes all findings down and takes them out of the report; how many there are.
pub fn write(path: &Path, checked: &mut Checked) -> Result<usize, Error> {
    let root = Root::of(path);
    let mut known: BTreeMap<Key, usize> = BTreeMap::new();
    for file in &checked.files {
        let name = root.relative(&file.name);
        for row in file.rows.iter().filter(|row| !row.key.is_empty()) {
            let key = (row.rule.to_string(), name.clone(), row.key.clone());
            *known.entry(key).or_insert(0) += 1;
        }
    }
    let total = known.values().sum();
    let entries = known.into_iter().map(|((rule, file, instruction), count)| Entry {
        rule,
        file,
        instruction,
        count,
    });
    let mut entries: Vec<Entry> = entries.collect();
    // By file, so that two branches seldom change the same lines.
    entries.sort_by(|a, b| {
        (&a.file, &a.rule, &a.instruction).cmp(&(&b.file, &b.rule, &b.instruction))
    });
    let raw = Raw { version: VERSION, findings: entries };
    let failed = || Error::io(format!("write {}", path.display()));
    let mut bytes = serde_json::to_vec_pretty(&raw).map_err(|error| failed()(error.into()))?;
    bytes.push(b'\n');
    atomic::write(path, &bytes).map_err(failed())?;
    checked.known += total;
    for file in &mut checked.files {
        file.rows.retain(|row| row.key.is_empty());
    }
    checked.files.retain(|file| !file.rows.is_empty());
    Ok(total)
}

/// The directory of the baseline, from which its paths are seen.
struct Root {
    directory: PathBuf,
}

impl Root {
    fn of(baseline: &Path) -> Self {
        let parent = baseline.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        Self { directory: parent.canonicalize().unwrap_or_else(|_| parent.to_path_buf()) }
    }

    fn relative(&self, name: &str) -> String {
        let Ok(whole) = std::path::absolute(name) else { return name.to_string() };
        // The last part may be a link of its own.
        let whole = match (whole.parent().map(Path::canonicalize), whole.file_name()) {
            (Some(Ok(parent)), Some(name)) => parent.join(name),
            _ => whole,
        };
        whole.strip_prefix(&self.directory).unwrap_or(&whole).display().to_string()
    }
}
