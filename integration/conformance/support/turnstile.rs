//! A way to the registry that treats cofferdam's own requests apart from the engine's.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of cofferdam's requests; each comes on a connection of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They go through.
    Open,
    /// None is answered.
    Closed,
    /// A name that is to be given is not, and the connection breaks.
    Lost,
    /// The registry keeps its names as they are, and says so.
    Denied,
}

pub struct Turnstile {
    /// `127.0.0.1:PORT`.
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Turnstile {
    /// Opens a way to `registry`.
    pub fn start(registry: &str, fate: Fate) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, registry) = (asked.clone(), registry.to_string());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (log, registry) = (log.clone(), registry.clone());
                thread::spawn(move || serve(client, &registry, fate, &log));
            }
        });
        Self { address, asked }
    }

    /// First lines of cofferdam's requests.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut client: TcpStream, registry: &str, fate: Fate, log: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(client.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
        // Engines try TLS first, and this answer makes them try without.
        if head == [0x16] {
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
            return;
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    if text.to_ascii_lowercase().contains("user-agent: cofferdam/") {
        let line = text.lines().next().unwrap_or_default().to_string();
        let names = line.starts_with("PUT ");
        log.lock().unwrap().push(line);
        match fate {
            Fate::Closed => return,
            Fate::Lost if names => return,
            Fate::Denied if names => {
                let body = r#"{"errors":[{"code":"DENIED","message":"names are final here"}]}"#;
                let head = "HTTP/1.1 403 Forbidden\r\nConnection: close";
                let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                let _ = client.write_all(answer.as_bytes());
                let _ = std::io::copy(&mut client, &mut std::io::sink());
                return;
            }
            _ => {}
        }
    }
    let Ok(mut server) = TcpStream::connect(registry) else { return };
    if server.write_all(&head).is_err() {
        return;
    }
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let _ = std::io::copy(&mut client, &mut server);
    let _ = server.shutdown(Shutdown::Write);
}
