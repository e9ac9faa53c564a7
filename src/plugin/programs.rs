//! Finding the programs that belong to Docker.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where the Docker CLI looks for plugins of the system; source: docker/cli,
/// cli-plugins/manager/manager_unix.go.
const SYSTEM: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];
/// In Docker's configuration directory.
pub(super) const PLUGINS: &str = "cli-plugins";

/// The plugin `docker-NAME`, in the order in which the Docker CLI looks; never this program.
pub(super) fn plugin(name: &str, config_dir: &Path) -> Option<PathBuf> {
    let extra = extra_directories(&config_dir.join("config.json"));
    let directories = extra.into_iter().chain([config_dir.join(PLUGINS)]);
    let directories = directories.chain(SYSTEM.map(PathBuf::from));
    let candidates = directories.map(|directory| directory.join(format!("docker-{name}")));
    candidates.into_iter().find(|path| is_program(path) && !is_ours(path))
}

/// `cliPluginsExtraDirs`; what cannot be read names none, as the CLI itself will complain.
fn extra_directories(config: &Path) -> Vec<PathBuf> {
    let text = std::fs::read(config).unwrap_or_default();
    let config: Value = serde_json::from_slice(&text).unwrap_or_default();
    let list = config.get("cliPluginsExtraDirs").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(PathBuf::from).collect()
}

/// The next `docker` of a search path that is neither this program nor one that was tried.
pub(super) fn docker(search: &OsStr, tried: &[PathBuf]) -> Option<PathBuf> {
    let directories = std::env::split_paths(search).filter(|directory| directory.is_absolute());
    let tried = |path: &Path| path.canonicalize().is_ok_and(|whole| tried.contains(&whole));
    directories
        .map(|directory| directory.join("docker"))
        .find(|path| is_program(path) && !is_ours(path) && !tried(path))
}

/// Whether there is a file that may be run.
pub(super) fn is_program(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Whether a path leads to this program or to a copy of it.
pub(super) fn is_ours(path: &Path) -> bool {
    let Ok(this) = std::env::current_exe() else { return false };
    if path.canonicalize().is_ok_and(|whole| whole == this) {
        return true;
    }
    let size = |path: &Path| std::fs::metadata(path).map(|found| found.len()).ok();
    size(path).is_some()
        && size(path) == size(&this)
        && matches!((std::fs::read(path), std::fs::read(&this)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn the_next_docker_is_not_this_program() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in ["link", "copy", "plain", "dir/docker", "real", "later"] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        let this = std::env::current_exe().unwrap();
        std::os::unix::fs::symlink(&this, path("link/docker")).unwrap();
        std::fs::hard_link(&this, path("copy/docker"))
            .or_else(|_| std::fs::copy(&this, path("copy/docker")).map(drop))
            .unwrap();
        std::fs::write(path("plain/docker"), "not to be run").unwrap();
        program(&path("real/docker"));
        program(&path("later/docker"));
        let names = ["link", "copy", "plain", "dir", "missing", "real", "later"];
        let search = std::env::join_paths(names.map(path)).unwrap();
        assert_eq!(docker(&search, &[]), Some(path("real/docker")));
        let tried = [path("real/docker").canonicalize().unwrap()];
        assert_eq!(docker(&search, &tried), Some(path("later/docker")));
        assert_eq!(docker(OsStr::new("relative:"), &[]), None);
    }

    #[test]
    fn plugins_are_found_where_the_cli_looks() {
        let dir = tempfile::tempdir().unwrap();
        let extra = dir.path().join("extra");
        let config = format!("{{\"cliPluginsExtraDirs\": [{extra:?}]}}");
        std::fs::write(dir.path().join("config.json"), config).unwrap();
        let own = dir.path().join("cli-plugins/docker-zzbuildx");
        assert_eq!(plugin("zzbuildx", dir.path()), None);
        program(&own);
        assert_eq!(plugin("zzbuildx", dir.path()), Some(own));
        program(&extra.join("docker-zzbuildx"));
        assert_eq!(plugin("zzbuildx", dir.path()), Some(extra.join("docker-zzbuildx")));
    }
}
