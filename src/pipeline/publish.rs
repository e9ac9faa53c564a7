//! The first moment at which anybody can see the image.

use cofferdam_frontend::pins::Reference;

use super::in_engine::{Built, Job};
use super::statement::Known;
use super::steps::Steps;
use crate::engine::Exported;
use crate::error::Error;
use crate::record::write_atomically;
use crate::report::printer::Printer;
use crate::request::BuildRequest;

/// Records the build, writes the image's ID where it was asked for, and moves the names to it, the
/// names last.
pub(super) async fn publish(known: Known<'_>, steps: &Steps) -> Result<(), Error> {
    let Known { job, built, .. } = known;
    let Job { request, .. } = job;
    known.record()?;
    if let Some(path) = &request.iidfile {
        write_atomically(path, built.exported.image_id.as_bytes())
            .map_err(Error::io(format!("write {}", path.display())))?;
    }
    let named = name(job, built, steps).await;
    if let (Err(_), Some(path)) = (&named, &request.iidfile) {
        // The failure is told below; a file that stays would say the opposite.
        let _ = std::fs::remove_file(path);
    }
    named
}

async fn name(job: Job<'_>, built: &Built, steps: &Steps) -> Result<(), Error> {
    for tag in &job.request.tags {
        let step = steps.begin(format!("naming to {}", tag.canonical())).await;
        let repository = Reference { tag: None, ..tag.clone() }.familiar();
        let image = &built.exported.image_id;
        step.end(job.engine.tag(image, &repository, tag.tag_or_latest()).await).await?;
    }
    Ok(())
}

/// Tells scripts the image's ID.
pub(super) fn print_id(
    request: &BuildRequest,
    exported: &Exported,
    printer: &Printer,
) -> Result<(), Error> {
    if request.print_id {
        printer.stdout(format!("{}\n", exported.image_id).as_bytes())?;
    }
    Ok(())
}
