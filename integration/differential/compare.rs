//! One case by both tools, and what must be the same.

use std::fmt::Write as _;

use crate::allowed::Allowed;
use crate::arm::{Arm, Tool};
use crate::corpus::Case;
use crate::directory;
use crate::facts::{Difference, Facts};
use crate::image;
use crate::normal::{self, Normal};
use crate::setting::Setting;

/// Differences to show; more of them have the same cause.
const SHOWN: usize = 20;

/// Runs the case; the error says what differs and what both said.
pub fn compare(
    case: &Case,
    setting: &'static Setting,
    tool: Tool,
    allowed: &Allowed,
) -> Result<(), String> {
    if case.alone.contains(&setting.name) {
        let alone = Arm::run(case, setting, tool);
        _ = facts(&alone);
        let done = alone.exit == case.exit;
        return if done { Ok(()) } else { Err(format!("cofferdam: {}", alone.told())) };
    }
    let buildx = Arm::run(case, setting, Tool::Buildx);
    if buildx.exit != case.exit {
        return Err(format!("buildx ends otherwise than with {}\n{}", case.exit, buildx.told()));
    }
    let theirs = facts(&buildx);
    let cofferdam = Arm::run(case, setting, tool);
    let ours = facts(&cofferdam);
    let mut problems = String::new();
    for word in &case.says {
        for (who, arm) in [("buildx", &buildx), ("cofferdam", &cofferdam)] {
            if !arm.stderr.contains(word) {
                let _ = writeln!(problems, "{who} does not say {word:?}");
            }
        }
    }
    let differences = Facts::differences(&theirs, &ours);
    let mut differences = differences
        .iter()
        .filter(|difference| !allowed.takes(case, setting, difference))
        .peekable();
    if differences.peek().is_some() {
        problems += "not the same:\n";
    }
    for difference in differences.by_ref().take(SHOWN) {
        show(&mut problems, difference);
    }
    match differences.count() {
        0 => {}
        more => problems += &format!("and {more} more\n"),
    }
    if problems.is_empty() {
        return Ok(());
    }
    if buildx.exit == cofferdam.exit && cofferdam.exit == 0 {
        return Err(problems);
    }
    Err(format!("{problems}\nbuildx: {}\n\ncofferdam: {}", buildx.told(), cofferdam.told()))
}

fn show(to: &mut String, difference: &Difference<'_>) {
    let Difference { fact, buildx, cofferdam } = difference;
    let none = "(none)";
    let _ = writeln!(
        to,
        "  {fact}\n    buildx    {}\n    cofferdam {}",
        buildx.unwrap_or(none),
        cofferdam.unwrap_or(none)
    );
}

/// Everything that can be known of what an arm did. Its images leave the engine later.
fn facts(arm: &Arm) -> Facts {
    let named = images(arm);
    for (name, _) in named.iter().filter(|(name, _)| name.contains(&arm.image)) {
        arm.setting.owns(name);
    }
    let written = ["writing image", "exporting manifest"];
    let lines = arm.stderr.lines().filter(|line| written.iter().any(|word| line.contains(word)));
    for id in lines.flat_map(normal::digests).chain(named.iter().map(|(_, id)| id.clone())) {
        arm.setting.owns(&id);
    }
    let called: Vec<_> = named
        .iter()
        .map(|(name, id)| (id.clone(), format!("ID of {}", without(name, arm))))
        .collect();
    let normal = Normal::new(arm, &called);
    let mut facts = Facts::default();
    facts.add("exit", arm.exit.to_string());
    facts.add("stdout", normal.output(&arm.stdout));
    directory::tell(&mut facts, &normal, &arm.work());
    for (name, id) in &named {
        image::tell(&mut facts, arm, &normal, &normal.text(name), id);
    }
    facts
}

fn without(name: &str, arm: &Arm) -> String {
    name.replace(&arm.image, "IMAGE").replace(&arm.setting.engine.registry, "REGISTRY")
}

/// The arm's images: names with their IDs, and those of which only an ID was told.
fn images(arm: &Arm) -> Vec<(String, String)> {
    let mut found = arm.setting.daemon.images(&arm.image);
    found.retain(|(name, _)| name.contains(&arm.image));
    let mut texts = directory::texts(&arm.work());
    texts.insert(0, arm.stdout.clone());
    for id in texts.iter().flat_map(|text| normal::digests(text)) {
        let known = found.iter().any(|(_, known)| *known == id);
        if known {
            continue;
        }
        let Some(image) = arm.setting.daemon.inspect(&id) else { continue };
        if image["Id"].as_str() == Some(&id) {
            found.push((format!("unnamed-{}", found.len()), id));
        }
    }
    found
}
