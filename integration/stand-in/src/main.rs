//! Stands in for a buildkitd: opens a Docker engine's `POST /grpc` and offers what is behind it as
//! plain HTTP/2 on a socket, with or without TLS, or on stdin and stdout.
//!
//! Every connection that comes in is one upgrade at the engine; bytes pass unread. Called
//! `buildctl` or `buildkitd` it answers what buildx asks of these programs in a builder's container.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

mod arguments;
mod engine;
mod relay;
mod tls;

use arguments::{Command, Place};

/// Where the engine's socket is in a builder's container.
const ENGINE_IN_CONTAINER: &str = "/run/engine.sock";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    let code = match run(&words).await {
        Ok(()) => 0,
        Err(error) => {
            // The one that reads this is a test's log.
            drop(writeln!(std::io::stderr(), "stand-in: {error}"));
            1
        }
    };
    // A thread that waits for stdin would keep the process.
    std::process::exit(code)
}

async fn run(words: &[String]) -> std::io::Result<()> {
    match arguments::read(words).map_err(std::io::Error::other)? {
        Command::Serve { engine, place, ready } => serve(engine, place, ready).await,
        Command::DialStdio => {
            let engine = engine::open(ENGINE_IN_CONTAINER.as_ref()).await?;
            relay::stdio(tokio::io::stdin(), tokio::io::stdout(), engine).await
        }
        Command::Workers => engine::open(ENGINE_IN_CONTAINER.as_ref()).await.map(drop),
        Command::Version => writeln!(
            std::io::stdout(),
            "buildkitd github.com/moby/buildkit v{} stand-in",
            env!("CARGO_PKG_VERSION")
        ),
        Command::Idle => loop {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        },
    }
}

/// Serves until it is killed.
async fn serve(engine: PathBuf, place: Place, ready: Option<PathBuf>) -> std::io::Result<()> {
    let door = relay::Door::open(place).await?;
    let address = door.address()?;
    match ready {
        // Whoever waits for the file must never read half of it.
        Some(path) => {
            let part = path.with_extension("part");
            std::fs::write(&part, &address)?;
            std::fs::rename(part, path)?;
        }
        None => writeln!(std::io::stdout(), "{address}")?,
    }
    door.serve(engine).await
}
