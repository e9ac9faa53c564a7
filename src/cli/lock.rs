//! `cofferdam lock`.

use clap::Args;

use crate::error::{Error, exit};
use crate::report::printer::Printer;
use crate::request::{ConnectionFlags, Environment, LockFlags};
use crate::{lock, request};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam lock                          lock what the Dockerfile names
  cofferdam lock --upgrade=debian:12      take what that name stands for now
  cofferdam lock --check                  in CI: is the lock complete?")]
pub(crate) struct LockArgs {
    #[command(flatten)]
    flags: LockFlags,
}

impl LockArgs {
    /// Locks, or says what would be locked.
    pub(crate) fn run(
        self,
        connection: &ConnectionFlags,
        environment: &Environment,
        printer: &Printer,
    ) -> Result<(), Error> {
        let request = request::lock(self.flags, connection, environment)?;
        let report = lock::run(&request, printer)?;
        printer.stdout(report.print().as_bytes())?;
        match report.is_stale() {
            true => Err(Error::Answered(exit::FAILED)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;

    #[test]
    fn every_flag_is_documented() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lock.md");
        let page = std::fs::read_to_string(path).unwrap();
        for arg in LockArgs::augment_args(Command::new("lock")).get_arguments() {
            if let Some(long) = arg.get_long() {
                assert!(page.contains(&format!("`--{long}")), "--{long} is not in docs/lock.md");
            }
        }
    }
}
