//! Ordinary projects that use their secrets properly: no finding, and they got what they fetched.
//!
//! pip, git, curl, apt and ssh are the real ones; of clients that are too large for a test's base
//! (npm, Maven, Composer, RubyGems, Go, Cargo, Docker) a few lines read the file that they read, and
//! ask as they ask.

use crate::support::{Engine, Project, tests, tools, unique};

tests![secrets_that_are_used_properly_are_found_nowhere];

/// What is fetched: the kind of server, the secret's file as it is mounted, and what the step does.
struct Use {
    name: &'static str,
    server: &'static str,
    /// The secret; `TOKEN` and `BASIC` stand for the token and for it with its user.
    file: &'static str,
    target: &'static str,
    script: &'static str,
}

const fn one(
    name: &'static str,
    server: &'static str,
    (target, file): (&'static str, &'static str),
    script: &'static str,
) -> Use {
    Use { name, server, file, target, script }
}

const NETRC: &str = "machine 127.0.0.1\nlogin me\npassword TOKEN\n";
const PLAIN: (&str, &str) = ("/run/secrets/plain", "TOKEN\n");

const USES: &[Use] = &[
    one(
        "pip-url",
        "pip",
        PLAIN,
        "PIP_INDEX_URL=http://me:$(cat /run/secrets/plain)@127.0.0.1:8000/simple pip install --break-system-packages labpkg",
    ),
    one(
        "pip-conf",
        "pip",
        (
            "/etc/pip.conf",
            "[global]\nindex-url = http://me:TOKEN@127.0.0.1:8000/simple\nbreak-system-packages = true\n",
        ),
        "pip install --target /srv/pip labpkg && pip config list | sed 's,//.*@,//,'",
    ),
    one(
        "pip-netrc",
        "pip",
        ("/root/.netrc", NETRC),
        "pip download -i $url/simple labpkg && pip install --target /srv/netrc -i $url/simple labpkg",
    ),
    one(
        "git-netrc",
        "git",
        ("/root/.netrc", NETRC),
        "git clone -q $url/repo.git by-netrc && cat by-netrc/README",
    ),
    one(
        "git-helper",
        "git",
        PLAIN,
        "git -c credential.helper='!f() { echo username=me; echo password=$(cat /run/secrets/plain); }; f' clone -q $url/repo.git by-helper && git -C by-helper gc -q",
    ),
    one(
        "git-header",
        "git",
        PLAIN,
        "git -c http.extraHeader=\"Authorization: Basic $(printf 'me:%s' $(cat /run/secrets/plain) | base64 -w0)\" clone -q $url/repo.git by-header",
    ),
    one(
        "git-store",
        "git",
        ("/root/.git-credentials", "http://me:TOKEN@127.0.0.1%3a8000\n"),
        "git -c credential.helper=store clone -q $url/repo.git by-store && cat by-store/.git/config",
    ),
    one(
        "git-config",
        "git",
        (
            "/root/.gitconfig",
            "[url \"http://me:TOKEN@127.0.0.1:8000/\"]\n\tinsteadOf = https://example.org/\n",
        ),
        "git clone -q https://example.org/repo.git by-rewriting && git -C by-rewriting log --format=%s",
    ),
    one(
        "curl-header",
        "curl",
        ("/run/header", "Authorization: Bearer TOKEN\n"),
        "curl -fsS -H @/run/header -O $url/file.tgz",
    ),
    one(
        "curl-netrc",
        "curl",
        ("/root/.netrc", NETRC),
        "curl -fsS --netrc -o by-netrc.tgz $url/file.tgz",
    ),
    one(
        "curl-config",
        "curl",
        ("/root/.curlrc", "user = \"me:TOKEN\"\n"),
        "curl -fsSv -o by-config.tgz $url/file.tgz 2>/dev/null",
    ),
    one(
        "curl-gitlab",
        "curl",
        PLAIN,
        "curl -fsS -H \"PRIVATE-TOKEN: $(cat /run/secrets/plain)\" -o by-token.tgz $url/file.tgz",
    ),
    one(
        "apt",
        "apt",
        (
            "/etc/apt/auth.conf.d/lab.conf",
            "machine http://127.0.0.1:8000 login me password TOKEN\n",
        ),
        "echo 'deb [trusted=yes] http://127.0.0.1:8000 ./' >/tmp/list && \
         o='-o Dir::Etc::SourceList=/tmp/list -o Dir::Etc::SourceParts=/tmp/none -o APT::Sandbox::User=root' && mkdir /tmp/none && \
         apt-get $o update && apt-get $o install -y lab && cat /opt/lab",
    ),
    one(
        "npm",
        "npm",
        ("/root/.npmrc", "registry=http://127.0.0.1:8000/\n//127.0.0.1:8000/:_authToken=TOKEN\n"),
        "curl -fsS -H \"Authorization: Bearer $(sed -n 's/.*_authToken=//p' /root/.npmrc)\" -o labpkg.json $url/labpkg && \
         printf '{\"packages\":{\"labpkg\":{\"resolved\":\"%s/labpkg\"}}}' $url >package-lock.json",
    ),
    one(
        "maven",
        "maven",
        (
            "/root/.m2/settings.xml",
            "<settings>\n<servers>\n<server>\n<id>lab</id>\n<username>me</username>\n<password>TOKEN</password>\n</server>\n</servers>\n</settings>\n",
        ),
        "mkdir -p /root/.m2/repository && curl -fsS -u \"me:$(sed -n 's,.*<password>\\(.*\\)</password>,\\1,p' /root/.m2/settings.xml)\" -o /root/.m2/repository/lab.jar $url/file.tgz",
    ),
    one(
        "composer",
        "composer",
        (
            "/root/.composer/auth.json",
            "{\"http-basic\": {\"127.0.0.1\": {\"username\": \"me\", \"password\": \"TOKEN\"}}}\n",
        ),
        "curl -fsS -u \"me:$(python3 -c 'import json; print(json.load(open(\"/root/.composer/auth.json\"))[\"http-basic\"][\"127.0.0.1\"][\"password\"])')\" -o vendor.zip $url/file.tgz",
    ),
    one(
        "gem",
        "gem",
        ("/root/.gem/credentials", "---\n:rubygems_api_key: Bearer TOKEN\n"),
        "curl -fsS -H \"Authorization: $(sed -n 's/^:rubygems_api_key: //p' /root/.gem/credentials)\" -o lab.gem $url/file.tgz",
    ),
    one(
        "go",
        "go",
        ("/root/.netrc", NETRC),
        "GOPROXY=$url curl -fsS --netrc -o mod.zip $url/file.tgz && printf 'lab v1 h1:x\\n' >go.sum",
    ),
    one(
        "cargo",
        "cargo",
        ("/root/.cargo/credentials.toml", "[registries.lab]\ntoken = \"Bearer TOKEN\"\n"),
        "curl -fsS -H \"Authorization: $(sed -n 's/^token = \"\\(.*\\)\"/\\1/p' /root/.cargo/credentials.toml)\" -o lab.crate $url/file.tgz",
    ),
    one(
        "docker",
        "docker",
        ("/root/.docker/config.json", "{\"auths\":{\"127.0.0.1:8000\":{\"auth\":\"BASIC\"}}}\n"),
        "curl -fsS -H \"Authorization: Basic $(sed 's/.*\"auth\":\"//; s/\".*//' /root/.docker/config.json)\" -o layer.tgz $url/file.tgz",
    ),
    one(
        "environment",
        "curl",
        ("/run/env", "API_KEY=TOKEN\nAPI_URL=http://127.0.0.1:8000\n"),
        ". /run/env && export API_KEY && curl -fsS -H \"Authorization: token $API_KEY\" -o by-env.tgz $API_URL/file.tgz",
    ),
    one(
        "ssh",
        "ssh",
        PLAIN,
        "ssh-add -l && mkdir -p -m 700 /root/.ssh && ssh-add -L >/root/.ssh/authorized_keys && sed 's/^/github.com /' /root/.ssh/authorized_keys >/root/.ssh/known_hosts",
    ),
];

