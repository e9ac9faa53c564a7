//! Which node builds which platform.
//!
//! Source: docker/buildx, build/resolver/driver.go.

use super::{Node, Platform};

/// A node, by its place in the builder, and what it builds; no platform is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Place in [`super::Builder::nodes`].
    pub node: usize,
    /// What it builds.
    pub platforms: Vec<Platform>,
}

/// What the store alone says of who builds what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// It is settled.
    Settled(Vec<Share>),
    /// Every node must be asked what it can build, for [`among`].
    Ask,
}

/// Chooses by the platforms that the nodes were created with, which must be just those.
pub fn by_store(nodes: &[Node], wanted: &[Platform]) -> Pick {
    let own: Vec<Vec<Platform>> = nodes.iter().map(|node| node.platforms.clone()).collect();
    let best: Option<Vec<usize>> =
        wanted.iter().map(|platform| best(platform, &own, |p| vec![p.clone()])).collect();
    match best {
        Some(best) => Pick::Settled(shares(&best, wanted)),
        // Only one can be meant, and it will say itself what it cannot build.
        None if nodes.len() == 1 => Pick::Settled(shares(&vec![0; wanted.len()], wanted)),
        None => Pick::Ask,
    }
}

/// Chooses by what the nodes were created with and what they report, in this order; a platform
/// that nobody names goes to the first node.
pub fn among(nodes: &[Node], reported: &[Vec<Platform>], wanted: &[Platform]) -> Vec<Share> {
    let nothing = Vec::new();
    let all: Vec<Vec<Platform>> = nodes
        .iter()
        .enumerate()
        .map(|(at, node)| [&node.platforms, reported.get(at).unwrap_or(&nothing)])
        .map(|both| both.into_iter().flatten().cloned().collect())
        .collect();
    let best: Vec<usize> = wanted
        .iter()
        .map(|platform| best(platform, &all, Platform::runs).unwrap_or_default())
        .collect();
    shares(&best, wanted)
}

/// The node with the platform that runs `wanted` best; the first of equals.
fn best(
    wanted: &Platform,
    nodes: &[Vec<Platform>],
    runs: impl Fn(&Platform) -> Vec<Platform>,
) -> Option<usize> {
    let mut best: Option<(usize, &Platform)> = None;
    for (at, platforms) in nodes.iter().enumerate() {
        for platform in platforms {
            let runs = runs(platform);
            let place = |p: &Platform| runs.iter().position(|run| run == p);
            let Some(mine) = place(wanted) else { continue };
            let better = match best {
                None => true,
                // Of two that can, the one that is nearer to what is wanted.
                Some((_, other)) => place(other).is_none_or(|theirs| mine < theirs),
            };
            if better {
                best = Some((at, platform));
            }
        }
    }
    best.map(|(at, _)| at)
}

/// One share a node, in the order in which they were first needed.
fn shares(nodes: &[usize], wanted: &[Platform]) -> Vec<Share> {
    if wanted.is_empty() {
        return vec![Share { node: 0, platforms: Vec::new() }];
    }
    let mut shares: Vec<Share> = Vec::new();
    for (&node, platform) in nodes.iter().zip(wanted) {
        match shares.iter_mut().find(|share| share.node == node) {
            Some(share) => share.platforms.push(platform.clone()),
            None => shares.push(Share { node, platforms: vec![platform.clone()] }),
        }
    }
    shares
}
