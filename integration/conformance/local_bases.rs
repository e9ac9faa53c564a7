//! Bases that no registry has: built, said, recorded, and never taken for something else.

use crate::support::{Engine, Project, tests};

tests![imported_base, base_named_for_a_registry_that_lacks_it, exchanged_base_is_noticed];

/// `docker import` of busybox with a file `/mark`.
fn import(project: &Project, name: &str, mark: &str) -> String {
    let work = project.beside("tmp");
    let (tar, root) = (work.join("import.tar"), work.join("import"));
    project.engine.busybox_tar(&tar);
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("mark"), mark).unwrap();
    let mut append = std::process::Command::new("tar");
    append.args(["--owner=0", "--group=0", "-rf"]).arg(&tar).arg("-C").arg(&root).arg("mark");
    assert!(append.status().unwrap().success());
    let path = tar.display().to_string();
    project.engine.docker(&["import", "--change", "ENV FROM=import", &path, name]);
    let id = project.engine.id(name).unwrap();
    project.owns(id.clone());
    id
}

fn builds_local(project: &Project, base: &str, id: &str) {
    project.dockerfile(&format!("FROM {base}\nRUN echo NAME; echo \"$FROM\" >/from\n"));
    let image = project.tag("1");
    let outcome = project.build(&["-t", &image]).run().succeeds();
    outcome.says("only this engine's store has it");
    let script = "cat /mark /from";
    assert_eq!(project.engine.root_sh(&image, script), "oneimport");
    assert!(project.lock().contains(id), "{}", project.lock());
    let statement = project.provenance(&image);
    let dependencies = &statement["predicate"]["buildDefinition"]["resolvedDependencies"];
    let local = dependencies
        .as_array()
        .unwrap()
        .iter()
        .find(|dependency| dependency["annotations"]["localOnly"].as_bool() == Some(true));
    let local = local.unwrap_or_else(|| panic!("nothing is local in {dependencies:#}"));
    assert_eq!(local["digest"]["sha256"], *id.trim_start_matches("sha256:"));
    // Where nothing changed, the lock is satisfied.
    project.build(&["-t", &image, "--locked"]).run().succeeds();
}

fn imported_base(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.tag("local");
    let id = import(&project, &base, "one");
    builds_local(&project, &base, &id);
}

/// Built here, named for the registry, and not pushed yet.
fn base_named_for_a_registry_that_lacks_it(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = format!("{}/{}/local:1", engine.registry, project.name);
    let id = import(&project, &base, "one");
    builds_local(&project, &base, &id);
}

fn exchanged_base_is_noticed(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.tag("local");
    import(&project, &base, "one");
    project.dockerfile(&format!("FROM {base}\nRUN echo NAME\n"));
    let image = project.built(&[]);
    let first = import(&project, &base, "two");
    let refused = project.build(&["-t", &image, "--locked"]).run().explains(3);
    refused.says(&base);
    assert_eq!(engine.root_sh(&image, "cat /mark"), "one");
    project.build(&["-t", &image]).run().succeeds().says(&first);
    assert_eq!(engine.root_sh(&image, "cat /mark"), "two");
}
