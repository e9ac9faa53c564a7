//! What a request may ask for and the pipeline cannot do yet: refused by name, never dropped.

use crate::error::Error;
use crate::request::{
    Allow, Attest, BuildRequest, Context, DockerfileSource, DockerfileText, HostAddress, Outputs,
    Policy,
};

/// Refuses it, before an engine is asked for anything.
pub(super) fn check(request: &BuildRequest) -> Result<(), Error> {
    let BuildRequest {
        context,
        dockerfile,
        named_contexts,
        tags: _,
        target: _,
        platforms,
        labels: _,
        annotations,
        build_args: _,
        secrets: _,
        ssh,
        network: _,
        hosts,
        limits: _,
        allow,
        keep: _,
        strip_capabilities: _,
        exceptions: _,
        lock_path: _,
        locked: _,
        attests,
        policy,
        source_policy,
        call,
        outputs,
        print_id: _,
        progress: _,
        iidfile: _,
        metadata_file,
        endpoint: _,
        builder,
        auth: _,
        data_dir: _,
        state_dir: _,
        in_ci: _,
        notices: _,
    } = request;
    let Outputs { asked, load: _, push, no_default } = outputs;
    let Allow { network_host, security_insecure, devices, local_delete: _ } = allow;
    let Policy { files, disabled: _ } = policy;
    let elsewhere = !matches!(context, Context::Dir(_));
    let not_here = !matches!(dockerfile, DockerfileSource::Local(_));
    let gateway = hosts.iter().any(|host| host.address == HostAddress::Gateway);
    let sbom = attests.iter().any(|(kind, on)| kind != "provenance" && matches!(on, Attest::On(_)));
    for (asked, what) in [
        (elsewhere, "a context that is no directory"),
        (not_here, "a Dockerfile that is not on this machine"),
        (!named_contexts.is_empty(), "--build-context"),
        (platforms.len() > 1, "--platform with several platforms"),
        (!annotations.is_empty(), "--annotation"),
        (!ssh.is_empty(), "--ssh"),
        (gateway, "--add-host with host-gateway"),
        (*network_host || *security_insecure || !devices.is_empty(), "--allow"),
        (sbom, "--sbom"),
        (!files.is_empty(), "--policy with a file"),
        (source_policy.is_some(), "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"),
        (call.is_some(), "--call"),
        (!asked.is_empty(), "--output"),
        (*push, "--push"),
        (*no_default, "BUILDX_NO_DEFAULT_LOAD"),
        (metadata_file.is_some(), "--metadata-file"),
        (builder.is_some(), "--builder"),
    ] {
        if asked {
            return Err(Error::usage_hint(
                format!("{what} is not supported by this version"),
                "nothing was built; leave it out, or use docker buildx build for this one",
            ));
        }
    }
    Ok(())
}

/// The Dockerfile, which `check` has seen to be here.
pub(super) fn dockerfile(request: &BuildRequest) -> Result<&DockerfileText, Error> {
    request.dockerfile.text().ok_or_else(|| Error::usage("the Dockerfile was not read"))
}
