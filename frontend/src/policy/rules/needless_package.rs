//! Packages that help whoever broke in, and nobody else.

use crate::policy::commands::{lasting_installs, package_name};
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct NeedlessPackage;

static ABOUT: About = About {
    id: "needless-package",
    title: "a server, scanner or debugger in the image",
    severity: Severity::Medium,
    also: &["CIS-DI-0003"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/needless-package.md"),
};

impl Rule for NeedlessPackage {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for (run, call) in lasting_installs(view) {
            for word in call.packages() {
                let Some(name) = word.literal().map(package_name) else { continue };
                let Some(what) = what(name) else { continue };
                let span = run.body.span(word.span.clone());
                found
                    .report(&ABOUT, span, format!("{name} in the image: {what}"))
                    .help("leave it out; `docker exec` and debug containers bring their own tools");
            }
        }
    }
}

/// What a package is for, where an image has no use for it.
fn what(package: &str) -> Option<&'static str> {
    Some(match package {
        "openssh-server" | "dropbear" | "telnetd" | "telnet-server" | "inetutils-telnetd"
        | "rsh-server" | "vsftpd" | "tftpd" | "tftpd-hpa" | "xinetd" => "a way in",
        "telnet" | "inetutils-telnet" | "rsh-client" | "rsh" => {
            "a client that sends passwords in clear"
        }
        "gdb" | "gdbserver" | "strace" | "ltrace" | "valgrind" | "perf" | "lldb" => "a debugger",
        "nmap" | "ncat" | "nmap-ncat" | "netcat" | "netcat-openbsd" | "netcat-traditional"
        | "tcpdump" | "tshark" | "wireshark" | "hping3" | "masscan" => {
            "a tool to look around in the network"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn what_nobody_needs() {
        fires(
            &NeedlessPackage,
            &[
                "apt-get install -y openssh-server",
                "apt-get install -y curl gdb=13.1-3",
                "apk add --no-cache strace",
                "yum install -y telnet",
            ],
        );
        silent(
            &NeedlessPackage,
            &[
                "apt-get install -y openssh-client gdbm curl",
                "apt-get install -y strace && make check && apt-get purge -y strace",
                "FROM a AS b\nRUN apk add gdb\nFROM scratch\nCOPY --from=b /x /x\n",
                "echo gdb && apt-get remove -y telnet",
            ],
        );
    }
}
