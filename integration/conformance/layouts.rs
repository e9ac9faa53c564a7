//! `--build-context NAME=oci-layout://…`: images of a directory are bases like any other.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Engine, Project, tests};

tests![
    layout_is_a_base_and_a_source,
    layout_platform_is_chosen_from_nested_indexes,
    layout_damage_is_told,
    layout_large_blob_is_streamed,
];

/// A layout in the making.
struct Layout {
    directory: PathBuf,
    images: Vec<Value>,
}

impl Layout {
    fn new(project: &Project) -> Self {
        let directory = project.beside("layout");
        fs::create_dir_all(directory.join("blobs/sha256")).unwrap();
        fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { directory, images: Vec::new() }
    }

    fn blob(&self, kind: &str, bytes: &[u8]) -> Value {
        let digest = cofferdam_frontend::graph::digest(bytes);
        fs::write(path(&self.directory, &digest), bytes).unwrap();
        json!({ "mediaType": kind, "digest": digest, "size": bytes.len() })
    }

    /// An image with one file, `/f`.
    fn image(&self, arch: &str, content: &[u8]) -> Value {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, "f", content).unwrap();
        let layer = tar.into_inner().unwrap();
        let layers = [self.blob("application/vnd.oci.image.layer.v1.tar", &layer)];
        let config = json!({
            "architecture": arch,
            "os": "linux",
            "config": { "Env": ["FROM_LAYOUT=yes"], "User": "7" },
            "rootfs": { "type": "layers", "diff_ids": [layers[0]["digest"]] },
        });
        let kind = "application/vnd.oci.image.config.v1+json";
        let config = self.blob(kind, config.to_string().as_bytes());
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers,
        });
        let mut image = self.blob(kind, manifest.to_string().as_bytes());
        image["platform"] = json!({ "architecture": arch, "os": "linux" });
        image
    }

    fn index(&self, images: &[Value]) -> Value {
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = json!({ "schemaVersion": 2, "mediaType": kind, "manifests": images });
        self.blob(kind, index.to_string().as_bytes())
    }

    fn name(&mut self, mut image: Value, tag: &str) -> String {
        let digest = image["digest"].as_str().unwrap().to_string();
        image["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
        self.images.push(image);
        let index = json!({ "schemaVersion": 2, "manifests": self.images });
        fs::write(self.directory.join("index.json"), index.to_string()).unwrap();
        digest
    }

    /// `--build-context NAME=…`
    fn context(&self, name: &str, suffix: &str) -> String {
        format!("--build-context={name}=oci-layout://{}{suffix}", self.directory.display())
    }
}

fn path(layout: &Path, digest: &str) -> PathBuf {
    layout.join("blobs").join(digest.replace(':', "/"))
}

/// Whether the engine's store reads layouts; if not, the build must say so before anything starts.
fn reads_layouts(project: &Project, context: &str) -> bool {
    if project.engine.name == "b-containerd" {
        return true;
    }
    let outcome = project.build(&[context]).run().explains(1).says("reads no OCI layouts");
    outcome.says("driver docker-container").never_says("load build definition");
    false
}

fn layout_is_a_base_and_a_source(engine: &'static Engine) {
    let project = Project::new(engine, "FROM base\nCOPY --from=base /f /copied\nLABEL name=NAME\n");
    let mut layout = Layout::new(&project);
    let digest = layout.name(layout.image("amd64", b"of v1"), "v1");
    layout.name(layout.image("amd64", b"of latest"), "latest");
    let context = layout.context("base", ":v1");
    if !reads_layouts(&project, &context) {
        return;
    }
    let image = project.built(&[&context]);
    let config = &engine.inspect(&image)["Config"];
    assert_eq!(config["User"], "7");
    assert!(config["Env"].to_string().contains("FROM_LAYOUT=yes"), "{config}");
    // What was read is in the record.
    let record = project.provenance(&image).to_string();
    assert!(record.contains(digest.trim_start_matches("sha256:")), "{record}");
    for (suffix, content) in [(":v1", "of v1"), ("", "of latest"), (&format!("@{digest}"), "of v1")]
    {
        let out = project.beside("out");
        let args = [&layout.context("base", suffix), "-o", out.to_str().unwrap()];
        project.build(&args).run().succeeds();
        for file in ["f", "copied"] {
            assert_eq!(fs::read_to_string(out.join(file)).unwrap(), content, "{suffix}");
        }
    }
    // What is locked is not asked for again, and there is nothing to lock here.
    project.build(&["--locked", "-o", "type=cacheonly", &context]).run().succeeds();
}

