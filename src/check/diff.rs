//! What fixes change, as a unified diff that `patch -p1` and `git apply` take.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices_deadline, group_diff_ops};

use super::{Mended, STDIN};

/// Lines around a change.
const CONTEXT: usize = 3;
/// How long the shortest diff is looked for; afterwards a longer one is good enough.
const PATIENCE: Duration = Duration::from_secs(1);

/// The change of one file.
pub fn unified(mended: &Mended) -> Vec<u8> {
    let lines = |bytes| <[u8]>::split_inclusive(bytes, |byte: &u8| *byte == b'\n').collect();
    let (old, new): (Vec<&[u8]>, Vec<&[u8]>) = (lines(&mended.old), lines(&mended.new));
    let deadline = Some(Instant::now() + PATIENCE);
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline);
    let name = if mended.name == STDIN { "Dockerfile" } else { mended.name.as_str() };
    let name = name.trim_start_matches('/');
    let mut out = format!("--- a/{name}\n+++ b/{name}\n").into_bytes();
    for group in group_diff_ops(ops, CONTEXT) {
        out.extend(header(&group).into_bytes());
        for op in group {
            let (tag, from, to) = op.as_tag_tuple();
            let old = old.get(from).unwrap_or_default();
            let new = new.get(to).unwrap_or_default();
            if tag == DiffTag::Equal {
                push(&mut out, b' ', old);
                continue;
            }
            push(&mut out, b'-', old);
            push(&mut out, b'+', new);
        }
    }
    out
}

fn push(out: &mut Vec<u8>, sign: u8, lines: &[&[u8]]) {
    for line in lines {
        out.push(sign);
        out.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            out.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

/// `@@ -1,3 +1,4 @@`
fn header(group: &[DiffOp]) -> String {
    let mut text = String::from("@@ ");
    let (first, last) = (group.first(), group.last());
    for (sign, range) in [
        ('-', first.zip(last).map(|(a, b)| a.old_range().start..b.old_range().end)),
        ('+', first.zip(last).map(|(a, b)| a.new_range().start..b.new_range().end)),
    ] {
        let range = range.unwrap_or_default();
        // An empty range is named by the line before it.
        let start = range.start + usize::from(!range.is_empty());
        // Writing to a String cannot fail.
        let _ = match range.len() {
            1 => write!(text, "{sign}{start} "),
            length => write!(text, "{sign}{start},{length} "),
        };
    }
    text + "@@\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let mended = Mended { name: "a/Dockerfile".into(), old: old.into(), new: new.into() };
        String::from_utf8(unified(&mended)).unwrap()
    }

    #[test]
    fn a_change_has_lines_around_it() {
        assert_eq!(
            shown("1\n2\n3\n4\nADD a /\n6\n7\n8\n9\n", "1\n2\n3\n4\nCOPY a /\n6\n7\n8\n9\n"),
            "--- a/a/Dockerfile\n+++ b/a/Dockerfile\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-ADD a /\n\
             +COPY a /\n 6\n 7\n 8\n"
        );
    }

    #[test]
    fn ends_without_a_newline_and_empty_files_are_said() {
        assert_eq!(
            shown("a", "a\n"),
            "--- a/a/Dockerfile\n+++ b/a/Dockerfile\n@@ -1 +1 @@\n-a\n\
             \\ No newline at end of file\n+a\n"
        );
        assert!(shown("", "a\n").contains("@@ -0,0 +1 @@\n+a\n"));
    }
}
