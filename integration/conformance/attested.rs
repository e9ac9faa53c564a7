//! Statements that BuildKit attaches to an image: where they were asked for, where the output holds
//! them, and nowhere else.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::run::Cofferdam;
use crate::support::saved::contains;
use crate::support::stand_in::stand_in;
use crate::support::{Engine, Project, tests};

tests![
    nothing_is_attached_unasked,
    provenance_in_an_archive,
    provenance_of_a_named_image,
    provenance_in_a_registry,
    provenance_through_a_builder,
    provenance_that_nothing_holds,
    provenance_in_the_metadata_file,
    sbom_of_the_finished_image,
    sbom_whose_generator_fails,
    sbom_that_nothing_holds,
];

/// It has one argument, one secret and one set-uid file.
const DOCKERFILE: &str = "FROM DEBIAN\nARG WORD\nRUN --mount=type=secret,id=s \
    test -s /run/secrets/s && echo \"$WORD NAME\" >/word\n";
const SECRET: &str = "a-value-that-nobody-may-read";
const BUILT: &[&str] = &["--secret", "id=s,src=../secret", "--build-arg", "WORD=spoken"];

fn project(engine: &'static Engine) -> Project {
    let project = Project::new(engine, DOCKERFILE);
    std::fs::write(project.beside("secret"), SECRET).unwrap();
    project
}

pub fn holds_attestations(engine: &Engine) -> bool {
    engine.name == "b-containerd"
}

fn build(project: &Project, args: &[&str]) -> Cofferdam {
    project.build(&[BUILT, args].concat())
}

/// An OCI layout in a directory.
pub struct Layout<'a>(pub &'a Path);

impl Layout<'_> {
    fn blob(&self, digest: &str) -> Value {
        serde_json::from_slice(&self.bytes(digest)).unwrap()
    }

    fn bytes(&self, digest: &str) -> Vec<u8> {
        let hex = digest.strip_prefix("sha256:").unwrap();
        std::fs::read(self.0.join("blobs/sha256").join(hex)).unwrap()
    }

    /// Image manifest and predicate; what stands between them must name the image.
    pub fn read(&self) -> (Value, Value) {
        let top = std::fs::read(self.0.join("index.json")).unwrap();
        let top: Value = serde_json::from_slice(&top).unwrap();
        let index = self.blob(top["manifests"][0]["digest"].as_str().unwrap());
        let [image, attested] = index["manifests"].as_array().unwrap().as_slice() else {
            panic!("not an image and its statements: {index}")
        };
        assert_eq!(image["platform"]["os"], "linux");
        assert_eq!(attested["platform"]["os"], "unknown");
        assert_eq!(attested["annotations"]["vnd.docker.reference.digest"], image["digest"]);
        let attested = self.blob(attested["digest"].as_str().unwrap());
        let [layer] = attested["layers"].as_array().unwrap().as_slice() else {
            panic!("not one statement: {attested}")
        };
        let statement = self.blob(layer["digest"].as_str().unwrap());
        let image = self.blob(image["digest"].as_str().unwrap());
        (image, statement["predicate"].clone())
    }
}

pub fn unpacked(project: &Project, tar: &str) -> std::path::PathBuf {
    let dir = project.beside("layout");
    std::fs::create_dir(&dir).unwrap();
    let tar = Command::new("tar").arg("-xf").arg(project.beside(tar)).arg("-C").arg(&dir).status();
    assert!(tar.unwrap().success());
    dir
}

fn nothing_is_attached_unasked(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    for args in [&[][..], &["--provenance=false"], &["--attest", "type=provenance,disabled=true"]] {
        let metadata = project.beside("metadata.json");
        let metadata = metadata.to_str().unwrap();
        let image = project.tag("1");
        let args = [args, &["-t", &image, "--metadata-file", metadata]].concat();
        build(&project, &args).run().succeeds();
        let told: Value = serde_json::from_slice(&std::fs::read(metadata).unwrap()).unwrap();
        let kind = told["containerimage.descriptor"]["mediaType"].as_str().unwrap();
        assert!(kind.ends_with("manifest.v1+json") || kind.ends_with("manifest.v2+json"), "{kind}");
    }
}

