//! Bills of materials of a build: attached where that was asked for, and always kept.

use std::collections::BTreeMap;
use std::time::SystemTime;

use cofferdam_frontend::Hardened;

use super::absent;
use super::attests;
use crate::attest::Bill;
use crate::engine::GatewayBridge;
use crate::error::Error;
use crate::report::text::count;
use crate::request::BuildRequest;

/// Bytes of a statement that engines take in one message, with room for the rest of it.
const LARGEST: usize = 15 << 20;
/// The build argument that says which time it is in an image.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// What the images hold, one bill for each platform that could be looked through.
pub(super) fn bills(
    request: &BuildRequest,
    hardened: &Hardened,
    arguments: &BTreeMap<String, String>,
) -> Vec<Bill> {
    let name = request.tags.first().map_or_else(|| "image".into(), |tag| tag.familiar());
    let epoch = arguments.get(EPOCH).and_then(|seconds| seconds.parse().ok());
    let epoch = epoch.and_then(|seconds| {
        SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))
    });
    let created =
        humantime::format_rfc3339_seconds(epoch.unwrap_or_else(SystemTime::now)).to_string();
    let platforms = hardened.platforms().iter();
    platforms.filter_map(|platform| Bill::of(platform, &name, &created)).collect()
}

/// Refuses bills with a secret: they are for others to read.
pub(super) fn check(request: &BuildRequest, bills: &[Bill]) -> Result<(), Error> {
    if request.secrets.needles().is_empty() {
        return Ok(());
    }
    absent::check_record(request, &kept(bills)?)
}

/// The bills as they are kept.
pub(super) fn kept(bills: &[Bill]) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec(bills).map_err(unwritten)?;
    text.push(b'\n');
    Ok(text)
}

/// Attaches the bills, where no generator was named to write them.
pub(super) async fn attach(
    request: &BuildRequest,
    bridge: &GatewayBridge,
    hardened: &mut Hardened,
    bills: &[Bill],
) -> Result<(), Error> {
    if !attests::is_ours(request) {
        return Ok(());
    }
    if bills.is_empty() {
        return Err(Error::usage_hint(
            "this engine's BuildKit cannot look through the layers for an SBOM",
            "name a generator: --sbom generator=IMAGE",
        ));
    }
    let mut statements = BTreeMap::new();
    for bill in bills {
        let statement = bill.statement().map_err(unwritten)?;
        absent::check_record(request, &statement)?;
        if statement.len() > LARGEST {
            return Err(Error::usage_hint(
                format!("the SBOM of {} is too large to attach", bill.platform),
                "leave --sbom out, and write it with `cofferdam sbom IMAGE`",
            ));
        }
        statements.insert(bill.platform.clone(), statement);
    }
    let attached = hardened.describe(bridge, statements).await;
    attached.map_err(|error| {
        Error::usage_hint(
            format!("cannot attach the SBOM: {error}"),
            "leave --sbom out, and write it with `cofferdam sbom IMAGE`",
        )
    })
}

/// What the verdict says of it; nothing where nothing could be looked through.
pub(super) fn told(hardened: &Hardened) -> Option<String> {
    let looked = hardened.platforms().iter().filter_map(|platform| platform.inspected.as_ref());
    let inventories: Vec<_> = looked.map(|inspected| &inspected.installed.inventory).collect();
    if inventories.is_empty() {
        return None;
    }
    let packages = inventories.iter().map(|inventory| inventory.packages.len()).sum();
    let unread: usize = inventories.iter().map(|inventory| inventory.unread.len()).sum();
    let platforms = match inventories.len() {
        1 => String::new(),
        several => format!(" on {several} platforms"),
    };
    let unread = match unread {
        0 => String::new(),
        some => format!(" ({} unreadable)", count(some, "file")),
    };
    Some(format!("SBOM of {}{platforms}{unread}", count(packages, "package")))
}

fn unwritten(error: serde_json::Error) -> Error {
    Error::io("write the SBOM")(error.into())
}
