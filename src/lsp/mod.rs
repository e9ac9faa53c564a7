//! `cofferdam lsp`: what the rules have against a Dockerfile, while it is written.
//!
//! The Language Server Protocol 3.17 on standard input and output: diagnostics with every change, the
//! fixes of findings as quick fixes, and a rule's page where the pointer rests on its finding.

use tower_lsp_server::{LspService, Server};

use crate::error::Error;

mod diagnostic;
mod place;
mod server;
#[cfg(test)]
mod tests;

use server::Dockerfiles;

/// Serves until the editor says goodbye or closes the pipe.
pub fn serve() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    runtime.block_on(async {
        let (service, socket) = LspService::new(Dockerfiles::new);
        Server::new(tokio::io::stdin(), tokio::io::stdout(), socket).serve(service).await;
    });
    // A read of standard input that nobody will answer must not keep the process.
    runtime.shutdown_background();
    Ok(())
}
