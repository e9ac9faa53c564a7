//! A socket between cofferdam and an engine, which can be cut like a cable.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Both ends of every connection.
type Connections = Arc<Mutex<Option<Vec<UnixStream>>>>;

pub struct Proxy {
    socket: PathBuf,
    connections: Connections,
}

impl Proxy {
    /// Listens at `socket` for connections to `engine`.
    pub fn start(socket: &Path, engine: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let connections: Connections = Arc::new(Mutex::new(Some(Vec::new())));
        let (open, engine) = (connections.clone(), engine.to_path_buf());
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let mut open = open.lock().unwrap();
                let Some(open) = open.as_mut() else { return };
                let Ok(server) = UnixStream::connect(&engine) else { continue };
                for end in [&client, &server] {
                    open.push(end.try_clone().unwrap());
                }
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || carry(client, server));
                thread::spawn(move || carry(back.0, back.1));
            }
        });
        Self { socket: socket.to_path_buf(), connections }
    }

    /// `DOCKER_HOST` for this way to the engine.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Cuts every connection, and takes no more.
    pub fn cut(&self) {
        let _ = std::fs::remove_file(&self.socket);
        let open = self.connections.lock().unwrap_or_else(PoisonError::into_inner).take();
        for end in open.unwrap_or_default() {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

fn carry(mut from: UnixStream, mut to: UnixStream) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
