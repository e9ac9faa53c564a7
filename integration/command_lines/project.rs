//! What the command lines find around them.

use std::path::Path;

/// A directory with everything that the command lines name.
pub struct Project {
    directory: tempfile::TempDir,
    /// Takes calls and answers none.
    _agent: std::os::unix::net::UnixListener,
}

const FILES: &[(&str, &str)] = &[
    ("Dockerfile", "FROM scratch\n"),
    ("Dockerfile.prod", "FROM scratch AS prod\n"),
    ("Dockerfile.prod.dockerignore", "*\n"),
    ("docker/app.Dockerfile", "FROM scratch AS app\n"),
    ("docker/Dockerfile", "FROM scratch AS docker\n"),
    ("services/api/Dockerfile", "FROM scratch AS api\n"),
    ("lower/dockerfile", "FROM scratch AS lower\n"),
    ("empty/.keep", ""),
    ("out/old", "old"),
    (".npmrc", "token"),
    ("token.txt", "secret"),
    ("empty.txt", ""),
    // An image without layers.
    (
        "layout/index.json",
        r#"{"manifests":[{"digest":"sha256:fa63dd892b4644048f332d2b489750699c3dc77556ffe62841eefda7923f8761","size":116,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}"#,
    ),
    (
        "layout/blobs/sha256/fa63dd892b4644048f332d2b489750699c3dc77556ffe62841eefda7923f8761",
        r#"{"config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#,
    ),
    ("layout/blobs/sha256/44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "{}"),
    ("policy.json", r#"{"rules":[{"action":"DENY","selector":{"identifier":"https://*"}}]}"#),
    ("a,b/Dockerfile", "FROM scratch\n"),
    ("with space/Dockerfile", "FROM scratch\n"),
    ("excepted/Dockerfile", "FROM scratch\n"),
    (
        "excepted/cofferdam.toml",
        "[[exception]]\nrule = \"host-network\"\npath = \"Dockerfile\"\nreason = \"a test\"\nexpires = 2999-01-01\n\
         [[exception]]\nrule = \"insecure-exec\"\npath = \"Dockerfile\"\nreason = \"a test\"\nexpires = 2999-01-01\n\
         [[exception]]\nrule = \"secret-in-arg\"\npath = \"Dockerfile\"\nreason = \"a test\"\nexpires = 2999-01-01\n\
         [[exception]]\nrule = \"policy-disabled\"\npath = \"Dockerfile\"\nreason = \"a test\"\nexpires = 2999-01-01\n",
    ),
    ("damaged/config.json", "{"),
];

impl Project {
    /// A new one.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in FILES {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::write(directory.path().join("large.txt"), vec![b'x'; 600 * 1024]).unwrap();
        let socket = directory.path().join("agent.sock");
        let agent = std::os::unix::net::UnixListener::bind(socket).unwrap();
        Self { directory, _agent: agent }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}
