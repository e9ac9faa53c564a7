//! The socket by which the Docker CLI tells a plugin to stop.
//!
//! The CLI listens and never writes; when it is interrupted, or gone, the connection ends. Source:
//! docker/cli, cli-plugins/socket/socket.go.

use std::io::Read as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};

use rustix::process::{Signal, getpid, kill_process};

/// Variable that names it.
pub(super) const VARIABLE: &str = "DOCKER_CLI_PLUGIN_SOCKET";

/// From now on the end of the connection is an interrupt from the keyboard; without a socket nothing
/// happens, as with older CLIs.
pub(super) fn watch(address: &str) {
    let Ok(mut stream) = connect(address) else { return };
    // Whatever fails here leaves the CLI's other way, signals.
    let _ = std::thread::Builder::new().name("plugin-socket".into()).spawn(move || {
        let mut byte = [0];
        loop {
            match stream.read(&mut byte) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
        let _ = kill_process(getpid(), Signal::INT);
    });
}

/// Go writes an abstract name with `@` in front.
fn connect(address: &str) -> std::io::Result<UnixStream> {
    match address.strip_prefix('@') {
        Some(name) => UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?),
        None => UnixStream::connect(address),
    }
}
