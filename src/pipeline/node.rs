//! Which node of the builder builds, and the connection to it.

use futures_util::future::try_join_all;

use crate::builders::{Pick, Platform, Share, among, by_store};
use crate::engine::{Engine, EngineKind};
use crate::error::Error;
use crate::request::Target;

/// Connects to the node that builds these platforms.
pub(super) async fn connect(target: &Target, platforms: &[String]) -> Result<Engine, Error> {
    let wanted: Vec<Platform> = platforms.iter().map(|name| Platform::parse(name)).collect();
    let nodes = &target.builder.nodes;
    match by_store(nodes, &wanted) {
        Pick::Settled(shares) => open(target, only(target, &shares)?).await,
        Pick::Ask => {
            let mut engines = try_join_all((0..nodes.len()).map(|node| open(target, node))).await?;
            let reported: Vec<Vec<Platform>> = engines
                .iter()
                .map(|engine| engine.facts().platforms.iter().map(|p| Platform::parse(p)).collect())
                .collect();
            let node = only(target, &among(nodes, &reported, &wanted))?;
            Ok(engines.swap_remove(node))
        }
    }
}

/// One build runs on one node.
fn only(target: &Target, shares: &[Share]) -> Result<usize, Error> {
    if let [share] = shares {
        return Ok(share.node);
    }
    let told = shares.iter().filter_map(|share| {
        let platforms: Vec<String> = share.platforms.iter().map(ToString::to_string).collect();
        let node = target.builder.nodes.get(share.node)?;
        Some(format!("{} on {}", platforms.join(","), node.name))
    });
    let told: Vec<String> = told.collect();
    Err(Error::usage_hint(
        format!(
            "the builder {:?} builds these platforms on different nodes: {}",
            target.builder.name,
            told.join(", ")
        ),
        "build once for each node, with --platform, and join the images with `docker buildx imagetools create`",
    ))
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
