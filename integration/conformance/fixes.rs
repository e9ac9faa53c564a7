//! What `cofferdam check --fix` makes of a Dockerfile builds the same image, but for what each fix is
//! about.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{Engine, Project, tests};

tests![safe_fixes_change_only_what_they_are_about, a_missing_yes_is_all_that_failed];

/// A piece for every rule with a safe fix but `missing-yes`, whose step fails.
const BAD: &str = "FROM BUSYBOX\n\
    COPY bin /usr/local/bin/\n\
    ENV PATH=/usr/local/bin:/usr/bin:/bin MODE=strict\u{200b}\n\
    ADD app /srv/app\n\
    ADD app docs /srv/more/\n\
    RUN apt remove -y tini\n\
    RUN apt-get update && \\\n    apt-get install -y --no-install-recommends tini=0.19.0\n\
    RUN apt-get install -y --allow-unauthenticated --no-install-recommends dumb-init=1.2\n\
    RUN curl -fsSLk -o /countries https://example.com/countries.txt && echo NAME >/name\n\
    USER 1000:1000\n\
    WORKDIR /srv\n\
    CMD [\"/srv/old\"]\n\
    CMD [\"/srv/app\", \"x\"]\n";

/// The rules that it is against and whose fixes are safe.
const MENDED: [&str; 7] = [
    "apt-command",
    "invisible-characters",
    "local-add",
    "package-cache",
    "several-commands",
    "signatures-off",
    "tls-off",
];

/// A package manager and a client that need no network: what they are asked for stands in files.
/// Without `-y` and without somebody to ask, nothing is installed.
const PROGRAMS: [(&str, &str); 3] = [
    (
        "apt-get",
        "#!/bin/sh\nset -e\n\
         if [ \"$1\" = update ]; then mkdir -p /var/lib/apt/lists; echo x >/var/lib/apt/lists/x; exit; fi\n\
         case \" $* \" in *' -y '*) ;; *) echo 'Do you want to continue? [Y/n] Abort.'; exit 1;; esac\n\
         for word; do case $word in -*) ;; *) echo \"$word\" >>/packages;; esac; done\n",
    ),
    ("apt", "#!/bin/sh\nexec apt-get \"$@\"\n"),
    ("curl", "#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift; done\necho got >\"$2\"\n"),
];

fn project(engine: &'static Engine, dockerfile: &str) -> Project {
    let project = Project::new(engine, dockerfile);
    for (name, text) in PROGRAMS {
        let path = format!("bin/{name}");
        project.write(&path, text);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(project.path(&path), mode).unwrap();
    }
    project.write("app", "app\n");
    project.write("docs/sub/page", "page\n");
    project
}

/// The rules with findings in the Dockerfile.
fn found(project: &Project) -> BTreeSet<String> {
    let said = project.cofferdam(&["check", "--format", "json", "Dockerfile"]).run();
    let report: Value = serde_json::from_slice(&said.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["rule"].as_str().unwrap().to_string()).collect()
}

/// Mends the Dockerfile, twice; what it was is `Bad.Dockerfile` then.
fn mend(project: &Project) {
    project.write("Bad.Dockerfile", project.read("Dockerfile"));
    project.cofferdam(&["check", "--fix", "Dockerfile"]).run().succeeds();
    let once = project.read("Dockerfile");
    project.cofferdam(&["check", "--fix", "Dockerfile"]).run().succeeds();
    assert_eq!(project.read("Dockerfile"), once, "mended twice");
}

/// Every path of an image with its kind, mode, owner and content's digest.
fn tree(engine: &'static Engine, image: &str) -> BTreeSet<String> {
    let skipped = ["/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
    let skipped = skipped.map(|path| format!("-path {path}")).join(" -o ");
    let all = format!("find / \\( {skipped} -o -path /.dockerenv \\) -prune -o");
    let script = format!(
        "{all} -exec stat -c '%n %F %a %u:%g' {{}} +; {all} -type f -exec sha256sum {{}} +"
    );
    engine.root_sh(image, &script).lines().map(String::from).collect()
}

fn safe_fixes_change_only_what_they_are_about(engine: &'static Engine) {
    let project = project(engine, BAD);
    let before = found(&project);
    assert!(MENDED.iter().all(|rule| before.contains(*rule)), "{before:?}");
    mend(&project);
    let after = found(&project);
    assert!(MENDED.iter().all(|rule| !after.contains(*rule)), "{after:?}");

    let (bad, good) = (project.tag("bad"), project.tag("good"));
    project.build(&["-t", &bad, "-f", "Bad.Dockerfile"]).run().succeeds();
    project.build(&["-t", &good]).run().succeeds();

    // apt-command, local-add, signatures-off, tls-off: nothing; package-cache: the lists go.
    let (before, after) = (tree(engine, &bad), tree(engine, &good));
    let gone: Vec<&String> = before.difference(&after).collect();
    let lists = |line: &&String| line.contains("/var/lib/apt/lists/x");
    assert!(gone.len() == 2 && gone.iter().all(lists), "{gone:#?}");
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(before.len() > 20, "{before:#?}");

    // invisible-characters: the value it stood in; several-commands: nothing, the last one counted.
    let config = |image: &str| engine.inspect(image)["Config"].clone();
    let (mut before, after) = (config(&bad), config(&good));
    for value in before["Env"].as_array_mut().unwrap() {
        *value = value.as_str().unwrap().replace('\u{200b}', "").into();
    }
    // The engine's own name for the image it was made from.
    before["Image"] = after["Image"].clone();
    assert_eq!(before, after);
    assert!(after["Env"].as_array().unwrap().contains(&"MODE=strict".into()), "{after}");
}

fn a_missing_yes_is_all_that_failed(engine: &'static Engine) {
    let project = project(
        engine,
        "FROM BUSYBOX\nCOPY bin /usr/local/bin/\n\
         RUN PATH=/usr/local/bin:$PATH && echo NAME && \\\n    \
         apt-get install --no-install-recommends tini=0.19.0\n",
    );
    mend(&project);
    project.build(&["-f", "Bad.Dockerfile"]).run().fails(1).says("Do you want to continue?");
    let image = project.built(&[]);
    assert_eq!(engine.root_sh(&image, "cat /packages"), "install\ntini=0.19.0");
}
