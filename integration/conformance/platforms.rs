//! Images of several platforms: each is hardened, and one index names them.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Engine, Project, tests};

tests![platforms_are_hardened_each];

/// Needs a store that holds an index; nothing of the other architecture has to run.
fn platforms_are_hardened_each(engine: &'static Engine) {
    if engine.name != "b-containerd" {
        return;
    }
    let text = "FROM scratch\nARG TARGETARCH\nCOPY su-$TARGETARCH /bin/\n";
    let project = Project::new(engine, text);
    for arch in ["amd64", "arm64"] {
        let name = format!("su-{arch}");
        project.write(&name, arch);
        let mode = std::fs::Permissions::from_mode(0o4755);
        std::fs::set_permissions(project.path(&name), mode).unwrap();
    }
    let image = project.tag("1");
    project.build(&["--platform", "linux/amd64,linux/arm64", "-t", &image]).run().succeeds();

    let recorded = project.provenance(&image).to_string();
    for arch in ["amd64", "arm64"] {
        assert!(recorded.contains(&format!(r#""path":"/bin/su-{arch}""#)), "{recorded}");
    }
    let saved = project.beside("saved");
    std::fs::create_dir(&saved).unwrap();
    let tar = saved.join("image.tar");
    engine.docker(&["save", "-o", &tar.display().to_string(), &image]);
    let mut unpack = std::process::Command::new("tar");
    unpack.arg("-C").arg(&saved).arg("-xf").arg(&tar);
    assert!(unpack.status().unwrap().success());
    let blobs = std::fs::read_dir(saved.join("blobs/sha256")).unwrap();
    let blobs = blobs.filter_map(|blob| std::fs::read_to_string(blob.unwrap().path()).ok());
    let configs: Vec<String> = blobs.filter(|blob| blob.contains("\"rootfs\"")).collect();
    assert_eq!(configs.len(), 2);
    for arch in ["amd64", "arm64"] {
        let stripped = format!("cofferdam strip /bin/su-{arch}");
        let own = configs.iter().filter(|config| config.contains(&stripped));
        let own: Vec<&String> = own.collect();
        assert!(matches!(own.as_slice(), [config] if config.contains(arch)), "{configs:?}");
    }
}
