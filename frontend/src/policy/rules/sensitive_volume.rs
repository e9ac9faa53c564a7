//! Volumes and working directories where the system has its own.

use crate::dockerfile::{Args, Keyword, Word};
use crate::policy::{About, Findings, Node, Place, Rule, Severity, View};

pub struct SensitiveVolume;

static ABOUT: About = About {
    id: "sensitive-volume",
    title: "a volume or working directory over the system's own",
    severity: Severity::High,
    also: &["DKL-DI-0002", "DS-0030"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/sensitive-volume.md"),
};

/// Directories that belong to the system.
const SYSTEM: [&str; 13] = [
    "/", "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys",
    "/usr", "/var/run",
];
/// Sockets of engines: whoever writes to one is root on the host.
const SOCKETS: [&str; 5] = [
    "/run/containerd/containerd.sock",
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/var/run/containerd/containerd.sock",
    "/var/run/docker.sock",
];
/// What the kernel shows of itself.
const KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

impl Rule for SensitiveVolume {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut report = |node: Node<'_>, word: &Word, sensitive: fn(&str) -> bool, help: &str| {
            let Some(path) = view.expand(node, word) else { return };
            let path = normal(&path);
            if sensitive(&path) {
                let message = if SOCKETS.contains(&path.as_str()) {
                    format!("{path} hands the host's engine to the container")
                } else {
                    format!("{path} belongs to the system")
                };
                found.report(&ABOUT, word.span, message).help(help);
            }
        };
        for node in view.all(Keyword::Volume) {
            for word in node.instruction.words() {
                let sensitive = |path: &str| {
                    SYSTEM.contains(&path) || SOCKETS.contains(&path) || of_kernel(path)
                };
                report(node, word, sensitive, "give data a directory of its own, such as /data");
            }
        }
        for node in view.all(Keyword::Workdir) {
            if let Args::Text(word) = &node.instruction.args {
                let sensitive = |path: &str| KERNEL.contains(&path) || of_kernel(path);
                report(node, word, sensitive, "work in a directory of your own, such as /work");
            }
        }
    }
}

/// Whether a path lies in the kernel's own; systemd's images name the cgroups, which they need.
fn of_kernel(path: &str) -> bool {
    ["/proc/", "/sys/"].iter().any(|start| path.starts_with(start)) && path != "/sys/fs/cgroup"
}

/// A path without slashes that mean nothing.
fn normal(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let slash = if path.starts_with('/') { "/" } else { "" };
    format!("{slash}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{places, silent, speaks};

    #[test]
    fn the_systems_own() {
        let source = "FROM a:1\nVOLUME [\"/data\", \"/etc/\"]\nVOLUME / /proc/sys\n";
        assert_eq!(places(&SensitiveVolume, source), ["/etc/", "/", "/proc/sys"]);
        speaks(
            &SensitiveVolume,
            &[
                "FROM a:1\nVOLUME /var/run/docker.sock\n",
                "FROM a:1\nENV D=/dev\nVOLUME $D\n",
                "FROM a:1\nWORKDIR /proc\n",
                "FROM a:1\nWORKDIR /sys/kernel\n",
            ],
        );
    }

    #[test]
    fn data_and_work() {
        silent(
            &SensitiveVolume,
            &[
                "FROM a:1\nVOLUME /data /var/lib/docker /etc/app /tmp /run /var/log\n",
                "FROM a:1\nVOLUME [\"/sys/fs/cgroup\"]\n",
                "FROM a:1\nVOLUME $DATA\n",
                "FROM a:1\nVOLUME C:\\data\n",
                "FROM a:1\nWORKDIR /\n",
                "FROM a:1\nWORKDIR /etc\n",
                "FROM a:1\nWORKDIR /usr/src/app\n",
                "FROM a:1\nWORKDIR $HOME/dev\n",
                "FROM a:1\nWORKDIR dev\n",
            ],
        );
    }
}
