//! Facts about an archive that a build wrote: of a tree, or of an image in OCI's or Docker's layout.

use std::collections::BTreeMap;
use std::io::{Read, Result, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::facts::Facts;
use crate::image;
use crate::normal::Normal;
use crate::tree::{self, Node};

/// Files of an image's layout by their names.
type Blobs = BTreeMap<String, Vec<u8>>;

/// Adds `PREFIX/tree/…` for an archive of files, and what [`layout`] adds for one of an image.
pub fn tell(facts: &mut Facts, normal: &Normal, prefix: &str, mut tar: impl Read) -> Result<()> {
    let mut bytes = Vec::new();
    tar.read_to_end(&mut bytes)?;
    let mut blobs = Blobs::new();
    for entry in tar::Archive::new(&*bytes).entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        blobs.insert(path, content);
    }
    let image = ["index.json", "manifest.json"].iter().any(|name| blobs.contains_key(*name));
    if image { layout(facts, normal, prefix, &blobs) } else { tree::of_tar(facts, prefix, &*bytes) }
}

/// The files of a directory that is an image's layout; `None` when it is none.
pub fn layout_of(directory: &Path) -> Option<Blobs> {
    directory.join("oci-layout").exists().then(|| {
        let walk = walkdir::WalkDir::new(directory).into_iter().filter_map(|entry| {
            let path = entry.unwrap().into_path();
            let name = path.strip_prefix(directory).unwrap().to_str()?.to_string();
            path.is_file().then(|| (name, std::fs::read(path).unwrap()))
        });
        walk.collect()
    })
}

/// Adds what an image's layout says: its JSON without digests and sizes, and the tree of its layers.
pub fn layout(facts: &mut Facts, normal: &Normal, prefix: &str, blobs: &Blobs) -> Result<()> {
    for (name, bytes) in blobs {
        let kind = if name.starts_with("blobs/") { "blob" } else { name };
        match serde_json::from_slice::<Value>(bytes) {
            Ok(value) if value.get("config").is_some() && value.get("rootfs").is_some() => {
                image::leaves(facts, normal, &format!("{prefix}/config"), &value["config"]);
            }
            Ok(value) => json(facts, normal, &format!("{prefix}/{}", role(kind, &value)), &value),
            Err(_) if kind == "blob" => {}
            Err(_) => facts.add(format!("{prefix}/{name}"), format!("{} bytes", bytes.len())),
        }
    }
    let mut merged: BTreeMap<String, Node> = BTreeMap::new();
    for layer in layers(blobs) {
        let unpacked = unpack(layer)?;
        for (path, node) in tree::members(&*unpacked)? {
            merged.insert(path, node);
        }
    }
    for (path, node) in merged {
        node.tell(facts, prefix, &path);
    }
    Ok(())
}

fn role(name: &str, value: &Value) -> String {
    match (name, value.get("layers"), value.get("manifests")) {
        ("blob", Some(_), _) => "manifest".into(),
        ("blob", _, Some(_)) => "index".into(),
        _ => name.into(),
    }
}

/// Media types, annotations and platforms; how many layers there are is told of images already, and
/// one of them may be ours.
fn json(facts: &mut Facts, normal: &Normal, prefix: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match key.as_str() {
                    "digest" | "size" => {}
                    "layers" | "Layers" => {
                        let first = value.as_array().and_then(|layers| layers.first());
                        json(
                            facts,
                            normal,
                            &format!("{prefix}/{key}"),
                            first.unwrap_or(&Value::Null),
                        );
                    }
                    key => json(facts, normal, &format!("{prefix}/{key}"), value),
                }
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                json(facts, normal, &format!("{prefix}/{index}"), value);
            }
        }
        Value::String(text) => facts.add(prefix, blob_name(&normal.output(text))),
        value => facts.add(prefix, value.to_string()),
    }
}

/// Names of blobs are digests.
fn blob_name(text: &str) -> String {
    if text.starts_with("blobs/sha256/") { "<blob>".into() } else { text.into() }
}

/// The layers of the only image, the oldest first.
fn layers(blobs: &Blobs) -> Vec<&[u8]> {
    let values = blobs.values().filter_map(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let manifest = values.into_iter().find(|value| value.get("layers").is_some());
    let layers = manifest.and_then(|manifest| manifest["layers"].as_array().cloned());
    let names = layers.into_iter().flatten().filter_map(|layer| {
        let digest = layer["digest"].as_str()?.replacen(':', "/", 1);
        blobs.get(&format!("blobs/{digest}")).map(Vec::as_slice)
    });
    names.collect()
}

fn unpack(layer: &[u8]) -> Result<Vec<u8>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    if !layer.starts_with(&GZIP) {
        return Ok(layer.to_vec());
    }
    let mut gzip =
        Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = gzip.stdin.take().unwrap();
    let mut bytes = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(layer));
        gzip.stdout.take().unwrap().read_to_end(&mut bytes)
    })?;
    gzip.wait()?;
    Ok(bytes)
}
