//! `cofferdam build`.

use clap::Args;

use crate::error::Error;
use crate::report::printer::Printer;
use crate::request::{BuildFlags, BuildRequest, ConnectionFlags, Environment};
use crate::{pipeline, request};

#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    after_help = "Examples:
  cofferdam build -t app:1 .
  cofferdam build -t app:1 --secret id=npm,src=.npmrc --keep-suid /usr/bin/sudo='admin image' .

Exit codes: 0 done, 1 failed, 3 refused by policy, 4 no engine or registry, 130 interrupted"
)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    flags: BuildFlags,
}

impl BuildArgs {
    /// Builds.
    pub(crate) fn run(self, connection: &ConnectionFlags, printer: &Printer) -> Result<(), Error> {
        let request = self.request(connection, &Environment::of_process())?;
        printer.check(request.progress.mode)?;
        pipeline::run(request, printer)
    }

    /// What is asked for.
    pub(super) fn request(
        self,
        connection: &ConnectionFlags,
        environment: &Environment,
    ) -> Result<BuildRequest, Error> {
        request::read(self.flags, connection, environment)
    }
}
