//! Writing the lock file: one fixed layout, so that equal content gives equal bytes.

use std::fmt::Write as _;

use super::lock::{ImageSource, LockedImage, VERSION};

const HEADER: &str = "\
# The lock file of cofferdam: the digest behind each image name this project builds from.
# Generated, sorted: commit it. An entry that is removed is resolved again by the next build.
";

pub(super) fn lock<'a>(images: impl Iterator<Item = &'a LockedImage>) -> String {
    let mut out = String::from(HEADER);
    // Writing to a String cannot fail.
    let _ = write!(out, "\nversion = {VERSION}\n");
    for image in images {
        out.push_str("\n[[image]]\n");
        entry(&mut out, "name", image.name());
        match &image.source {
            ImageSource::Registry { digest, .. } => entry(&mut out, "digest", digest.as_str()),
            ImageSource::Local { image_id } => {
                entry(&mut out, "kind", "local");
                entry(&mut out, "image-id", image_id.as_str());
            }
        }
        entry(&mut out, "resolved", image.resolved.as_str());
        if let Some(by) = &image.by {
            entry(&mut out, "by", by);
        }
        if let ImageSource::Registry { platforms, .. } = &image.source
            && !platforms.is_empty()
        {
            out.push_str("\n[image.platforms]\n");
            for (platform, digest) in platforms {
                let _ = writeln!(out, "{} = {}", quoted(platform), quoted(digest.as_str()));
            }
        }
    }
    out
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
