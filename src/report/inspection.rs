//! What an inspection found: for people, and as JSON for programs.

use cofferdam_frontend::policy::about;
use cofferdam_search::Transform;
use serde_json::{Value, json};

use super::finding::{Finding, Level, findings};
use super::size::{megabytes, short_digest};
use super::style::{Paint, Style};
use super::text::{count, printable};
use super::verdict::line;
use crate::inspect::{Inspection, Judged, SecretResult};

/// Longest instruction in the table, in characters.
const INSTRUCTION: usize = 90;
/// Lines of the table.
const STEPS: usize = 60;
/// Files that could not be read and are named.
const UNREAD: usize = 10;

/// For people: what it is, its layers, and what speaks against it.
pub fn human(inspection: &Inspection, style: Style) -> String {
    let image = &inspection.image;
    let mut lines = Vec::new();
    let mut add = |label: &str, text: String| lines.push(line(style, Paint::Strong, label, &text));
    let platform = image.platform.as_deref().unwrap_or("no platform");
    let id = short_digest(image.manifest.as_deref().unwrap_or(&image.id));
    add("image", format!("{}  {id}  {platform}", inspection.name));
    let size: u64 = image.sizes.iter().sum();
    add("layers", format!("{}, {}", count(image.sizes.len(), "layer"), megabytes(size)));
    add("user", inspection.user.clone());
    let command = match inspection.command.is_empty() {
        true => "nothing".into(),
        false => inspection.command.join(" "),
    };
    add("runs", shortened(&command));
    add("packages", packages(inspection));
    if !inspection.secrets.is_empty() {
        add("secrets", secrets(inspection));
    }
    lines.push(String::new());
    lines.extend(steps(inspection));
    let found: Vec<Finding> = inspection.findings.iter().map(finding).collect();
    if !found.is_empty() {
        lines.push(String::new());
        lines.extend(findings(&found, style, "see --format json"));
    }
    lines.push(String::new());
    lines.push(summary(inspection, style));
    lines.join("\n") + "\n"
}

fn packages(inspection: &Inspection) -> String {
    let inventory = &inspection.image.inventory;
    let distro = inventory.distro.as_ref().map(|distro| format!(" on {distro}"));
    let kinds: Vec<String> =
        inspection.packages.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let total = count(inventory.packages.len(), "package");
    let kinds = match kinds.is_empty() {
        true => String::new(),
        false => format!(": {}", kinds.join(", ")),
    };
    format!("{total}{}{kinds}", distro.unwrap_or_default())
}

fn secrets(inspection: &Inspection) -> String {
    let told = |secret: &SecretResult| match (secret.found, secret.not_provable) {
        (0, None) => format!("{}: absent", secret.id),
        (0, Some(why)) => format!("{}: not provable, {why}", secret.id),
        (found, _) => {
            let places = count(usize::try_from(found).unwrap_or(usize::MAX), "place");
            format!("{}: found in {places}", secret.id)
        }
    };
    let told: Vec<String> = inspection.secrets.iter().map(told).collect();
    let unread = match inspection.unpacked_not {
        0 => String::new(),
        number => {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            format!(", {} not unpacked", count(number, "archive"))
        }
    };
    format!(
        "{} ({}, config, history; {} encodings, {}{unread})",
        told.join("; "),
        count(inspection.image.sizes.len(), "layer"),
        Transform::ALL.len(),
        megabytes(inspection.searched),
    )
}

/// A line for each step that made a layer.
fn steps(inspection: &Inspection) -> Vec<String> {
    let image = &inspection.image;
    let row = |(number, size): (usize, &u64)| {
        let instruction = image.instructions.get(number).map_or("", String::as_str);
        let instruction = shortened(instruction);
        format!("{:<5}  {:>8}  {instruction}", number + 1, megabytes(*size)).trim_end().to_string()
    };
    let mut lines = vec![format!("{:<5}  {:>8}  MADE BY", "LAYER", "SIZE")];
    lines.extend(image.sizes.iter().enumerate().map(row).take(STEPS));
    if let Some(more) = image.sizes.len().checked_sub(STEPS).filter(|more| *more > 0) {
        lines.push(format!("{}: see --format json", count(more, "more layer")));
    }
    lines
}

