//! `--build-context`: what each name stands for in this build.

use cofferdam_frontend::Plan;
use cofferdam_frontend::remote::{NamedContext as Bound, RemoteContext};

use crate::engine::session::Filesync;
use crate::engine::session::filesync::Tree;
use crate::error::Error;
use crate::inputs::{Resolver, pin_image};
use crate::request::NamedContext;

/// Prepares one: an image gets its pin, a directory is served as `local`.
pub(super) async fn read(
    asked: &NamedContext,
    local: &str,
    resolver: &Resolver<'_>,
    files: &Filesync,
    plan: &mut Plan,
) -> Result<Bound, Error> {
    Ok(match asked {
        NamedContext::Dir(path) => {
            files.offer(local.to_string(), Tree::Dir(path.clone()));
            Bound::Local(local.to_string())
        }
        NamedContext::Git(git) => Bound::Remote(remote(&git.url)?),
        NamedContext::Http(url) => Bound::Remote(remote(url)?),
        NamedContext::Image(name) => {
            let (pinned, graph_name, pin) = pin_image(resolver, name).await?;
            let pins = plan.pins.entry(graph_name).or_default();
            if !pins.contains(&pin) {
                pins.push(pin);
            }
            Bound::Image(pinned)
        }
        NamedContext::OciLayout { path, .. } => {
            return Err(Error::usage_hint(
                format!("--build-context oci-layout://{}: not supported yet", path.display()),
                "push the image to a registry and name it with docker-image://",
            ));
        }
    })
}

fn remote(address: &str) -> Result<RemoteContext, Error> {
    match RemoteContext::parse(address) {
        Some(Ok(remote)) => Ok(remote),
        Some(Err(error)) => Err(Error::usage(error.to_string())),
        None => Err(Error::usage(format!("--build-context {address}: it is no address"))),
    }
}