fn provenance_in_an_archive(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    let tar = format!("type=oci,dest={}", project.beside("o.tar").display());
    build(&project, &["--provenance=mode=max", "-o", &tar]).run().succeeds();
    let dir = unpacked(&project, "o.tar");
    let (image, predicate) = Layout(&dir).read();
    // What was judged is what is described, and what is in the archive.
    let steps = predicate["buildConfig"]["llbDefinition"].to_string();
    assert!(steps.contains("/helper") && steps.contains("strip"), "{steps}");
    let base = predicate["materials"][0]["digest"]["sha256"].as_str().unwrap();
    assert!(project.lock().contains(base), "{base} is not in the lock");
    let layers = image["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 3, "base, RUN and strip: {image}");
    for entry in
        walkdir::WalkDir::new(&dir).into_iter().filter(|e| e.as_ref().unwrap().path().is_file())
    {
        let path = entry.unwrap().into_path();
        assert!(!contains(&std::fs::read(&path).unwrap(), SECRET.as_bytes()), "{}", path.display());
    }
}

fn provenance_of_a_named_image(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    let iid = project.beside("iid");
    let image = project
        .built(&[BUILT, &["--provenance=true", "--iidfile", iid.to_str().unwrap()]].concat());
    let id = std::fs::read_to_string(&iid).unwrap();
    let privileged =
        engine.docker(&["run", "--rm", &id, "find", "/", "-xdev", "-type", "f", "-perm", "/6000"]);
    assert_eq!(privileged.trim(), "");
    assert_eq!(engine.docker(&["image", "inspect", "-f", "{{.Id}}", &image]).trim(), id);
    assert_eq!(project.provenance(&image)["subject"][0]["digest"]["sha256"], id["sha256:".len()..]);
}

pub fn attached(engine: &Engine, name: &str) -> Vec<Value> {
    let (repository, tag) = name.rsplit_once(':').unwrap();
    let repository = repository.strip_prefix(&format!("{}/", engine.registry)).unwrap();
    let index = engine.manifest(repository, tag);
    index["manifests"].as_array().cloned().unwrap_or_default()
}

fn provenance_in_a_registry(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    let name = format!("{}/{}", engine.registry, project.tag("p"));
    project.owns(name.clone());
    build(&project, &["--provenance=mode=min", "-t", &name, "--push"]).run().succeeds();
    let entries = attached(engine, &name);
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_eq!(entries[1]["annotations"]["vnd.docker.reference.digest"], entries[0]["digest"]);
}

/// The engine's own BuildKit by the transport of a builder.
fn provenance_through_a_builder(engine: &'static Engine) {
    let far = stand_in(engine, "unix");
    let project = project(engine);
    let builder = |args: &[&str]| build(&project, args).env("BUILDKIT_HOST", &far);
    let attest = &["--attest", "type=provenance,mode=min", "-o"];
    if engine.name == "a" {
        // BuildKit 0.8 would leave it out without a word.
        let out = project.beside("out");
        let refused = builder(&[attest, &[out.to_str().unwrap()][..]].concat()).run().explains(1);
        refused.says("not supported by this engine's BuildKit");
        assert!(!out.exists());
    } else if holds_attestations(engine) {
        let tar = format!("type=oci,dest={}", project.beside("o.tar").display());
        builder(&[attest, &[tar.as_str()][..]].concat()).run().succeeds();
        Layout(&unpacked(&project, "o.tar")).read();
    }
}

fn provenance_that_nothing_holds(engine: &'static Engine) {
    let project = project(engine);
    let image = project.tag("1");
    if !holds_attestations(engine) {
        let refused = build(&project, &["-t", &image, "--provenance=true"]).run().explains(1);
        refused.says("Attestation is not supported for the docker driver").says("containerd");
        assert!(!project.path("cofferdam.lock").exists());
        // Scripts that switch it off are everywhere.
        build(&project, &["-t", &image, "--provenance=false", "--sbom=false"]).run().succeeds();
    }
    let tar = format!("type=docker,dest={}", project.beside("o.tar").display());
    build(&project, &["--provenance=true", "-o", &tar]).run().explains(1);
    for bad in ["--attest=type=vsa", "--provenance=mode=huge", "--attest=mode=max"] {
        build(&project, &[bad]).run().explains(1);
    }
}

fn provenance_in_the_metadata_file(engine: &'static Engine) {
    let project = project(engine);
    let file = project.beside("metadata.json");
    let told = |mode: Option<&str>| -> Value {
        let mut run = build(&project, &["--metadata-file", file.to_str().unwrap()]);
        if let Some(mode) = mode {
            run = run.env("BUILDX_METADATA_PROVENANCE", mode);
        }
        run.run().succeeds();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains(SECRET) && !text.contains("spoken"), "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["buildx.build.provenance"].clone()
    };
    let short = told(None);
    let base = short["materials"][0]["digest"]["sha256"].as_str().unwrap();
    assert!(project.lock().contains(base));
    assert_eq!(short["invocation"]["configSource"]["entryPoint"], "Dockerfile");
    assert!(short.get("metadata").is_none());
    assert_eq!(told(Some("max"))["invocation"]["parameters"]["secrets"][0]["id"], "s");
    assert!(told(Some("disabled")).is_null());
}

/// A generator that says how many set-uid files it sees, and whether it sees the secret.
fn generator(project: &Project, script: &str) -> String {
    let config = json!({ "config": {
        "Entrypoint": ["/bin/sh", "-c", script],
        "Env": ["PATH=/bin"],
        "WorkingDir": "/",
    } });
    project.base("generator", "1", "generator", config["config"].clone())
}

const SCAN: &str = r#"
    seen=$(find "$BUILDKIT_SCAN_SOURCE" -type f -perm -4000 | wc -l)
    word=$(cat "$BUILDKIT_SCAN_SOURCE/word")
    secret=$(ls /run/secrets 2>/dev/null | wc -l)
    printf '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document",
        "predicate":{"suid":%s,"word":"%s","secrets":%s,"level":"%s"}}' \
        "$seen" "$word" "$secret" "$BUILDKIT_SCAN_LEVEL" >"$BUILDKIT_SCAN_DESTINATION/a.spdx.json"
