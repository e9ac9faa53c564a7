//! Writing the lock file: one fixed layout, so that equal content gives equal bytes.

use std::fmt::Write as _;

use super::lock::{Entry, ImageSource, Lock, LockedGit, LockedHttp, LockedImage};

const HEADER: &str = "\
# The lock file of cofferdam: what each image name and address stood for when it was locked.
# Generated, sorted: commit it. `cofferdam lock --upgrade` takes what they stand for now.
";

pub(super) fn lock(lock: &Lock) -> String {
    let mut out = String::from(HEADER);
    // Writing to a String cannot fail.
    let _ = write!(out, "\nversion = {}\n", lock.version());
    for locked in lock.entries() {
        let _ = write!(out, "\n[[{}]]\n", locked.kind());
        match &locked {
            Entry::Image(found) => image(&mut out, found),
            Entry::Http(LockedHttp { url, checksum, resolved, by }) => {
                entry(&mut out, "url", url);
                entry(&mut out, "checksum", checksum.as_str());
                found(&mut out, resolved.as_str(), by.as_deref());
            }
            Entry::Git(LockedGit { at, commit, resolved, by }) => {
                entry(&mut out, "url", &at.url);
                if let Some(reference) = &at.reference {
                    entry(&mut out, "ref", reference);
                }
                entry(&mut out, "commit", commit);
                found(&mut out, resolved.as_str(), by.as_deref());
            }
        }
    }
    out
}

fn image(out: &mut String, image: &LockedImage) {
    entry(out, "name", image.name());
    match &image.source {
        ImageSource::Registry { digest, .. } => entry(out, "digest", digest.as_str()),
        ImageSource::Local { image_id } => {
            entry(out, "kind", "local");
            entry(out, "image-id", image_id.as_str());
        }
    }
    if let Some(named) = image.named {
        entry(out, "named", named.as_str());
    }
    found(out, image.resolved.as_str(), image.by.as_deref());
    if let ImageSource::Registry { platforms, .. } = &image.source
        && !platforms.is_empty()
    {
        out.push_str("\n[image.platforms]\n");
        for (platform, digest) in platforms {
            let _ = writeln!(out, "{} = {}", quoted(platform), quoted(digest.as_str()));
        }
    }
}

/// When, and by whom.
fn found(out: &mut String, resolved: &str, by: Option<&str>) {
    entry(out, "resolved", resolved);
    if let Some(by) = by {
        entry(out, "by", by);
    }
}

fn entry(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key} = {}", quoted(value));
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' | '\\' => {
                out.push('\\');
                out.push(ch);
            }
            _ if ch.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(ch));
            }
            _ => out.push(ch),
        }
    }
    out.push('"');
    out
}
