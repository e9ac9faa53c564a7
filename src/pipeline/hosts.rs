//! `--add-host NAME:host-gateway`: the engine says where the machine is that it runs on.

use crate::engine::Engine;
use crate::error::Error;
use crate::request::{BuildRequest, ExtraHost, HostAddress};

/// Gives every such name the engine's answer; asks only when there is one.
pub(super) async fn find_gateway(
    request: BuildRequest,
    engine: &Engine,
) -> Result<BuildRequest, Error> {
    if request.hosts.iter().all(|host| host.address != HostAddress::Gateway) {
        return Ok(request);
    }
    let Some(address) = engine.host_gateway().await? else {
        return Err(Error::usage_hint(
            "--add-host: this engine does not say what host-gateway is",
            "write the address: --add-host NAME:IP; a Docker engine of version 20.10 or newer knows it",
        ));
    };
    let hosts = request.hosts.into_iter().map(|host| match host.address {
        HostAddress::Gateway => ExtraHost { address: HostAddress::Ip(address), ..host },
        HostAddress::Ip(_) => host,
    });
    Ok(BuildRequest { hosts: hosts.collect(), ..request })
}
