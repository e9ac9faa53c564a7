//! EXPOSE of what is no port, and of ssh.

use crate::dockerfile::Keyword;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct BadExpose;

static ABOUT: About = About {
    id: "bad-expose",
    title: "EXPOSE of no port, or of ssh",
    severity: Severity::Low,
    also: &["DL3011", "ExposeInvalidFormat", "DS-0004", "CKV_DOCKER_1"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/bad-expose.md"),
};

impl Rule for BadExpose {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for node in view.all(Keyword::Expose) {
            for word in node.instruction.words() {
                let Some(text) = view.expand(node, word) else { continue };
                for port in text.split_whitespace() {
                    match verdict(port) {
                        Verdict::Good => {}
                        Verdict::Ssh => {
                            found
                                .report(&ABOUT, word.span, "port 22 is for ssh")
                                .severity(Severity::Medium)
                                .help("docker exec needs no server in the image");
                        }
                        Verdict::Bad(why) => {
                            found
                                .report(&ABOUT, word.span, format!("{port:?} {why}"))
                                .help("write a number from 1 to 65535, as 8080 or 53/udp");
                        }
                    }
                }
            }
        }
    }
}

enum Verdict {
    Good,
    Ssh,
    Bad(&'static str),
}

/// Judges `80`, `80/tcp`, `8000-8010/udp`.
fn verdict(port: &str) -> Verdict {
    let (range, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok().filter(|port| *port > 0))
    };
    match (number(first), number(last)) {
        _ if range.contains(':') => Verdict::Bad("maps a port, which only docker run can do"),
        (None, _) | (_, None) => Verdict::Bad("is no port"),
        (Some(None), _) | (_, Some(None)) => Verdict::Bad("is beyond the ports that exist"),
        (Some(first), Some(last)) if first > last => Verdict::Bad("ends before it begins"),
        _ if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") => {
            Verdict::Bad("names a protocol that is not tcp, udp or sctp")
        }
        (first, last) if first == last && first == Some(Some(22)) && protocol == "tcp" => {
            Verdict::Ssh
        }
        _ => Verdict::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{findings, places, silent};

    #[test]
    fn no_ports() {
        let source = "FROM a:1\nEXPOSE 80 70000 http 127.0.0.1:80:80 90-80 53/dns 0 -1 80/\n";
        let expected = ["70000", "http", "127.0.0.1:80:80", "90-80", "53/dns", "0", "-1", "80/"];
        assert_eq!(places(&BadExpose, source), expected);
    }

    #[test]
    fn ssh_weighs_more() {
        let found = findings(&BadExpose, "FROM a:1\nENV P=22\nEXPOSE $P\n");
        assert_eq!(found[0].severity, Severity::Medium);
    }

    #[test]
    fn ports() {
        silent(
            &BadExpose,
            &[
                "FROM a:1\nEXPOSE 80 443/tcp 53/UDP 8000-8010 1 65535 2222 22/udp 132/sctp\n",
                "FROM a:1\nEXPOSE $PORT ${PORT}/udp\n",
                "FROM a:1\nENV PORTS=\"80 443\"\nEXPOSE $PORTS\n",
            ],
        );
    }
}