fn layout_platform_is_chosen_from_nested_indexes(engine: &'static Engine) {
    let project = Project::new(engine, "FROM base\n# NAME\n");
    let mut layout = Layout::new(&project);
    let several = [layout.image("arm64", b"arm64"), layout.image("amd64", b"amd64")];
    let inner = layout.index(&several);
    let outer = layout.index(&[inner]);
    layout.name(outer, "latest");
    let context = layout.context("base", "");
    if !reads_layouts(&project, &context) {
        return;
    }
    let out = project.beside("out");
    for arch in ["amd64", "arm64"] {
        let platform = format!("--platform=linux/{arch}");
        project.build(&[&platform, &context, "-o", out.to_str().unwrap()]).run().succeeds();
        assert_eq!(fs::read_to_string(out.join("f")).unwrap(), arch);
    }
    // A platform that the layout names and does not hold.
    let both = [
        layout.image("arm64", format!("not held {}", project.name).as_bytes()),
        layout.image("amd64", b"held"),
    ];
    let digest = layout.name(layout.index(&both), "partly");
    let context = layout.context("base", &format!("@{digest}"));
    let gone = both[0]["digest"].as_str().unwrap();
    fs::remove_file(path(&layout.directory, gone)).unwrap();
    project.build(&[&context, "-o", "type=cacheonly"]).run().succeeds();
    let outcome = project.build(&["--platform=linux/arm64", &context]).run().explains(1);
    outcome.says("has no blob").says(gone);
}

fn layout_damage_is_told(engine: &'static Engine) {
    let project = Project::new(engine, "FROM base\n# NAME\n");
    let mut layout = Layout::new(&project);
    let digest = layout.name(layout.image("amd64", b"content"), "v1");
    let known = layout.context("base", ":v1");
    // Found before an engine is asked.
    let fails = |context: &str, words: &str| {
        project.build(&[context]).run().explains(1).says(words).never_says("load build definition");
    };
    fails(&layout.context("base", ":v2"), "has no image \"v2\"; it has v1");
    fails(&format!("--build-context=base=oci-layout://{}", project.dir().display()), "index.json");
    let manifest = path(&layout.directory, &digest);
    let whole = fs::read(&manifest).unwrap();
    fs::write(&manifest, [&whole[..], b" "].concat()).unwrap();
    fails(&known, "is damaged");
    fs::remove_file(&manifest).unwrap();
    fails(&known, "has no blob");
    fs::write(&manifest, &whole).unwrap();
    let parsed: Value = serde_json::from_slice(&whole).unwrap();
    let layer = path(&layout.directory, parsed["layers"][0]["digest"].as_str().unwrap());
    let mut bytes = fs::read(&layer).unwrap();
    fs::write(&layer, b"short").unwrap();
    fails(&known, "is to have");
    // What only shows when the engine reads it: same size, other bytes.
    bytes[512] ^= 1;
    fs::write(&layer, &bytes).unwrap();
    let other = project.build(&["-t", &project.tag("1"), &known]).run().explains(1);
    if engine.name == "b-containerd" {
        other.says("is damaged: blob sha256:");
    }
    assert!(engine.id(&project.tag("1")).is_none(), "a damaged base got a name");
}

fn layout_large_blob_is_streamed(engine: &'static Engine) {
    let project = Project::new(engine, "FROM base\n# NAME\n");
    let mut layout = Layout::new(&project);
    let content: Vec<u8> = (0..20_000_000_u32).map(|n| (n ^ (n >> 11)) as u8).collect();
    layout.name(layout.image("amd64", &content), "latest");
    let context = layout.context("base", "");
    if !reads_layouts(&project, &context) {
        return;
    }
    let out = project.beside("out");
    project.build(&[&context, "-o", out.to_str().unwrap()]).run().succeeds();
    assert!(fs::read(out.join("f")).unwrap() == content, "it came differently");
}
