//! What comes in: the context's own files, questions about a Dockerfile with contexts, rights that
//! nobody uses.

use crate::remote::Repository;
use crate::support::{Engine, Project, tests};

tests![
    lock_of_this_build_is_not_in_its_image,
    questions_know_named_contexts,
    git_directory_is_kept_by_a_build_argument,
    questions_know_remote_contexts,
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

fn git_directory_is_kept_by_a_build_argument(engine: &'static Engine) {
    let repository = Repository::new();
    let commit = repository.commit("first");
    let project = Project::empty(engine);
    let out = project.beside("out");
    let build = |args: &[&str]| {
        let _ = std::fs::remove_dir_all(&out);
        let output = ["build", "-o", out.to_str().unwrap(), &repository.url];
        project.cofferdam(&[&output[..], args].concat()).run().succeeds();
        std::fs::read_to_string(out.join(".git/HEAD")).ok()
    };
    assert_eq!(build(&[]), None);
    let kept = build(&["--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1"]);
    assert_eq!(kept.as_deref().map(str::trim), Some(commit.as_str()));
    // A commit that the reference does not name is built when the address says so.
    repository.commit("second");
    let address = format!("{}?fetch-by-commit&commit={commit}#master:docs", repository.url);
    let text = |address: &str| {
        let _ = std::fs::remove_dir_all(&out);
        project.cofferdam(&["build", "-o", out.to_str().unwrap(), address]).run().succeeds();
        std::fs::read_to_string(out.join("f")).unwrap()
    };
    assert_eq!(text(&address), "first");
    assert_eq!(text(&format!("{}?branch=master&subdir=docs", repository.url)), "second");
    let moved = format!("{}?commit={commit}&ref=master", repository.url);
    project.cofferdam(&["build", &moved]).run().explains(1).says(&commit);
}

fn questions_know_remote_contexts(engine: &'static Engine) {
    let repository = Repository::new();
    repository.write("Dockerfile", "FROM scratch AS stage-of-git\nCOPY docs /\n");
    repository.commit("first");
    let project = Project::empty(engine);
    let asked = project.cofferdam(&["build", "--call", "targets", &repository.url]).run();
    if engine.name == "a" {
        asked.explains(1).says("does not support frontend.targets");
        return;
    }
    let told = asked.succeeds().out();
    assert!(told.contains("stage-of-git"), "{told}");
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
