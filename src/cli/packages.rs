//! `cofferdam packages` and `cofferdam sbom`.

use std::path::PathBuf;

use clap::Args;
use cofferdam_inventory::sbom::{self, Place, Subject};

use super::recorded;
use crate::error::Error;
use crate::image::{self, Image};
use crate::record;
use crate::report::packages;
use crate::report::printer::Printer;
use crate::request::{self, ConnectionFlags, Environment, ImageFlags};

/// What documents say of an image whose configuration does not tell when it was made.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam packages app:1
  docker save app:1 | cofferdam packages --format json -")]
pub(crate) struct PackagesArgs {
    #[command(flatten)]
    image: ImageFlags,
    /// table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", hide_default_value = true,
          value_parser = ["table", "json"], hide_possible_values = true)]
    format: String,
}

impl PackagesArgs {
    /// Prints the packages, and to standard error what could not be read.
    pub(crate) fn run(
        self,
        connection: &ConnectionFlags,
        environment: &Environment,
        printer: &Printer,
    ) -> Result<(), Error> {
        let request = request::image(self.image, &[], connection, environment)?;
        let image = image::read(&request)?;
        let text = match self.format.as_str() {
            "json" => packages::json(&image),
            _ => packages::table(&image),
        };
        printer.stdout(text.as_bytes())?;
        packages::notices(&image).iter().for_each(|notice| printer.notice(notice));
        Ok(())
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam sbom app:1 >app.cdx.json
  cofferdam sbom --format spdx --output app.spdx.json app.tar")]
pub(crate) struct SbomArgs {
    #[command(flatten)]
    image: ImageFlags,
    /// cyclonedx (1.6) or spdx (2.3), both as JSON
    #[arg(long, value_name = "FORMAT", default_value = "cyclonedx", hide_default_value = true,
          value_parser = ["cyclonedx", "spdx"], hide_possible_values = true)]
    format: String,
    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl SbomArgs {
    /// Writes the document.
    pub(crate) fn run(
        self,
        connection: &ConnectionFlags,
        environment: &Environment,
        printer: &Printer,
    ) -> Result<(), Error> {
        let request = request::image(self.image, &[], connection, environment)?;
        let image = image::read(&request)?;
        let named = image.names.first().map_or("image", String::as_str);
        let name = request.source.name().unwrap_or(named);
        let places = recorded::places(&image, environment);
        let text = document(&image, name, &places, &self.format)?;
        match &self.output {
            Some(path) => record::write_atomically(path, text.as_bytes())
                .map_err(Error::io(format!("write {}", path.display())))?,
            None => printer.stdout(text.as_bytes())?,
        }
        packages::notices(&image).iter().for_each(|notice| printer.notice(notice));
        Ok(())
    }
}

fn document(image: &Image, name: &str, places: &[Place], format: &str) -> Result<String, Error> {
    let created = image.created.as_deref().and_then(whole_seconds);
    let subject = Subject {
        name,
        digest: &image.id,
        created: created.as_deref().unwrap_or(NO_TIME),
        version: env!("CARGO_PKG_VERSION"),
        inventory: &image.inventory,
        places,
    };
    let written = match format {
        "spdx" => sbom::spdx(&subject),
        _ => sbom::cyclonedx(&subject),
    };
    written.map_err(|error| Error::io("write the document")(error.into()))
}

/// A moment as both formats want it; the same image gives the same bytes.
fn whole_seconds(created: &str) -> Option<String> {
    let time = humantime::parse_rfc3339_weak(created.trim_end_matches('Z')).ok()?;
    Some(humantime::format_rfc3339_seconds(time).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_lose_their_fractions_and_nothing_else() {
        let told = |text| whole_seconds(text);
        assert_eq!(told("2026-02-03T04:05:06.789123456Z").as_deref(), Some("2026-02-03T04:05:06Z"));
        assert_eq!(told("2026-02-03T04:05:06Z").as_deref(), Some("2026-02-03T04:05:06Z"));
        assert_eq!(told("yesterday"), None);
    }
}
