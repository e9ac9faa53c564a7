//! The first moment at which anybody can see what was built.

use cofferdam_frontend::pins::Reference;

use super::in_engine::{Built, Job};
use super::load::Loaded;
use super::metadata;
use super::outputs::{After, Outlets};
use super::push::{self, Put};
use super::statement::Known;
use super::steps::Steps;
use crate::engine::{Engine, Exported};
use crate::error::Error;
use crate::record::write_atomically;
use crate::report::printer::Printer;
use crate::request::BuildRequest;

/// Records the build and puts everything where it was asked for: files in their place, the image's
/// ID, and the names last.
pub(super) async fn publish(
    known: Known<'_>,
    outlets: &Outlets,
    steps: &Steps,
) -> Result<(), Error> {
    let Known { job, built, .. } = known;
    known.record()?;
    if let Some(files) = &outlets.files {
        files.commit().await.map_err(|error| Error::usage(error.to_string()))?;
    }
    let written = write_id(job.request, &built.exported)?;
    let named = name(job, built, &outlets.after, steps).await;
    let finished = match named {
        Ok(()) => metadata::write(known, outlets),
        Err(error) => Err(error),
    };
    if let (Err(_), Some(path)) = (&finished, written) {
        // The failure is told below; a file that stays would say the opposite.
        let _ = std::fs::remove_file(path);
    }
    finished
}

fn write_id<'a>(
    request: &'a BuildRequest,
    exported: &Exported,
) -> Result<Option<&'a std::path::PathBuf>, Error> {
    let (Some(path), Some(id)) = (&request.iidfile, &exported.image_id) else { return Ok(None) };
    write_atomically(path, id.as_bytes())
        .map_err(Error::io(format!("write {}", path.display())))?;
    Ok(Some(path))
}

async fn name(job: Job<'_>, built: &Built, after: &[After], steps: &Steps) -> Result<(), Error> {
    let exported = &built.exported;
    let Some(image) = &exported.image_id else { return Ok(()) };
    // Others see what is in a registry: it comes last.
    for Loaded { engine, id, names } in &built.loaded {
        tag(engine, id, names, steps).await?;
    }
    for after in after {
        match after {
            After::Name(names) => tag(job.engine, image, names, steps).await?,
            After::Push(names) => push_stored(job, names, steps).await?,
            After::Put { names, insecure, index } => {
                let digest = exported.manifest_digest.as_deref().unwrap_or(image);
                let put = Put { digest, names, insecure: *insecure, index: index.as_ref() };
                push::name(job.request, put, steps).await?;
            }
        }
    }
    Ok(())
}

/// Gives the image its names in an engine's store.
async fn tag(
    engine: &Engine,
    image: &str,
    names: &[Reference],
    steps: &Steps,
) -> Result<(), Error> {
    for name in names {
        let step = steps.begin(format!("naming to {}", name.canonical())).await;
        let repository = Reference { tag: None, ..name.clone() }.familiar();
        step.end(engine.tag(image, &repository, name.tag_or_latest()).await).await?;
    }
    Ok(())
}

/// Pushes the names from the engine's store; a registry shows a name when all of it is there.
async fn push_stored(job: Job<'_>, names: &[Reference], steps: &Steps) -> Result<(), Error> {
    for name in names {
        let login = job.request.auth.login(&name.domain).await;
        let what = format!("cannot push {}", name.familiar());
        let login = login.map_err(|error| Error::no_login(&what, &error))?;
        let mut step = steps.begin(format!("pushing {}", name.canonical())).await;
        let repository = Reference { tag: None, ..name.clone() }.familiar();
        let told = |current, total| step.bytes("pushing layers", current, total);
        let pushed =
            job.engine.push(&repository, name.tag_or_latest(), login.as_deref(), told).await;
        step.end(pushed).await?;
    }
    Ok(())
}

/// Tells scripts the image's ID.
pub(super) fn print_id(
    request: &BuildRequest,
    exported: &Exported,
    printer: &Printer,
) -> Result<(), Error> {
    match &exported.image_id {
        // An archive on stdout ends where it ends.
        Some(id) if request.print_id && !request.outputs.uses_stdout() => {
            printer.stdout(format!("{id}\n").as_bytes())
        }
        _ => Ok(()),
    }
}
