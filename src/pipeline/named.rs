//! `--build-context`: what each name stands for in this build.

use std::path::Path;

use cofferdam_frontend::Plan;
use cofferdam_frontend::remote::{NamedContext as Bound, RemoteContext};

use crate::engine::session::content::LayoutError;
use crate::engine::session::filesync::Tree;
use crate::engine::session::{ContentStores, Filesync};
use crate::engine::{BuildId, Engine, EngineKind, ImageStore};
use crate::error::Error;
use crate::inputs::{Resolver, pin_image};
use crate::request::{BuildRequest, NamedContext};

/// Refuses what this engine is known not to read, before anything is sent.
pub(super) fn check(request: &BuildRequest, engine: &Engine) -> Result<(), Error> {
    let classic =
        engine.kind() == EngineKind::Docker && engine.facts().store == ImageStore::Classic;
    match layouts(request).next() {
        Some((_, path)) if classic => Err(Error::usage_hint(
            format!(
                "--build-context oci-layout://{}: this engine's image store reads no OCI layouts",
                path.display()
            ),
            "use an engine with the containerd image store or a builder of driver docker-container \
             or remote, or push the image to a registry and name it with docker-image://",
        )),
        _ => Ok(()),
    }
}

/// Adds the directories among them to what the session serves.
pub(super) fn serve(request: &BuildRequest, id: &BuildId, files: &Filesync) {
    for (number, named) in request.named_contexts.values().enumerate() {
        if let NamedContext::Dir(path) = named {
            files.offer(local_id(id, number), Tree::Dir(path.clone()));
        }
    }
}

/// The OCI layouts that the session shows; none when there are none.
pub(super) fn stores(request: &BuildRequest, id: &BuildId) -> Result<Option<ContentStores>, Error> {
    let mut stores = ContentStores::default();
    for (number, path) in layouts(request) {
        let wrong = |error: LayoutError| {
            Error::usage_hint(error.to_string(), "the layout was changed: build again")
        };
        stores.add(layout_id(id, number), path).map_err(wrong)?;
    }
    Ok((!stores.is_empty()).then_some(stores))
}

fn layouts(request: &BuildRequest) -> impl Iterator<Item = (usize, &Path)> {
    request.named_contexts.values().enumerate().filter_map(|(number, named)| match named {
        NamedContext::OciLayout { path, digest: _ } => Some((number, path.as_path())),
        _ => None,
    })
}

/// The session's name of a named context's directory.
fn local_id(id: &BuildId, number: usize) -> String {
    id.local(&format!("named{}", letters(number)))
}

/// The session's name of a named context's layout.
fn layout_id(id: &BuildId, number: usize) -> String {
    id.local(&format!("layout{}", letters(number)))
}

/// Prepares one; an image gets its pin.
pub(super) async fn read(
    asked: &NamedContext,
    (id, number): (&BuildId, usize),
    resolver: &Resolver<'_>,
    plan: &mut Plan,
) -> Result<Bound, Error> {
    if let NamedContext::Image(name) = asked {
        let (pinned, graph_name, pin) = pin_image(resolver, name).await?;
        let pins = plan.pins.entry(graph_name).or_default();
        if !pins.contains(&pin) {
            pins.push(pin);
        }
        return Ok(Bound::Image(pinned));
    }
    as_written(asked, (id, number))
}

/// Prepares one without finding out what an image's name stands for.
pub(super) fn as_written(
    asked: &NamedContext,
    (id, number): (&BuildId, usize),
) -> Result<Bound, Error> {
    Ok(match asked {
        NamedContext::Dir(_) => Bound::Local(local_id(id, number)),
        NamedContext::Git(git) => Bound::Remote(RemoteContext::Git(git.clone())),
        NamedContext::Http(url) => Bound::Remote(RemoteContext::Http { url: url.clone() }),
        NamedContext::Image(name) => Bound::Image(name.clone()),
        NamedContext::OciLayout { path: _, digest } => {
            Bound::Layout { store: layout_id(id, number), digest: digest.clone() }
        }
    })
}

/// A number in the letters that names of directories are made of.
fn letters(mut number: usize) -> String {
    let mut text = String::new();
    loop {
        text.extend(char::from_digit(10 + (number % 26) as u32, 36));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
}
