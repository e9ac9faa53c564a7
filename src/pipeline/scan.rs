//! `--sbom generator=IMAGE`: which generator looks at the image, pinned like every other input.

use cofferdam_frontend::graph::ScanOp;

use super::attests::{self, Generator};
use crate::engine::GatewayBridge;
use crate::error::Error;
use crate::inputs::{Resolver, pin_generator};
use crate::request::{BuildRequest, Network};

/// The generator's step, if one is named; where none is, the SBOM is ours: see `bill`.
pub(super) async fn find(
    request: &BuildRequest,
    resolver: &Resolver<'_>,
    bridge: &GatewayBridge,
) -> Result<Option<ScanOp>, Error> {
    let Some(Generator { name, parameters }) = attests::generator(request)? else {
        return Ok(None);
    };
    let image = pin_generator(resolver, &name).await?;
    let config = bridge.image_config(&image, None).await.map_err(|error| Error::Registry {
        message: format!("cannot read the SBOM generator {name}: {error}"),
        hint: "check the name, or name another: --sbom generator=IMAGE".into(),
    })?;
    let Some(scan) = ScanOp::new(image, &config, &parameters) else {
        return Err(Error::usage_hint(
            format!("the SBOM generator {name} has no command"),
            "name an image that BuildKit can use as a generator: --sbom generator=IMAGE",
        ));
    };
    let no_network = request.network == Network::None;
    Ok(Some(if no_network { scan.without_network() } else { scan }))
}
