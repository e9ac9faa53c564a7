//! Where secrets are public: made up for tests and documentation, or part of a package.

/// Directories of tests, documentation and examples.
const DIRECTORIES: [&str; 26] = [
    "test",
    "tests",
    "testing",
    "testdata",
    "test-data",
    "test_data",
    "testsuite",
    "__tests__",
    "__mocks__",
    "mocks",
    "fixture",
    "fixtures",
    "spec",
    "specs",
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "doc",
    "docs",
    "documentation",
    "benchmark",
    "benchmarks",
    "idle_test",
];

/// Directories whose files came with a package, the same for everybody.
const PACKAGES: [&str; 10] = [
    "site-packages",
    "dist-packages",
    "node_modules",
    "gems",
    "registry/src",
    "pkg/mod",
    ".m2/repository",
    "vendor/bundle",
    "bower_components",
    "jvm",
];

/// Directories of distributions' packages, and of what their managers know about them.
const DISTRIBUTION: [&str; 10] = [
    "usr/lib/",
    "usr/lib64/",
    "usr/libexec/",
    "usr/share/",
    "usr/include/",
    "lib/",
    "nix/store/",
    "var/lib/apt/lists/",
    "var/lib/dpkg/",
    "var/cache/apt/",
];

/// Archives of packages, whose members are the same for everybody.
const ARCHIVES: [&str; 9] =
    [".jar", ".war", ".whl", ".egg", ".gem", ".crate", ".deb", ".a", ".nupkg"];

/// Whether a file is public by its path: one of a test, of documentation, or of a package.
///
/// Private keys and tokens in those are the same in every installation. For a member of an archive,
/// ask with each of the names on the way to it.
pub fn is_public_path(path: &str) -> bool {
    let lower = path.trim_start_matches(['.', '/']).to_ascii_lowercase();
    let mut parts = lower.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let named = name.contains("snakeoil")
        || name.starts_with("test_")
        || name.starts_with("test-")
        || name.starts_with("readme")
        || ["_test.", ".test.", "_spec.", ".spec.", "_tests.", "keycert"]
            .iter()
            .any(|part| name.contains(part));
    let within = |directory: &str| {
        lower.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
            || lower.contains(&format!("/{directory}/"))
    };
    named
        || parts.any(|part| DIRECTORIES.contains(&part))
        || PACKAGES.iter().any(|directory| within(directory))
        || DISTRIBUTION.iter().any(|directory| lower.starts_with(directory))
        || ARCHIVES.iter().any(|end| name.ends_with(end))
}