fn secrets_that_are_used_properly_are_found_nowhere(engine: &'static Engine) {
    use base64::Engine as _;
    let project = Project::empty(engine);
    project.write("lab/serve.py", include_str!("ordinary/serve.py"));
    project.write("lab/run", include_str!("ordinary/run"));
    let token = format!("t0k-{}/Q+{}", unique(), unique());
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("me:{token}"));
    let specs = project.beside("state");
    let mut args = Vec::new();
    let mut secret = |name: &str, content: &str| {
        let path = specs.join(name);
        std::fs::write(&path, content).unwrap();
        args.push(format!("--secret=id={name},src={}", path.display()));
    };
    secret("token", &token);
    let mut text = format!("FROM {}\nLABEL who=NAME\n", tools::tools());
    for Use { name, server, file, target, script } in USES {
        // In a URL, a password is escaped.
        let escaped = token.replace('/', "%2F").replace('+', "%2B");
        let is_url = file.contains("me:TOKEN@") || *name == "pip-url";
        let file = file.replace("TOKEN", if is_url { &escaped } else { &token });
        secret(name, &file.replace("BASIC", &basic));
        project.write(&format!("lab/{name}"), script);
        text += &format!(
            "RUN --mount=type=bind,source=lab,target=/lab --mount=type=tmpfs,target=/tmp \\\n    \
             --mount=type=ssh --mount=type=secret,id=token \\\n    \
             --mount=type=secret,id={name},target={target} sh /lab/run {server} {name}\n"
        );
    }
    project.dockerfile(&text);
    let key = project.beside("key");
    let made = engine.run(&[
        &tools::tools(),
        "sh",
        "-c",
        "ssh-keygen -q -t rsa -b 2048 -N '' -f /tmp/k && cat /tmp/k",
    ]);
    std::fs::write(&key, made + "\n").unwrap();
    args.push(format!("--ssh=default={}", key.display()));
    let image = project.tag("1");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let built = project.build(&[&["-t", &image], &args[..]].concat()).run().succeeds();
    let built = built.never_says(&token).never_says(&basic);
    assert!(built.stderr.contains("absent from"), "{}", built.told());
    let got = engine.root_sh(
        &image,
        "cat /opt/lab; for d in netrc helper header store rewriting; do cat /srv/by-$d/README; done; \
         ls /srv/*.tgz /srv/*.zip /srv/*.gem /srv/*.crate /root/.m2/repository | wc -l",
    );
    assert_eq!(got, format!("{}13", "ours\n".repeat(6)));
}
