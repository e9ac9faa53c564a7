//! The first moment at which anybody can see the image.

use cofferdam_frontend::pins::Reference;

use crate::engine::{Engine, Exported};
use crate::error::Error;
use crate::record::write_atomically;
use crate::report::printer::Printer;
use crate::request::BuildRequest;

/// Writes the image's ID where it was asked for and moves the names to it, the names last.
pub(super) async fn name(
    request: &BuildRequest,
    engine: &Engine,
    exported: &Exported,
) -> Result<(), Error> {
    if let Some(path) = &request.iidfile {
        write_atomically(path, exported.image_id.as_bytes())
            .map_err(Error::io(format!("write {}", path.display())))?;
    }
    for tag in &request.tags {
        let repository = Reference { tag: None, ..tag.clone() }.familiar();
        let tagged = engine.tag(&exported.image_id, &repository, tag.tag_or_latest()).await;
        if let (Err(_), Some(path)) = (&tagged, &request.iidfile) {
            // The failure is told below; a file that stays would say the opposite.
            let _ = std::fs::remove_file(path);
        }
        tagged?;
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
