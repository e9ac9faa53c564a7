//! `cofferdam provenance IMAGE`: print what was recorded.

use clap::Args;

use crate::engine::{Engine, EngineKind};
use crate::error::Error;
use crate::record::Store;
use crate::report::printer::Printer;
use crate::request::{self, ConnectionFlags, Environment};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam provenance app:1
  cofferdam provenance sha256:3f0c… | jq .predicate.buildDefinition.resolvedDependencies")]
pub(crate) struct ProvenanceArgs {
    /// Name or ID of an image that was built here
    #[arg(value_name = "IMAGE")]
    image: String,
}

impl ProvenanceArgs {
    /// Prints the in-toto statement as JSON.
    pub(crate) fn run(self, connection: &ConnectionFlags, printer: &Printer) -> Result<(), Error> {
        let environment = Environment::of_process();
        let store = Store::open(environment.data_dir()?);
        // An ID needs no engine.
        let id = if is_whole_id(&self.image) {
            self.image.clone()
        } else {
            self.id(connection, &environment)?
        };
        match store.read(&id)? {
            Some(statement) => printer.stdout(&statement),
            None => Err(Error::usage_hint(
                format!("no provenance of {} is recorded here", self.image),
                format!("it is kept where the image is built, in {}", store.directory().display()),
            )),
        }
    }

    fn id(&self, flags: &ConnectionFlags, environment: &Environment) -> Result<String, Error> {
        let connection = request::docker(flags, environment)?.connection;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::io("start the runtime"))?;
        let image = runtime.block_on(async {
            Engine::connect(connection, EngineKind::Docker).await?.local_image(&self.image).await
        })?;
        image.map(|image| image.id).ok_or_else(|| {
            Error::usage_hint(
                format!("the engine has no image {}", self.image),
                "see `docker image ls`, or name the image by its whole ID",
            )
        })
    }
}

fn is_whole_id(image: &str) -> bool {
    image
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
