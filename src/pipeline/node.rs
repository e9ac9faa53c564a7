//! Which nodes of the builder build, and the connections to them.

use futures_util::future::try_join_all;

use super::hosts;
use super::leftovers::Leftovers;
use crate::builders::{Pick, Platform, Share, among, by_store};
use crate::engine::{Engine, EngineKind};
use crate::error::Error;
use crate::request::{BuildRequest, Target};

/// One node and its part of the build.
#[derive(Debug)]
pub(super) struct Node {
    /// Its name in the builder.
    pub(super) name: String,
    pub(super) engine: Engine,
    /// What it is to build: the request for its platforms.
    pub(super) request: BuildRequest,
    pub(super) leftovers: Leftovers,
}

/// Connects to the nodes that build the request's platforms; one that only asks needs one node.
pub(super) async fn connect(request: &BuildRequest) -> Result<Vec<Node>, Error> {
    let target = &request.builder;
    let wanted: Vec<Platform> =
        request.platforms.iter().map(|name| Platform::parse(name)).collect();
    let nodes = &target.builder.nodes;
    let (mut shares, mut engines): (Vec<Share>, Vec<Option<Engine>>) =
        match by_store(nodes, &wanted) {
            Pick::Settled(shares) => (shares, Vec::new()),
            Pick::Ask => {
                let engines = try_join_all((0..nodes.len()).map(|node| open(target, node))).await?;
                let reported: Vec<Vec<Platform>> = engines
                    .iter()
                    .map(|engine| {
                        engine.facts().platforms.iter().map(|p| Platform::parse(p)).collect()
                    })
                    .collect();
                let shares = among(nodes, &reported, &wanted);
                (shares, engines.into_iter().map(Some).collect())
            }
        };
    if request.call.is_some() {
        shares.truncate(1);
    }
    let several = shares.len() > 1;
    let mut chosen = Vec::new();
    for share in shares {
        let engine = match engines.get_mut(share.node).and_then(Option::take) {
            Some(engine) => engine,
            None => open(target, share.node).await?,
        };
        let request = match several {
            true => BuildRequest {
                platforms: share.platforms.iter().map(ToString::to_string).collect(),
                index: true,
                ..request.clone()
            },
            false => request.clone(),
        };
        let name = nodes.get(share.node).map(|node| node.name.clone()).unwrap_or_default();
        let request = hosts::find_gateway(request, &engine).await?;
        chosen.push(Node { name, engine, request, leftovers: Leftovers::default() });
    }
    Ok(chosen)
}

async fn open(target: &Target, node: usize) -> Result<Engine, Error> {
    let (Some(told), Some(connection)) =
        (target.builder.nodes.get(node), target.connections.get(node))
    else {
        return Err(Error::usage(format!("the builder {:?} has no nodes", target.builder.name)));
    };
    let kind = target.kind();
    Engine::connect(connection.clone(), kind).await.map_err(|source| match kind {
        EngineKind::Docker => Error::Engine(source),
        EngineKind::BuildKit => Error::Node {
            builder: target.builder.name.clone(),
            node: told.name.clone(),
            source: Box::new(source),
        },
    })
}
