//! The lab's registry behind a door: it wants a login, or a token that a login buys.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What opens the door.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// User and password, with each request.
    Basic,
    /// A token of its own token server.
    Token,
}

/// One request: its head, and its body where it has one.
pub struct Asked {
    pub head: String,
    pub body: String,
}

pub struct Gate {
    /// `127.0.0.1:PORT`.
    pub address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

const USER: &str = "lab-user";
const TOKEN: &str = "lab-registry-token";

impl Gate {
    /// Lets `lab-user` with `password` read from `registry`.
    pub fn start(registry: &str, wants: Wants, password: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let door = Arc::new(Door {
            address: address.clone(),
            registry: registry.to_string(),
            wants,
            password: password.to_string(),
            asked: asked.clone(),
        });
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let door = door.clone();
                std::thread::spawn(move || door.serve(client));
            }
        });
        Self { address, asked }
    }

    /// Requests to the token server by this program, as their heads and bodies.
    pub fn tokens_fetched_by(&self, agent: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        let tokens = asked.iter().filter(|asked| asked.head.contains(" /token"));
        let agent = format!("user-agent: {agent}").to_ascii_lowercase();
        tokens.filter(|asked| asked.head.to_ascii_lowercase().contains(&agent)).count()
    }
}

struct Door {
    address: String,
    registry: String,
    wants: Wants,
    password: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Door {
    fn serve(&self, mut client: TcpStream) {
        let Some(asked) = read(&mut client) else {
            // Clients that try TLS first go on without it when HTTP answers.
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
            return;
        };
        let answer = self.answer(&asked);
        let forward = answer.is_none().then(|| forwarded(&asked.head, &self.registry));
        self.asked.lock().unwrap().push(asked);
        if let Some(answer) = answer {
            let _ = client.write_all(answer.as_bytes());
            return;
        }
        let Ok(mut server) = TcpStream::connect(&self.registry) else { return };
        let _ = server.write_all(forward.unwrap_or_default().as_bytes());
        let _ = std::io::copy(&mut server, &mut client);
    }

    /// An answer of the door; none lets the request through.
    fn answer(&self, asked: &Asked) -> Option<String> {
        let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{}", self.password)));
        let shown = |value: &str| asked.head.contains(value);
        if shown(" /token") {
            let form = format!("username={USER}&password={}", self.password);
            let good = shown(&basic) || asked.body.contains(&form);
            return Some(match good {
                true => json(
                    "200 OK",
                    "",
                    &format!(r#"{{"token":"{TOKEN}","access_token":"{TOKEN}"}}"#),
                ),
                false => json("401 Unauthorized", "", "{}"),
            });
        }
        let (good, challenge) = match self.wants {
            Wants::Basic => (shown(&basic), "Basic realm=\"lab\"".to_string()),
            Wants::Token => (
                shown(&format!("Bearer {TOKEN}")),
                format!(
                    "Bearer realm=\"http://{}/token\",service=\"lab\",scope=\"repository:busybox:pull\"",
                    self.address
                ),
            ),
        };
        let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
        let challenge = format!(
            "WWW-Authenticate: {challenge}\r\nDocker-Distribution-Api-Version: registry/2.0\r\n"
        );
        (!good).then(|| json("401 Unauthorized", &challenge, body))
    }
}

fn json(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The same request for the registry, without its credentials and for one answer only.
fn forwarded(head: &str, registry: &str) -> String {
    let mut lines = head.lines();
    let mut text =
        format!("{}\r\nHost: {registry}\r\nConnection: close\r\n", lines.next().unwrap());
    for line in lines.filter(|line| !line.is_empty()) {
        let lower = line.to_ascii_lowercase();
        if !["host:", "connection:", "authorization:"].iter().any(|name| lower.starts_with(name)) {
            text += &format!("{line}\r\n");
        }
    }
    text + "\r\n"
}

/// One request; none is what no HTTP client says.
fn read(client: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
        if !bytes[0].is_ascii_uppercase() {
            return None;
        }
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).ok()?;
    Some(Asked { head, body: String::from_utf8_lossy(&body).into_owned() })
}
