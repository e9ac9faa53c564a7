use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt as _;

use cofferdam_frontend::policy::Level;
use sha2::{Digest as _, Sha256};
use tar::{Builder, Header};

use super::*;
use crate::builders::Platform;
use crate::engine::session::{SecretStore, SecretValue};
use crate::image::{Source, Wanted};
use crate::report::inspection::{human, json};
use crate::report::style::Style;

const VALUE: &str = "hunter2-and-a-half";

/// A file with its mode and owner.
type File<'a> = (&'a str, u32, u64, &'a [u8]);

fn archive(files: &[File<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, mode, owner, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        header.set_uid(*owner);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// What is found in an image of these layers that was saved.
fn inspect(layers: &[&[File<'_>]], config: &str, secret: &str, project: &Project) -> Inspection {
    let dir = tempfile::tempdir().unwrap();
    let layers: Vec<Vec<u8>> = layers.iter().map(|files| archive(files)).collect();
    let ids = layers.iter().map(|layer| format!("\"sha256:{:x}\"", Sha256::digest(layer)));
    let ids = ids.collect::<Vec<_>>().join(",");
    let history: Vec<String> = (0..layers.len())
        .map(|n| format!(r#"{{"created_by":"RUN step{n} {VALUE}"}}"#))
        .chain([r#"{"created_by":"USER x","empty_layer":true}"#.to_string()])
        .collect();
    let config = format!(
        r#"{{"os":"linux","architecture":"amd64","config":{config},
            "history":[{}],"rootfs":{{"diff_ids":[{ids}]}}}}"#,
        history.join(",")
    );
    let names: Vec<String> = (0..layers.len()).map(|n| format!("{n}/layer.tar")).collect();
    let manifest = format!(r#"[{{"Config":"c","RepoTags":["app:1"],"Layers":{names:?}}}]"#);
    let mut members: Vec<File<'_>> =
        names.iter().zip(&layers).map(|(n, l)| (n.as_str(), 0o644, 0, l.as_slice())).collect();
    members.push(("c", 0o644, 0, config.as_bytes()));
    members.push(("manifest.json", 0o644, 0, manifest.as_bytes()));
    let path = dir.path().join("app.tar");
    let mut file = std::fs::OpenOptions::new();
    let mut file = file.create(true).write(true).truncate(true).mode(0o600).open(&path).unwrap();
    std::io::Write::write_all(&mut file, &archive(&members)).unwrap();
    let mut secrets = BTreeMap::new();
    if !secret.is_empty() {
        secrets.insert("token".to_string(), SecretValue::new(secret.as_bytes().to_vec()));
    }
    let request = ImageRequest {
        source: Source::Archive(path, None),
        wanted: Wanted { platform: Platform::parse("linux/amd64"), asked: false },
        docker: None,
        cache: Some(dir.path().join("cache")),
        contents: true,
        secrets: SecretStore::new(secrets),
    };
    run(&request, project).unwrap()
}

fn rules(inspection: &Inspection) -> Vec<&str> {
    inspection.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

const BASE: &[File<'_>] = &[
    ("etc/passwd", 0o644, 0, b"root:x:0:0::/root:/bin/sh\napp:x:7:7::/:/bin/sh\n"),
    ("etc/group", 0o644, 0, b"root:x:0:\napp:x:7:\n"),
    ("usr/bin/app", 0o755, 0, b"#!/bin/sh\n"),
];
const CONFIG: &str = r#"{"User":"app","Entrypoint":["/usr/bin/app"],"Cmd":["--serve"]}"#;

#[test]
fn a_clean_image_is_clean() {
    let found = inspect(&[BASE], CONFIG, "", &Project::default());
    assert_eq!(rules(&found), [""; 0]);
    assert!(!found.is_denied());
    let text = human(&found, Style::PLAIN);
    for words in ["user      app", "/usr/bin/app --serve", "RUN step0", "clean", "1 layer"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let told: serde_json::Value = serde_json::from_str(&json(&found)).unwrap();
    assert_eq!(told["layers"][0]["files"], 3);
    assert_eq!(told["history"][1]["layer"], serde_json::Value::Null);
    assert_eq!((&told["history"][0]["layer"], &told["search"]), (&1.into(), &().into()));
}

#[test]
fn what_stands_out_is_a_finding_and_the_project_decides() {
    let layer: &[File<'_>] =
        &[("usr/bin/su", 0o4755, 0, b"x"), ("usr/local/bin/tool", 0o777, 0, b"x")];
    let found = inspect(&[BASE, layer], CONFIG, "", &Project::default());
    assert!(rules(&found).contains(&"setuid-left"), "{:?}", rules(&found));
    assert!(rules(&found).contains(&"world-writable"), "{:?}", rules(&found));
    let setuid = found.findings.iter().find(|finding| finding.rule == "setuid-left").unwrap();
    assert_eq!(
        (setuid.layer, setuid.paths.as_slice()),
        (Some(1), ["/usr/bin/su".into()].as_slice())
    );
    let text = human(&found, Style::PLAIN);
    assert!(text.contains("layer 2: /usr/bin/su"), "{text}");
    let mut project = Project { keep: ["/usr/bin/su".to_string()].into(), ..Project::default() };
    let found = inspect(&[BASE, layer], CONFIG, "", &project);
    assert!(!rules(&found).contains(&"setuid-left"));
    project.levels.asked.insert("world-writable".into(), Level::Deny);
    assert!(inspect(&[BASE, layer], CONFIG, "", &project).is_denied());
    project.levels.asked.insert("world-writable".into(), Level::Allow);
    let found = inspect(&[BASE, layer], CONFIG, "", &project);
    assert_eq!(rules(&found), [""; 0]);
}

#[test]
fn a_file_keeps_its_bit_until_the_day_that_the_project_names() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(config::FILE);
    let keep = r#"{ path = "/usr/bin/su", reason = "asked for", expires = 2026-12-01 }"#;
    std::fs::write(&file, format!("[strip]\nkeep = [{keep}]\n")).unwrap();
    let config = config::Config::read(&file).unwrap();
    let layer: &[File<'_>] = &[("usr/bin/su", 0o4755, 0, b"x")];
    for (day, left) in [("2026-12-01", false), ("2026-12-02", true)] {
        let today = Day::parse(day).unwrap();
        let project = Project::of(Some(&config), AskedLevels::default(), today);
        let found = inspect(&[BASE, layer], CONFIG, "", &project);
        assert_eq!(rules(&found).contains(&"setuid-left"), left, "{day}");
    }
}

#[test]
fn a_value_is_found_in_layers_and_history_and_told_nowhere() {
    let config = format!(r#"{{"User":"app","Cmd":["run","{VALUE}"]}}"#);
    let leak = format!("password={VALUE}\n");
    let deleted: &[File<'_>] = &[("app/.env", 0o644, 0, leak.as_bytes())];
    let over: &[File<'_>] = &[("app/.wh..env", 0o644, 0, b"")];
    let found = inspect(&[BASE, deleted, over], &config, VALUE, &Project::default());
    assert!(found.is_denied());
    assert_eq!(rules(&found)[..2], ["secret-in-image"; 2]);
    let (text, data) = (human(&found, Style::PLAIN), json(&found));
    assert!(text.contains("/app/.env (raw)") && text.contains("layer 2 of 3"), "{text}");
    assert!(text.contains("its configuration holds it"), "{text}");
    assert!(text.contains("token: found in 2 places"), "{text}");
    for text in [&text, &data] {
        assert!(!text.contains(VALUE), "{text}");
        assert!(text.contains("step0 ***"));
    }
    // Another value is not there, and one that is short proves nothing.
    for (value, words) in [("another-value-1", "token: absent"), ("abc", "not provable")] {
        let found = inspect(&[BASE], CONFIG, value, &Project::default());
        let text = human(&found, Style::PLAIN);
        assert!(!found.is_denied() && text.contains(words), "{text}");
    }
}

#[test]
fn unknown_secrets_are_found_in_one_pass_with_known_ones() {
    let npmrc: File<'_> = ("root/.npmrc", 0o600, 0, b"//r.io/:_authToken=npm-s3cr3t-v4lue\n");
    let layer: &[File<'_>] = &[npmrc];
    let without = inspect(&[BASE, layer], CONFIG, "", &Project::default());
    let with = inspect(&[BASE, layer], CONFIG, "another-value-1", &Project::default());
    assert_eq!(rules(&without), rules(&with));
    assert!(rules(&with).contains(&"unknown-secret"), "{:?}", rules(&with));
    // The accounts are read in both.
    assert!(!rules(&with).contains(&"unknown-user"));
}
