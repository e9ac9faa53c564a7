//! The rules of images in a build: each sees what it is about in a real image, an ordinary image is
//! silent, and what is denied leaves no image.

use cofferdam_frontend::policy::{Place, every_about};

use crate::support::{Engine, Project, tests};

tests![
    each_rule_sees_a_real_image,
    an_ordinary_image_is_silent,
    a_secret_that_nobody_named_is_refused_by_its_line,
    a_project_decides_about_images_too,
];

/// What a step leaves, and the rule that it is against.
const WAYS: [(&str, &str); 9] = [
    ("mkdir -p /srv/open && chmod 777 /srv/open", "world-writable"),
    ("echo 'toor:x:0:0::/:/bin/sh' >>/etc/passwd", "duplicate-id"),
    ("echo 'easy::4242:4242::/:/bin/sh' >>/etc/passwd", "empty-password"),
    ("mknod /srv/disk b 8 0", "device-node"),
    ("mkdir -p /srv/team && chmod 2770 /srv/team", "setgid-directory"),
    ("echo ls >/root/.bash_history", "shell-history"),
    ("mkdir -p /app/.git && echo 'ref: refs/heads/main' >/app/.git/HEAD", "git-directory"),
    ("cp /bin/true /usr/local/bin/gcc", "build-tools"),
    (
        "mkdir -p /root/.cache/pip && dd if=/dev/urandom of=/root/.cache/pip/x bs=1k count=500",
        "package-cache",
    ),
];

fn each_rule_sees_a_real_image(engine: &'static Engine) {
    let steps: String = WAYS.iter().map(|(step, _)| format!("RUN {step}\n")).collect();
    let project = Project::new(engine, &format!("FROM DEBIAN\n{steps}USER 1000\nCMD [\"true\"]\n"));
    let mut told = project.build(&[]).run().succeeds();
    for (number, (_, rule)) in WAYS.iter().enumerate() {
        // What the text was warned about is told there, and not twice.
        told = match rule {
            &"world-writable" => told.says(rule),
            rule => told.says(&format!("Dockerfile:{}: ", number + 2)).says(&format!("({rule}")),
        };
    }
    // A later step that mends it leaves nothing to say.
    let mended = "RUN chmod 755 /srv/open && rm -r /srv/disk /root/.bash_history /root/.cache \
                  /usr/local/bin/gcc /srv/team && sed -i '/^toor\\|^easy/d' /etc/passwd\n";
    project.dockerfile(&format!("FROM DEBIAN\n{steps}{mended}USER 1000\nCMD [\"true\"]\n"));
    let mut told = project.build(&[]).run().succeeds();
    let gone = ["device-node", "shell-history", "duplicate-id", "setgid-directory"];
    for rule in gone.into_iter().chain(["package-cache", "build-tools", "empty-password"]) {
        told = told.never_says(&format!("({rule}"));
    }
    // The history of a repository stays in its layer.
    told.says("(git-directory");
    let user = project.filled("FROM DEBIAN\nRUN echo NAME\nUSER nobody-knows\nCMD [\"true\"]\n");
    project.dockerfile(&user);
    project.build(&[]).run().succeeds().says("unknown-user");
    project.write("run", "#!/bin/sh\n");
    project.dockerfile(
        "FROM DEBIAN\nCOPY --chown=1000:1000 run /app/run\nRUN chmod 755 /app/run\n\
         USER 1000\nENTRYPOINT [\"/app/run\"]\n",
    );
    project.build(&[]).run().succeeds().says("/app/run").says("(writable-entrypoint)");
}

fn an_ordinary_image_is_silent(engine: &'static Engine) {
    let project = Project::empty(engine);
    project.write("main.py", "print('hello')\n");
    for base in ["DEBIAN", "BUSYBOX"] {
        project.dockerfile(&format!(
            "FROM {base}\nRUN echo 'app:x:1000:1000::/:/bin/sh' >>/etc/passwd && mkdir /app\n\
             WORKDIR /app\nCOPY main.py .\nRUN echo NAME >made && chown -R 1000:1000 made\n\
             USER 1000\nCMD [\"/bin/true\"]\n"
        ));
        let mut told = project.build(&[]).run().succeeds().never_says("image: ");
        for about in every_about().iter().filter(|about| about.places.contains(&Place::Image)) {
            told = told.never_says(&format!("({}", about.id));
        }
    }
}

/// Made up; in parts, so that nothing takes it for somebody's.
fn netrc() -> String {
    format!("machine example.com login me password {}\n", "Zx81QpLm44")
}

fn a_secret_that_nobody_named_is_refused_by_its_line(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nWORKDIR /app\nCOPY rc .netrc\nRUN echo NAME && rm .netrc\nUSER 1000\n",
    );
    project.write("rc", netrc());
    let image = project.tag("1");
    let refused = project.build(&["-t", &image]).run().explains(3);
    refused
        .says("error[unknown-secret]")
        .says("a .netrc with a password is in a layer, though a later one deletes it: /app/.netrc")
        .says("Dockerfile:3:")
        .never_says("Zx81QpLm44");
    assert_eq!(engine.id(&image), None);
    project.write(
        "cofferdam.toml",
        "[[exception]]\nrule = \"unknown-secret\"\npath = \"Dockerfile\"\nreason = \"tested\"\n",
    );
    let image = project.built(&[]);
    let record = project.provenance(&image);
    let used = &record["predicate"]["buildDefinition"]["internalParameters"]["exceptions"];
    assert_eq!(used[0]["rule"], "unknown-secret", "{used}");
    // The same name with nothing secret in it.
    project.write("cofferdam.toml", "");
    project.write("rc", "machine example.com login me password ${PASSWORD}\n");
    project.built(&[]);
}

fn a_project_decides_about_images_too(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nRUN echo NAME && mkdir -p /root && echo ls >/root/.ash_history\nUSER 1000\n",
    );
    project.write("cofferdam.toml", "[rules]\nshell-history = \"deny\"\n");
    let image = project.tag("1");
    let refused = project.build(&["-t", &image]).run().explains(3);
    refused.says("error[shell-history]").says("Dockerfile:2:").says("/root/.ash_history");
    assert_eq!(engine.id(&image), None);
    project.write("cofferdam.toml", "[rules]\nshell-history = \"allow\"\n");
    project.build(&[]).run().succeeds().never_says("shell-history");
}
