//! What an image holds: a table for people, JSON for programs.

use serde_json::{Value, json};

use super::text::{count, printable};
use crate::image::{Found, Image};

/// Longest instruction in the table, in characters.
const INSTRUCTION: usize = 60;

/// One line for each package: name, version, where it is from.
pub fn table(image: &Image) -> String {
    let head = ["PACKAGE", "VERSION", "TYPE", "LAYER"].map(String::from);
    let rows = image.packages().map(|found| {
        let Found { package, .. } = found;
        [
            printable(&package.name),
            printable(&package.version),
            package.ecosystem.to_string(),
            layer(&found),
        ]
    });
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    let line = |[name, version, kind, layer]: &[String; 4]| {
        let [a, b, c] = widths;
        format!("{name:a$}  {version:b$}  {kind:c$}  {layer}\n")
    };
    rows.iter().map(line).collect()
}

fn layer(found: &Found<'_>) -> String {
    let text = printable(found.instruction);
    let short = match text.char_indices().nth(INSTRUCTION) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    };
    format!("{} {short}", found.layer + 1).trim_end().to_string()
}

/// The same with everything that is known.
pub fn json(image: &Image) -> String {
    let distro = image.inventory.distro.as_ref();
    let packages: Vec<Value> = image
        .packages()
        .map(|found| {
            let mut entry = serde_json::to_value(found.package).unwrap_or_default();
            if let Some(entry) = entry.as_object_mut() {
                entry.insert("purl".into(), found.package.purl(distro).into());
                let diff_id = image.diff_ids.get(found.layer);
                let layer = json!({
                    "number": found.layer + 1, "diffId": diff_id, "instruction": found.instruction,
                });
                entry.insert("layer".into(), layer);
            }
            entry
        })
        .collect();
    let whole = json!({
        "image": image.id,
        "manifest": image.manifest,
        "platform": image.platform,
        "names": image.names,
        "distro": image.inventory.distro,
        "packages": packages,
        "unread": image.inventory.unread,
    });
    format!("{whole:#}\n")
}

/// What was found, in a line, and what was not read.
pub fn notices(image: &Image) -> Vec<String> {
    /// Files that could not be read and are named.
    const NAMED: usize = 10;
    let inventory = &image.inventory;
    let distro = match &inventory.distro {
        Some(distro) => format!(" of {distro}"),
        None => String::new(),
    };
    let layers = count(image.diff_ids.len(), "layer");
    let mut notices = image.notices.clone();
    notices.push(format!("{}{distro} in {layers}", count(inventory.packages.len(), "package")));
    let unread = inventory.unread.iter().take(NAMED);
    notices.extend(unread.map(|unread| format!("not read: {}", printable(&unread.to_string()))));
    if let Some(more) = inventory.unread.len().checked_sub(NAMED).filter(|more| *more > 0) {
        notices.push(format!("not read: {} more", count(more, "file")));
    }
    notices
}
