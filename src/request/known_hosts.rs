//! The host keys that this user trusts, for repositories that the engine fetches over ssh.
//!
//! BuildKit's own client hands over whatever key the host shows at that moment; here it is the key
//! that `ssh` would insist on. Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_frontend::remote::GitContext;
use ring::hmac;

/// What ssh takes when an address names no port.
const SSH_PORT: u16 = 22;
/// Files of the user, below the home directory.
const OF_USER: [&str; 2] = [".ssh/known_hosts", ".ssh/known_hosts2"];
/// Files of the machine.
const OF_MACHINE: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
/// What a hashed name begins with: its form, then salt and hash.
const HASHED: &str = "|1|";
/// Keys that must not be accepted.
const REVOKED: &str = "@revoked";

/// The files of the user and of the machine.
pub(super) fn files(home: Option<&Path>) -> Vec<PathBuf> {
    let of_user = home.into_iter().flat_map(|home| OF_USER.map(|file| home.join(file)));
    of_user.chain(OF_MACHINE.map(PathBuf::from)).collect()
}

/// Adds the keys of the repository's host; without one, what there is to say about that.
pub(super) fn add(git: &mut GitContext, files: &[PathBuf]) -> Option<String> {
    if !git.is_ssh() {
        return None;
    }
    let (host, port) = git.host();
    let names = names(&host, port);
    let texts = files.iter().filter_map(|file| std::fs::read(file).ok());
    let texts: Vec<String> =
        texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    let lines: Vec<&str> =
        texts.iter().flat_map(|text| text.lines()).filter(|line| concerns(line, &names)).collect();
    if lines.is_empty() {
        return Some(format!(
            "no known_hosts file has a key of {host}: whatever key it shows is accepted"
        ));
    }
    git.known_hosts = Some(lines.iter().map(|line| format!("{line}\n")).collect());
    None
}

/// The names under which ssh looks for a host.
fn names(host: &str, port: Option<u16>) -> Vec<String> {
    let host = host.to_lowercase();
    match port.filter(|port| *port != SSH_PORT) {
        Some(port) => vec![format!("[{host}]:{port}"), host],
        None => vec![host],
    }
}

/// Whether a line says something of one of the names.
fn concerns(line: &str, names: &[String]) -> bool {
    let mut words = line.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let hosts = match first {
        "" => return false,
        comment if comment.starts_with('#') => return false,
        REVOKED | "@cert-authority" => words.next().unwrap_or_default(),
        marker if marker.starts_with('@') => return false,
        hosts => hosts,
    };
    names.iter().any(|name| is_meant(hosts, name))
}

fn is_meant(hosts: &str, name: &str) -> bool {
    if let Some(hashed) = hosts.strip_prefix(HASHED) {
        return is_hash_of(hashed, name).unwrap_or(false);
    }
    let mut meant = false;
    for pattern in hosts.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(&pattern.to_lowercase(), name) => return false,
            Some(_) => {}
            None => meant |= matches(&pattern.to_lowercase(), name),
        }
    }
    meant
}

/// Compares a name with `salt|hash`, both in base64.
fn is_hash_of(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &STANDARD.decode(salt).ok()?);
    Some(hmac::sign(&key, name.as_bytes()).as_ref() == STANDARD.decode(hash).ok()?.as_slice())
}

/// `*` stands for any text, `?` for one character.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // Where the last star stands, and how much of the name it has taken.
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(c) if *c == '?' || name.get(read) == Some(c) => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    read = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `ssh-keygen -H` writes it.
    fn hashed(name: &str) -> String {
        let salt = [7; 20];
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
        let hash = hmac::sign(&key, name.as_bytes());
        format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash))
    }

    fn given(address: &str, text: &str) -> (Option<String>, Option<String>) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("known_hosts");
        std::fs::write(&file, text).unwrap();
        let mut git = GitContext::parse(address).unwrap().unwrap();
        let said = add(&mut git, &[dir.path().join("missing"), file]);
        (git.known_hosts, said)
    }

    #[test]
    fn the_keys_of_the_host_are_handed_over_and_no_others() {
        let text = format!(
            "# comment\nother ssh-rsa A\nh.example,10.0.0.1 ssh-ed25519 B\n\n{} ssh-rsa C\n\
             {} ssh-rsa D\n*.example,!h.example ssh-rsa E\n@revoked *.example ssh-rsa F\n\
             @unknown h.example ssh-rsa G\n|1|x|y ssh-rsa H\n",
            hashed("h.example"),
            hashed("other"),
        );
        let (keys, said) = given("git@H.Example:a/b.git", &text);
        let keys = keys.unwrap();
        let ends: Vec<&str> = keys.lines().filter_map(|line| line.split(' ').next_back()).collect();
        assert_eq!((ends, said), (vec!["B", "C", "F"], None));
    }

    #[test]
    fn another_port_has_keys_of_its_own() {
        let text = "[h]:2222 ssh-rsa A\n[h]:22 ssh-rsa B\nh ssh-rsa C\n";
        let (keys, _) = given("ssh://git@h:2222/r.git", text);
        assert_eq!(keys.unwrap(), "[h]:2222 ssh-rsa A\nh ssh-rsa C\n");
        let (keys, _) = given("ssh://git@h:22/r.git", text);
        assert_eq!(keys.unwrap(), "h ssh-rsa C\n");
    }

    #[test]
    fn a_host_that_nobody_knows_is_told() {
        let (keys, said) = given("git@h:a", "other ssh-rsa A\n");
        assert!(keys.is_none() && said.unwrap().contains("no known_hosts file has a key of h"));
        assert_eq!(given("https://h/a.git", "h ssh-rsa A\n"), (None, None));
    }

    #[test]
    fn patterns_are_those_of_ssh() {
        for (pattern, name, expected) in [
            ("*", "h", true),
            ("h?", "ha", true),
            ("h?", "h", false),
            ("*.a.*", "x.a.b", true),
            ("*a", "aab", false),
            ("", "h", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read_or_not(line: String) {
            concerns(&line, &["h".to_string()]);
        }
    }
}
