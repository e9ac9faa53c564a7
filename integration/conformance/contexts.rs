//! What comes in: the context's own files, questions about a Dockerfile with contexts, rights that
//! nobody uses.

use crate::support::{Engine, Project, tests};

tests![
    lock_of_this_build_is_not_in_its_image,
    questions_know_named_contexts,
    rights_that_no_step_uses_are_no_matter,
];

fn lock_of_this_build_is_not_in_its_image(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nCOPY . /c\nLABEL name=NAME\n");
    let files = || {
        let out = project.beside("out");
        let _ = std::fs::remove_dir_all(&out);
        project.build(&["-o", out.to_str().unwrap()]).run().succeeds();
        let mut names: Vec<String> = std::fs::read_dir(out.join("c"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(files(), ["Dockerfile"]);
    assert!(project.lock().contains("busybox"));
    // From now on it is a file of the project like any other.
    assert_eq!(files(), ["Dockerfile", "cofferdam.lock"]);
}

fn questions_know_named_contexts(engine: &'static Engine) {
    let project = Project::new(engine, "FROM dir AS one\nARG A=1\nFROM one AS two\n");
    project.write("other/f", "f");
    let context = "--build-context=dir=other";
    let image = format!("--build-context=dir=docker-image://{}", engine.busybox());
    for context in [context, &image] {
        let asked = project.build(&["--call", "targets", context]).run();
        if engine.name == "a" {
            asked.explains(1).says("knows no named contexts");
            continue;
        }
        let told = asked.succeeds().out();
        assert!(told.contains("one") && told.contains("two"), "{told}");
    }
    assert!(!project.path("cofferdam.lock").exists(), "a question locked something");
}

fn rights_that_no_step_uses_are_no_matter(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    let free = ["--allow", "network.host"];
    project.build(&free).run().succeeds();
    if engine.name != "a" {
        project.dockerfile("FROM BUSYBOX\nRUN --network=host echo NAME\n");
        project.build(&free).run().explains(3).says("host-network");
    }
}
