//! Facts about an image of the engine: its configuration, history and root file system.

use std::io::{BufReader, Result};
use std::time::UNIX_EPOCH;

use serde_json::Value;

use crate::arm::Arm;
use crate::facts::Facts;
use crate::normal::Normal;
use crate::tree;

/// Adds what the engine says of the image `id`, as `image/NAME/…`.
pub fn tell(facts: &mut Facts, arm: &Arm, normal: &Normal, name: &str, id: &str) {
    let daemon = &arm.setting.daemon;
    let prefix = format!("image/{name}");
    let Some(image) = daemon.inspect(id) else {
        facts.add(prefix, "cannot be inspected");
        return;
    };
    facts.add(&prefix, "built");
    config(facts, normal, &prefix, &image);
    let told = history(facts, arm, normal, &prefix, &image, id)
        .and_then(|()| daemon.export(&image, id, |tar| root(facts, &prefix, tar))?);
    told.unwrap_or_else(|error| {
        facts.add(format!("{prefix}/tree"), format!("cannot be read: {error}"))
    });
}

fn root(facts: &mut Facts, prefix: &str, tar: crate::daemon::Body) -> Result<()> {
    tree::of_tar(facts, prefix, BufReader::new(tar))
}

fn config(facts: &mut Facts, normal: &Normal, prefix: &str, image: &Value) {
    for key in ["Architecture", "Os", "Variant", "Author"] {
        leaves(facts, normal, &format!("{prefix}/{key}"), &image[key]);
    }
    leaves(facts, normal, &format!("{prefix}/config"), &image["Config"]);
    let created = image["Created"].as_str().unwrap_or_default();
    facts.add(format!("{prefix}/Created"), age(created));
}

/// The age of what was made at a time, as far as the two tools must agree on it.
fn age(created: &str) -> String {
    let time = humantime::parse_rfc3339(created).ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or_else(|| created.into(), tree::age)
}

/// A fact for every leaf that says anything: engines write the empty ones in several ways.
pub fn leaves(facts: &mut Facts, normal: &Normal, name: &str, value: &Value) {
    match value {
        Value::Null | Value::Bool(false) => {}
        Value::String(text) if text.is_empty() => {}
        // The name of one build.
        Value::String(text) if name.ends_with("/buildx.build.ref") => {
            let builder = text.rsplit_once('/').map(|(builder, _)| builder);
            facts.add(name, builder.unwrap_or(text));
        }
        // Where it is not the image's ID, it is the digest of times that only this build has.
        Value::String(text) if name.ends_with("/containerimage.config.digest") => {
            facts.add(name, normal.output(text));
        }
        Value::String(text) if name.ends_with("/org.opencontainers.image.created") => {
            facts.add(name, age(text));
        }
        Value::String(text) => facts.add(name, normal.text(text)),
        // Digests and times that only this build has.
        Value::Array(_) if name.ends_with("/index.json/manifests") => {
            facts.add(name, normal.output(&value.to_string()));
        }
        // Environment and commands are read as a whole.
        Value::Array(_) => facts.add(name, normal.text(&value.to_string())),
        Value::Object(members) => {
            for (key, value) in members {
                // The empty object is how ports and volumes are told.
                match value {
                    Value::Object(inner) if inner.is_empty() => {
                        facts.add(format!("{name}/{key}"), "{}")
                    }
                    Value::String(text) if text.is_empty() && name.ends_with("/Labels") => {
                        facts.add(format!("{name}/{key}"), "\"\"");
                    }
                    value => leaves(facts, normal, &format!("{name}/{key}"), value),
                }
            }
        }
        value => facts.add(name, value.to_string()),
    }
}

/// Our own entry and its layer are no part of what the Dockerfile says.
fn history(
    facts: &mut Facts,
    arm: &Arm,
    normal: &Normal,
    prefix: &str,
    image: &Value,
    id: &str,
) -> Result<()> {
    let history = arm.setting.daemon.history(id)?;
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_string();
    let oldest_first = history.as_array().into_iter().flatten().rev();
    let (ours, theirs): (Vec<_>, Vec<_>) =
        oldest_first.partition(|entry| text(entry, "CreatedBy").starts_with("cofferdam strip"));
    for (index, entry) in theirs.into_iter().enumerate() {
        let line = format!("{} # {}", text(entry, "CreatedBy"), text(entry, "Comment"));
        facts.add(format!("{prefix}/history/{index:02}"), normal.text(&line));
    }
    assert!(ours.len() <= 1, "one step of ours is enough: {ours:?}");
    let layers = image["RootFS"]["Layers"].as_array().map_or(0, Vec::len);
    facts.add(format!("{prefix}/layers"), (layers - ours.len()).to_string());
    Ok(())
}
