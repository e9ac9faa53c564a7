//! Names in registries: what a BuildKit daemon pushed by its digest gets them here, when everything
//! else is done.

use std::collections::BTreeSet;

use cofferdam_frontend::pins::Reference;

use super::steps::Steps;
use crate::error::Error;
use crate::registry::{RegistryError, Repository};
use crate::request::BuildRequest;

/// Whether every registry of these names can be asked from here, and gives us the right to write.
///
/// One that only the builder reaches cannot be named in later: then the builder pushes under the
/// names at once, as with buildx.
pub(super) async fn reaches(request: &BuildRequest, names: &[Reference], insecure: bool) -> bool {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name.name()) {
            continue;
        }
        if let Err(error) = open(request, name, insecure).await {
            let name = name.name();
            tracing::debug!(name, %error, "not reached from here: the builder pushes it by name");
            return false;
        }
    }
    true
}

/// Gives what has this digest in the names' repositories its names, each in one step.
pub(super) async fn name(
    request: &BuildRequest,
    digest: &str,
    names: &[Reference],
    insecure: bool,
    steps: &Steps,
) -> Result<(), Error> {
    for (done, name) in names.iter().enumerate() {
        let step = steps.begin(format!("pushing manifest for {}@{digest}", name.canonical())).await;
        let put = async {
            let repository = open(request, name, insecure).await?;
            let manifest = repository.manifest(digest).await.map_err(|error| told(&error))?;
            repository.put(name.tag_or_latest(), &manifest).await.map_err(|error| told(&error))
        };
        step.end(put.await).await.map_err(|error| explain(&error, names, done, digest))?;
    }
    Ok(())
}

/// The repository of a name; the error is a reason.
async fn open<'a>(
    request: &'a BuildRequest,
    name: &Reference,
    insecure: bool,
) -> Result<Repository<'a>, String> {
    let login = request.auth.login(&name.domain).await.map_err(|error| error.to_string())?;
    let of = (name.domain.as_str(), name.path.as_str());
    Repository::open(&request.http, of, login, insecure).await.map_err(|error| told(&error))
}

fn told(error: &RegistryError) -> String {
    error.to_string()
}

/// Says what is there now and what is not.
fn explain(reason: &str, names: &[Reference], done: usize, digest: &str) -> Error {
    let familiar =
        |names: &[Reference]| names.iter().map(Reference::familiar).collect::<Vec<_>>().join(", ");
    let (moved, rest) = names.split_at(done);
    let mut hint = format!(
        "the image is there without a name, as {digest}; build again when the registry answers"
    );
    if !moved.is_empty() {
        hint = format!("{} did get it; {hint}", familiar(moved));
    }
    Error::Registry {
        message: format!("cannot name the image {}, which was pushed: {reason}", familiar(rest)),
        hint,
    }
}
