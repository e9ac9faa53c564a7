//! The other doors of an engine: plain TCP, and the session without an HTTP upgrade.

use std::collections::BTreeMap;

use cofferdam::engine::SessionTransport;
use cofferdam::engine::session::Filesync;
use cofferdam::engine::session::filesync::{MemoryEntry, MemoryTree, Tree};
use cofferdam_frontend::bridge::{Bridge as _, BridgeError, Solve};
use cofferdam_frontend::graph::Graph;

use crate::support::opened::open;
use crate::support::{Engine, Project, tests};

tests![engine_over_tcp, session_over_control];

fn engine_over_tcp(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nCOPY a /a\nRUN cat /a; echo NAME\n");
    project.write("a", "over tcp");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = std::os::unix::net::UnixStream::connect(engine.socket()).unwrap();
            let (mut to, mut from) = (server.try_clone().unwrap(), server);
            let (mut up, mut down) = (client.try_clone().unwrap(), client);
            std::thread::spawn(move || std::io::copy(&mut up, &mut to));
            std::thread::spawn(move || std::io::copy(&mut from, &mut down));
        }
    });
    let image = project.tag("1");
    project.build(&["-t", &image]).env("DOCKER_HOST", &host).run().succeeds().says("over tcp");
    assert_eq!(engine.root_sh(&image, "cat /a"), "over tcp");
}

/// The engine reads the Dockerfile through a session that is carried by `Control.Session`.
fn session_over_control(engine: &'static Engine) {
    let files = |text: &str| {
        let file = MemoryEntry::file("Dockerfile", 0o644, text.as_bytes().to_vec());
        Tree::Memory(MemoryTree::new(vec![file]).unwrap())
    };
    let text = "FROM scratch\nCOPY Dockerfile /over-control\n";
    let files =
        Filesync::new(vec![("dockerfile".into(), files(text)), ("context".into(), files(text))]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let graph = runtime.block_on(async {
        let active = open(engine, files, SessionTransport::Control).await;
        let (options, inputs) = (BTreeMap::new(), BTreeMap::new());
        let request = Solve::Frontend { name: "dockerfile.v0".into(), options, inputs };
        let solved = active.bridge().solve(request).await.unwrap();
        let over = BridgeError::Build { message: "only to see".into(), blame: None };
        active.fail(over).await;
        Graph::read(&solved.parts.single().unwrap().definition.unwrap()).unwrap()
    });
    assert_eq!(graph.sources().count(), 1, "the context that COPY reads");
}