fn shortened(text: &str) -> String {
    let text = printable(text);
    match text.char_indices().nth(INSTRUCTION) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn finding(judged: &Judged) -> Finding {
    let Judged { rule, severity: _, denied, message, layer, paths, more, fix } = judged;
    let mut notes = Vec::new();
    if !paths.is_empty() {
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let layer = layer.map(|layer| format!("layer {}: ", layer + 1)).unwrap_or_default();
        notes.push(format!("{layer}{}{more}", paths.join(" ")));
    }
    Finding {
        rule: rule.clone(),
        level: if *denied { Level::Error } else { Level::Warning },
        message: message.clone(),
        snippet: None,
        notes,
        fix: Some(fix.clone()).filter(|fix| !fix.is_empty()).into_iter().collect(),
        see: about(rule).map(|about| format!("cofferdam explain {}", about.id)),
    }
}

fn summary(inspection: &Inspection, style: Style) -> String {
    let denied = inspection.findings.iter().filter(|finding| finding.denied).count();
    let warned = inspection.findings.len() - denied;
    let mut parts = Vec::new();
    if denied > 0 {
        parts.push(format!("{} denied", count(denied, "finding")));
    }
    if warned > 0 {
        parts.push(count(warned, "warning"));
    }
    if parts.is_empty() {
        parts.push("nothing found".to_string());
    }
    let (paint, word) = match (denied, warned) {
        (0, 0) => (Paint::Good, "clean"),
        (0, _) => (Paint::Warning, "checked"),
        _ => (Paint::Bad, "denied"),
    };
    line(style, paint, word, &parts.join(", "))
}

/// Everything, for programs.
pub fn json(inspection: &Inspection) -> String {
    let image = &inspection.image;
    let layers: Vec<Value> = image
        .sizes
        .iter()
        .enumerate()
        .map(|(number, size)| {
            let sums = image.contents.get(number).map(|contents| contents.sums);
            json!({
                "number": number + 1,
                "diffId": image.diff_ids.get(number),
                "size": size,
                "instruction": image.instructions.get(number),
                "files": sums.map(|sums| sums.files),
                "fileBytes": sums.map(|sums| sums.bytes),
            })
        })
        .collect();
    let size = |layer: Option<usize>| layer.and_then(|layer| image.sizes.get(layer)).unwrap_or(&0);
    let history: Vec<Value> = image
        .steps
        .iter()
        .map(|step| {
            json!({
                "instruction": step.instruction,
                "layer": step.layer.map(|layer| layer + 1),
                "size": size(step.layer),
            })
        })
        .collect();
    let findings: Vec<Value> = inspection.findings.iter().map(judged).collect();
    let secrets: Vec<Value> = inspection
        .secrets
        .iter()
        .map(|it| json!({ "id": it.id, "found": it.found, "notProvable": it.not_provable }))
        .collect();
    let search = json!({
        "encodings": Transform::ALL.iter().map(|transform| transform.name()).collect::<Vec<_>>(),
        "bytes": inspection.searched,
        "notUnpacked": inspection.unpacked_not,
        "secrets": secrets,
    });
    let whole = json!({
        "name": inspection.name,
        "image": image.id,
        "manifest": image.manifest,
        "platform": image.platform,
        "created": image.created,
        "size": image.sizes.iter().sum::<u64>(),
        "user": inspection.user,
        "command": inspection.command,
        "layers": layers,
        "history": history,
        "distro": image.inventory.distro,
        "packages": inspection.packages,
        "unread": image.inventory.unread,
        "findings": findings,
        "search": if inspection.secrets.is_empty() { Value::Null } else { search },
    });
    format!("{whole:#}\n")
}

fn judged(judged: &Judged) -> Value {
    let Judged { rule, severity, denied, message, layer, paths, more, fix } = judged;
    json!({
        "rule": rule,
        "severity": severity.name(),
        "level": if *denied { "deny" } else { "warn" },
        "message": message,
        "layer": layer.map(|layer| layer + 1),
        "paths": paths,
        "more": more,
        "fix": fix,
    })
}

/// Where the image was found, and what could not be read.
pub fn notices(inspection: &Inspection) -> Vec<String> {
    let image = &inspection.image;
    let mut notices = image.notices.clone();
    let unread = image.inventory.unread.iter().take(UNREAD);
    notices.extend(unread.map(|unread| format!("not read: {}", printable(&unread.to_string()))));
    let more = image.inventory.unread.len().saturating_sub(UNREAD);
    if more > 0 {
        notices.push(format!("not read: {}", count(more, "more file")));
    }
    notices
}