"#;

fn sbom_of_the_finished_image(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    let scanner = generator(&project, SCAN);
    let tar = format!("type=oci,dest={}", project.beside("o.tar").display());
    let sbom = format!("--attest=type=sbom,generator={scanner},LEVEL=2");
    build(&project, &[&sbom, "-o", &tar]).run().succeeds();
    let (_, found) = Layout(&unpacked(&project, "o.tar")).read();
    assert_eq!(found["suid"], 0, "it saw what was not hardened: {found}");
    assert_eq!(found["word"], format!("spoken {}", project.name));
    assert_eq!((&found["secrets"], &found["level"]), (&json!(0), &json!("2")));
    // It is an input like any other.
    let digest = engine.served_name(&scanner);
    assert!(project.lock().contains(&digest), "{}", project.lock());
    let other = generator(&project, "exit 1");
    assert_ne!(engine.served_name(&other), digest);
    let image = project.built(&[BUILT, &["--sbom", &format!("generator={scanner}")]].concat());
    assert_eq!(engine.docker(&["run", "--rm", &image, "cat", "/word"]).trim(), found["word"]);
    std::fs::remove_file(project.path("cofferdam.lock")).unwrap();
    let sbom = format!("--sbom=generator={scanner}");
    build(&project, &[&sbom, "--locked"]).run().fails(3);
}

fn sbom_whose_generator_fails(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    let image = project.tag("1");
    let failing = generator(&project, "echo no >&2; exit 3");
    build(&project, &["-t", &image, &format!("--sbom=generator={failing}")]).run().fails(1);
    assert!(!engine.try_docker(&["image", "inspect", &image]).status.success());
    build(&project, &["-t", &image, "--sbom=generator=::"]).run().explains(1);
}

fn sbom_that_nothing_holds(engine: &'static Engine) {
    if holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    let refused = build(&project, &["--sbom=true"]).run().explains(1);
    refused.says("Attestation is not supported for the docker driver");
    assert!(!project.path("cofferdam.lock").exists());
}
