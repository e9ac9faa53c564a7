//! Two branches that both changed the lock, and git's marks where their lines meet.
//!
//! Most such conflicts are none: entries stand beside each other where both added one. Taken as two
//! files, one with each side's lines, they can be joined name by name.

use super::{Entry, Lock, LockError};

/// Two locks as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    pub lock: Lock,
    /// Names to which the sides give different meanings; none of them is in the lock.
    pub disputed: Vec<String>,
    /// Whether there was anything to join.
    pub conflict: bool,
}

/// What a mark begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Ours,
    Base,
    Theirs,
    End,
}

/// Where a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Both,
    Ours,
    Base,
    Theirs,
}

fn mark(line: &str) -> Option<Mark> {
    let begins = |mark: &str| {
        line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    match line.trim_end() {
        _ if begins("<<<<<<<") => Some(Mark::Ours),
        _ if begins("|||||||") => Some(Mark::Base),
        "=======" => Some(Mark::Theirs),
        _ if begins(">>>>>>>") => Some(Mark::End),
        _ => None,
    }
}

/// The first line that git left behind from a merge, counted from 1.
pub(super) fn first_mark(text: &str) -> Option<usize> {
    text.lines().position(|line| mark(line).is_some()).map(|index| index + 1)
}

pub(super) fn parse(bytes: &[u8]) -> Result<Joined, LockError> {
    let text = std::str::from_utf8(bytes).map_err(|_| LockError::NotUtf8)?;
    if first_mark(text).is_none() {
        return Ok(Joined { lock: Lock::parse(bytes)?, disputed: Vec::new(), conflict: false });
    }
    let (ours, theirs) = sides(text)?;
    let (ours, theirs) = (Lock::parse(ours.as_bytes())?, Lock::parse(theirs.as_bytes())?);
    Ok(join(ours, &theirs))
}

/// The text as each side has it; lines of the other are empty, so that positions hold.
fn sides(text: &str) -> Result<(String, String), LockError> {
    let (mut ours, mut theirs) = (String::new(), String::new());
    let mut part = Part::Both;
    let mut line_number = 0;
    for line in text.lines() {
        line_number += 1;
        let marked = mark(line);
        part = match (marked, part) {
            (None, part) => part,
            (Some(Mark::Ours), Part::Both) => Part::Ours,
            (Some(Mark::Base), Part::Ours) => Part::Base,
            (Some(Mark::Theirs), Part::Ours | Part::Base) => Part::Theirs,
            (Some(Mark::End), Part::Theirs) => Part::Both,
            (Some(_), _) => return Err(LockError::Conflict { line: line_number }),
        };
        for (side, own) in [(&mut ours, Part::Ours), (&mut theirs, Part::Theirs)] {
            if marked.is_none() && (part == Part::Both || part == own) {
                side.push_str(line);
            }
            side.push('\n');
        }
    }
    match part {
        Part::Both => Ok((ours, theirs)),
        _ => Err(LockError::Conflict { line: line_number }),
    }
}

fn join(mut lock: Lock, theirs: &Lock) -> Joined {
    let mut disputed = Vec::new();
    let known: std::collections::BTreeMap<_, Entry> =
        lock.entries().map(|entry| (entry.key(), entry)).collect();
    for entry in theirs.entries() {
        match known.get(&entry.key()) {
            Some(own) if own.agrees(&entry) => {}
            Some(own) => {
                disputed.push(own.name());
                lock.take(own);
            }
            None => lock.put(entry),
        }
    }
    Joined { lock, disputed, conflict: true }
}
