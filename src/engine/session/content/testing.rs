//! Layouts for tests.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Writes a blob and returns its descriptor.
pub(crate) fn blob(directory: &Path, bytes: &[u8]) -> Value {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let blobs = directory.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join(&hex), bytes).unwrap();
    json!({ "mediaType": "x", "digest": format!("sha256:{hex}"), "size": bytes.len() })
}

/// Writes a document as a blob.
pub(crate) fn document(directory: &Path, document: &Value) -> Value {
    blob(directory, document.to_string().as_bytes())
}

/// Writes an image's blobs; its layer holds `layer`.
pub(crate) fn image(directory: &Path, layer: &str) -> Value {
    let config = document(directory, &json!({ "config": {} }));
    let layers = [blob(directory, layer.as_bytes())];
    document(directory, &json!({ "schemaVersion": 2, "config": config, "layers": layers }))
}

/// Names an image in `index.json`.
pub(crate) fn name(directory: &Path, mut image: Value, tag: Option<&str>) {
    let path = directory.join("index.json");
    let mut index: Value = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap(),
        Err(_) => json!({ "schemaVersion": 2, "manifests": [] }),
    };
    if let Some(tag) = tag {
        image["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    }
    index["manifests"].as_array_mut().unwrap().push(image);
    std::fs::write(path, index.to_string()).unwrap();
}

/// Adds an image of its own kind and returns its digest.
pub(crate) fn layout(directory: &Path, tag: Option<&str>) -> String {
    let made = image(directory, &format!("layer of {tag:?}"));
    let digest = made["digest"].as_str().unwrap().to_string();
    name(directory, made, tag);
    digest
}
