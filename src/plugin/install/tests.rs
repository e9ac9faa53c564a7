use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

/// A Docker configuration in a directory of its own.
struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new(config: Option<&str>) -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap() };
        if let Some(text) = config {
            std::fs::create_dir(home.config_dir()).unwrap();
            std::fs::write(home.config(), text).unwrap();
        }
        home
    }

    fn config_dir(&self) -> PathBuf {
        self.dir.path().join("docker")
    }

    fn config(&self) -> PathBuf {
        self.config_dir().join("config.json")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.config()).unwrap()
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            config_dir: self.config_dir(),
            program: std::env::current_exe().unwrap(),
            copy: false,
            shim: None,
        }
    }

    fn install(&self) -> usize {
        carry_out(&install(&self.wanted()).unwrap())
    }

    fn uninstall(&self) -> usize {
        carry_out(&uninstall(&self.config_dir()).unwrap())
    }

    /// Every path below the directory, with what it holds.
    fn listing(&self) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for entry in walkdir::WalkDir::new(self.dir.path()).sort_by_file_name() {
            let path = entry.unwrap().into_path();
            let what = match std::fs::read_link(&path) {
                Ok(target) => target.display().to_string(),
                Err(_) => std::fs::read_to_string(&path).unwrap_or_default(),
            };
            found.push((path, what));
        }
        found
    }
}

fn carry_out(steps: &[Step]) -> usize {
    steps.iter().for_each(|step| step.carry_out().unwrap());
    steps.len()
}

const SOME: &str = "{\n    \"auths\": {\"r\": {}},\n    \"psFormat\": \"x\"\n}";

#[test]
fn what_was_there_comes_back_byte_for_byte() {
    let configs = [
        None,
        Some(""),
        Some("{}"),
        Some(SOME),
        Some("{\r\n\t\"aliases\": {\"builder\": \"buildx\"},\r\n\t\"b\" : [ 1 ]\r\n}\r\n"),
        Some("{\"aliases\":{},\"currentContext\":\"\\u0066ar\"}"),
    ];
    for config in configs {
        let home = Home::new(config);
        let before = home.listing();
        assert!(home.install() > 0);
        assert_eq!(alias::get(&home.text()), Ok(Some("cofferdam".into())));
        let plugin = home.config_dir().join("cli-plugins/docker-cofferdam");
        assert_eq!(plugin.canonicalize().unwrap(), std::env::current_exe().unwrap());
        let installed = home.listing();
        assert_eq!(home.install(), 0, "a second time does nothing");
        assert_eq!(home.listing(), installed);
        assert!(home.uninstall() > 0);
        assert_eq!(home.listing(), before, "{config:?}");
        assert_eq!(home.uninstall(), 0);
    }
}

#[test]
fn a_plan_changes_nothing() {
    let home = Home::new(Some(SOME));
    let before = home.listing();
    let steps = install(&home.wanted()).unwrap();
    assert_eq!(steps.iter().filter_map(Step::told).count(), 2);
    assert_eq!(home.listing(), before);
}

#[test]
fn what_changed_meanwhile_stays() {
    for (config, changed, after) in [
        // Docker writes the whole file anew when somebody logs in.
        (
            Some(SOME),
            "{\n\t\"auths\": {\n\t\t\"new\": {}\n\t},\n\t\"aliases\": {\n\t\t\"builder\": \"cofferdam\"\n\t}\n}",
            "{\n\t\"auths\": {\n\t\t\"new\": {}\n\t}\n}",
        ),
        (
            Some("{\"aliases\":{\"builder\":\"old\"}}"),
            "{\"a\":1,\"aliases\":{\"builder\":\"cofferdam\"}}",
            "{\"a\":1,\"aliases\":{\"builder\":\"old\"}}",
        ),
        (None, "{\"auths\":{},\"aliases\":{\"builder\":\"cofferdam\"}}", "{\"auths\":{}}"),
        // Somebody chose another builder: that is not ours to change.
        (
            Some("{}"),
            "{\"aliases\":{\"builder\":\"other\"}}",
            "{\"aliases\":{\"builder\":\"other\"}}",
        ),
        (Some("{}"), "{}", "{}"),
    ] {
        let home = Home::new(config);
        home.install();
        std::fs::write(home.config(), changed).unwrap();
        home.uninstall();
        assert_eq!(home.text(), after);
        assert!(!home.config_dir().join("cli-plugins").exists());
    }
}

