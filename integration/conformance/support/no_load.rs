//! A way to an engine on which images do not arrive.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What becomes of an image on its way.
#[derive(Clone, Copy)]
pub enum Fate {
    /// The engine says so, in its answer's stream.
    Refused(&'static str),
    /// The connection breaks when some of it was sent.
    Cut,
    /// Nobody reads on when some of it was sent.
    Stuck,
}

pub struct NoLoad {
    socket: PathBuf,
    begun: Arc<AtomicUsize>,
}

impl NoLoad {
    /// Listens at `socket`; everything but images goes through to `engine`.
    pub fn start(socket: &Path, engine: &Path, fate: Fate) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let begun = Arc::new(AtomicUsize::new(0));
        let (counter, engine) = (begun.clone(), engine.to_path_buf());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = UnixStream::connect(&engine) else { continue };
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let counter = counter.clone();
                thread::spawn(move || carry(client, server, Some((fate, &counter))));
                thread::spawn(move || carry(back.0, back.1, None));
            }
        });
        Self { socket: socket.to_path_buf(), begun }
    }

    /// `DOCKER_HOST` for this way to the engine.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// How many images were on their way.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

/// A request's head comes in one piece.
fn carry(mut from: UnixStream, mut to: UnixStream, fate: Option<(Fate, &AtomicUsize)>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let head = String::from_utf8_lossy(&buffer[..read.min(200)]).into_owned();
        let image = head.starts_with("POST ") && head.contains("/images/load");
        if let Some((fate, begun)) = fate.filter(|_| image) {
            begun.fetch_add(1, Ordering::SeqCst);
            meet(fate, &mut from);
            break;
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn meet(fate: Fate, client: &mut UnixStream) {
    match fate {
        Fate::Refused(words) => {
            let body = format!(
                "{{\"errorDetail\":{{\"message\":\"{words}\"}},\"error\":\"{words}\"}}\r\n"
            );
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked";
            let answer = format!("{head}\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
            let _ = client.write_all(answer.as_bytes());
            let _ = std::io::copy(client, &mut std::io::sink());
        }
        Fate::Cut => {
            let mut some = [0; 512];
            let _ = client.read_exact(&mut some);
            let _ = client.shutdown(Shutdown::Both);
        }
        Fate::Stuck => thread::sleep(std::time::Duration::from_secs(600)),
    }
}
