//! The lab's registry: what it serves, and images made for one test.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Engine, http, lab};

/// Everything that engines may be served.
pub const ACCEPT: &str = "application/vnd.oci.image.index.v1+json,\
    application/vnd.oci.image.manifest.v1+json,\
    application/vnd.docker.distribution.manifest.list.v2+json,\
    application/vnd.docker.distribution.manifest.v2+json";

impl Engine {
    /// The digest that the registry serves for `repository:reference`.
    pub fn served(&self, repository: &str, reference: &str) -> Option<String> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = http::tcp(&self.registry, "HEAD", &path, &[("Accept", ACCEPT)]);
        (answer.status == 200).then(|| answer.header("Docker-Content-Digest").unwrap().to_string())
    }

    /// The manifest or index of `repository:reference`.
    pub fn manifest(&self, repository: &str, reference: &str) -> Value {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = http::tcp(&self.registry, "GET", &path, &[("Accept", ACCEPT)]);
        assert_eq!(answer.status, 200, "{repository}:{reference}");
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// The digest that a whole name stands for in the registry now.
    pub fn served_name(&self, name: &str) -> String {
        let (repository, tag) = name.rsplit_once(':').unwrap();
        let repository = repository.strip_prefix(&format!("{}/", self.registry)).unwrap();
        self.served(repository, tag).unwrap_or_else(|| panic!("the registry has no {name}"))
    }

    /// Writes the small base's root file system, as a tar.
    pub fn busybox_tar(&self, to: &Path) {
        let manifest = self.get("/v2/busybox/manifests/latest");
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        let packed = to.with_extension("tar.gz");
        std::fs::write(&packed, self.get(&format!("/v2/busybox/blobs/{layer}"))).unwrap();
        let unpacked = Command::new("gzip").arg("-df").arg(&packed).status().unwrap();
        assert!(unpacked.success());
    }

    /// Pushes a single-layer image; `NAME@sha256:…`, the registry included.
    pub fn push(&self, repository: &str, tag: &str, root: &Path, config: &Value) -> String {
        let output = Command::new(lab::scripts().join("push-image"))
            .env("REGISTRY", &self.registry)
            .args([repository, tag])
            .arg(root)
            .arg(config.to_string())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    }

    /// Pushes a base like busybox that differs by a file `/mark` and its config.
    pub fn push_marked(
        &self,
        work: &Path,
        name: (&str, &str),
        mark: &str,
        config: Value,
    ) -> String {
        let tar = work.join(format!("base-{}.tar", super::unique()));
        self.busybox_tar(&tar);
        let file = work.join("mark");
        std::fs::write(&file, mark).unwrap();
        let added = Command::new("tar")
            .args(["--owner=0", "--group=0", "-rf"])
            .arg(&tar)
            .arg("-C")
            .arg(work)
            .arg("mark")
            .status()
            .unwrap();
        assert!(added.success());
        std::fs::remove_file(file).unwrap();
        let config = if config.is_null() { json!({}) } else { config };
        let pushed = self.push(name.0, name.1, &tar, &config);
        std::fs::remove_file(tar).unwrap();
        pushed
    }

    /// Deletes an image, by its digest.
    pub fn delete(&self, repository: &str, digest: &str) {
        let path = format!("/v2/{repository}/manifests/{digest}");
        http::tcp(&self.registry, "DELETE", &path, &[]);
    }

    /// What the registry answers to a path.
    pub fn get(&self, path: &str) -> Vec<u8> {
        let answer = http::tcp(&self.registry, "GET", path, &[("Accept", ACCEPT)]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.head);
        answer.body
    }
}