#[test]
fn a_member_that_was_added_behind_ours_stays() {
    let home = Home::new(Some(SOME));
    home.install();
    let more = home.text().replace("\n}", ",\n    \"more\": 1\n}");
    let more = more.replacen(",\n    \"more\": 1\n}", "\n}", more.matches("\"more\"").count() - 1);
    std::fs::write(home.config(), &more).unwrap();
    home.uninstall();
    let expected = SOME.replace("\"x\"\n}", "\"x\",\n    \"more\": 1\n}");
    assert_eq!(home.text(), expected);
}

#[test]
fn modes_and_links_stay() {
    let home = Home::new(Some("{}"));
    let real = home.dir.path().join("real.json");
    std::fs::rename(home.config(), &real).unwrap();
    symlink("../real.json", home.config()).unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    home.install();
    assert!(home.config().is_symlink());
    assert_eq!(real.metadata().unwrap().mode() & 0o777, 0o640);
    assert!(home.text().contains("cofferdam"));
    home.uninstall();
    assert!(home.config().is_symlink());
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "{}");
    assert_eq!(real.metadata().unwrap().mode() & 0o777, 0o640);

    let home = Home::new(None);
    home.install();
    assert_eq!(home.config().metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(home.config_dir().metadata().unwrap().mode() & 0o777, 0o700);
}

#[test]
fn a_damaged_configuration_is_refused_untouched() {
    for text in ["{", "[1]", "{\"auths\": {\"r\": {\"auth\": \"c2VjcmV0\" ]}}", "\u{feff}{}"] {
        let home = Home::new(Some(text));
        let before = home.listing();
        let error = install(&home.wanted()).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().contains("config.json"), "{error}");
        assert!(!error.to_string().contains("c2VjcmV0"));
        assert_eq!(home.listing(), before);
    }
}

#[test]
fn a_file_that_changes_under_the_hands_is_left_alone() {
    let home = Home::new(Some("{}"));
    let steps = install(&home.wanted()).unwrap();
    std::fs::write(home.config(), "{\"auths\":{}}").unwrap();
    assert!(steps.iter().any(|step| step.carry_out().is_err()));
    assert_eq!(home.text(), "{\"auths\":{}}");
    home.install();
    home.uninstall();
    assert_eq!(home.text(), "{\"auths\":{}}");
}

#[test]
fn other_peoples_programs_are_not_replaced() {
    let home = Home::new(Some("{}"));
    let plugin = home.config_dir().join("cli-plugins/docker-cofferdam");
    std::fs::create_dir(plugin.parent().unwrap()).unwrap();
    std::fs::write(&plugin, "#!/bin/sh\n").unwrap();
    assert!(install(&home.wanted()).unwrap_err().to_string().contains("not ours"));
    assert_eq!(home.text(), "{}");
    std::fs::remove_file(&plugin).unwrap();
    // A link of an earlier version may point nowhere by now.
    symlink("/nowhere/cofferdam", &plugin).unwrap();
    home.install();
    assert_eq!(plugin.canonicalize().unwrap(), std::env::current_exe().unwrap());

    let shims = home.dir.path().join("bin");
    std::fs::create_dir(&shims).unwrap();
    std::fs::write(shims.join("docker"), "#!/bin/sh\n").unwrap();
    let wanted = Wanted { shim: Some(shims.clone()), ..home.wanted() };
    assert!(install(&wanted).unwrap_err().to_string().contains("not ours"));
}

#[test]
fn a_shim_is_made_and_taken_away() {
    let home = Home::new(None);
    let before = home.listing();
    let shims = home.dir.path().join("own/bin");
    let wanted = Wanted { shim: Some(shims.clone()), ..home.wanted() };
    carry_out(&install(&wanted).unwrap());
    assert!(programs::is_ours(&shims.join("docker")));
    assert!(install(&wanted).unwrap().is_empty());
    // An installation without a shim leaves the one that is there.
    assert!(install(&home.wanted()).unwrap().is_empty());
    home.uninstall();
    assert_eq!(home.listing(), before);
}

#[test]
fn a_link_becomes_a_copy_and_a_copy_a_link() {
    let home = Home::new(None);
    home.install();
    let plugin = home.config_dir().join("cli-plugins/docker-cofferdam");
    let copied = Wanted { copy: true, ..home.wanted() };
    carry_out(&install(&copied).unwrap());
    assert!(!plugin.is_symlink() && programs::is_ours(&plugin));
    assert_eq!(plugin.metadata().unwrap().mode() & 0o777, 0o755);
    assert!(install(&copied).unwrap().is_empty());
    home.install();
    assert!(plugin.is_symlink());
    home.uninstall();
    assert!(!home.config_dir().exists());
}
