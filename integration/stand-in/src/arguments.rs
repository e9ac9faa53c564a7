//! What the program was called, and with what.

use std::path::PathBuf;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Listen.
    Serve {
        /// The engine's socket.
        engine: PathBuf,
        /// Where to listen.
        place: Place,
        /// A file to write the address to as soon as connections are taken; else stdout.
        ready: Option<PathBuf>,
    },
    /// `buildctl dial-stdio`: one connection on stdin and stdout.
    DialStdio,
    /// `buildctl debug workers`: succeeds when the engine answers.
    Workers,
    /// `buildkitd --version`.
    Version,
    /// `buildkitd`: keeps the container up.
    Idle,
}

/// Where a buildkitd would listen.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// On a unix socket.
    Unix(PathBuf),
    /// On a TCP address; port 0 is a free one.
    Tcp(String),
    /// On a TCP address with TLS, by `ca.pem`, `server.pem` and `server-key.pem` of a directory.
    /// Clients must show a certificate of that authority.
    Tls(String, PathBuf),
}

const USAGE: &str = "usage: stand-in --engine SOCKET (--unix PATH | --tcp ADDRESS [--tls DIR]) [--ready FILE]\n\
     or, in a builder's container: buildctl dial-stdio | buildctl debug workers | buildkitd";

/// Reads a command line, its first word included.
pub fn read(words: &[String]) -> Result<Command, String> {
    let mut words = words.iter().map(String::as_str);
    let name = words.next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    match (name, rest.as_slice()) {
        ("buildctl", ["dial-stdio"]) => Ok(Command::DialStdio),
        ("buildctl", ["debug", "workers"]) => Ok(Command::Workers),
        ("buildctl", _) => Err(USAGE.into()),
        ("buildkitd", ["--version"]) => Ok(Command::Version),
        // Whatever flags a builder was created with.
        ("buildkitd", _) => Ok(Command::Idle),
        (_, flags) => serve(flags),
    }
}

fn serve(flags: &[&str]) -> Result<Command, String> {
    let (mut engine, mut unix, mut tcp, mut tls, mut ready) = (None, None, None, None, None);
    for pair in flags.chunks(2) {
        let [flag, value] = pair else { return Err(USAGE.into()) };
        let field = match *flag {
            "--engine" => &mut engine,
            "--unix" => &mut unix,
            "--tcp" => &mut tcp,
            "--tls" => &mut tls,
            "--ready" => &mut ready,
            _ => return Err(USAGE.into()),
        };
        *field = Some((*value).to_string());
    }
    let place = match (unix, tcp, tls) {
        (Some(path), None, None) => Place::Unix(path.into()),
        (None, Some(address), None) => Place::Tcp(address),
        (None, Some(address), Some(directory)) => Place::Tls(address, directory.into()),
        _ => return Err(USAGE.into()),
    };
    let engine = engine.ok_or(USAGE)?.into();
    Ok(Command::Serve { engine, place, ready: ready.map(PathBuf::from) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<Command, String> {
        read(&line.split(' ').map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_what_it_is_called() {
        assert_eq!(read_line("buildctl dial-stdio"), Ok(Command::DialStdio));
        assert_eq!(read_line("/usr/bin/buildctl debug workers"), Ok(Command::Workers));
        assert_eq!(read_line("buildkitd --version"), Ok(Command::Version));
        assert_eq!(
            read_line("buildkitd --allow-insecure-entitlement network.host"),
            Ok(Command::Idle)
        );
        assert!(read_line("buildctl build").is_err());
    }

    #[test]
    fn a_place_is_needed_and_only_one() {
        let engine = PathBuf::from("/e");
        let expected = Command::Serve { engine, place: Place::Unix("/s".into()), ready: None };
        assert_eq!(read_line("stand-in --engine /e --unix /s"), Ok(expected));
        for wrong in
            ["", "--engine /e", "--unix /s", "--engine /e --unix /s --tls /d", "--engine /e --tcp"]
        {
            assert!(read_line(&format!("stand-in {wrong}")).is_err(), "{wrong}");
        }
    }
}
