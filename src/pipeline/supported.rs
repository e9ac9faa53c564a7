//! What a request may ask for and the pipeline cannot do yet: refused by name, never dropped.

use crate::error::Error;
use crate::request::{BuildRequest, Policy};

/// Refuses it, before an engine is asked for anything.
pub(super) fn check(request: &BuildRequest) -> Result<(), Error> {
    let BuildRequest {
        context: _,
        dockerfile: _,
        named_contexts: _,
        tags: _,
        typed_tags: _,
        target: _,
        platforms: _,
        index: _,
        labels: _,
        annotations: _,
        build_args: _,
        secrets: _,
        ssh: _,
        network: _,
        hosts: _,
        limits: _,
        allow: _,
        keep: _,
        strip_capabilities: _,
        smoke: _,
        exceptions: _,
        rules: _,
        lock_path: _,
        locked: _,
        attests: _,
        policy,
        source_policy: _,
        call: _,
        outputs: _,
        print_id: _,
        progress: _,
        iidfile: _,
        metadata_file: _,
        metadata: _,
        builder: _,
        docker: _,
        auth: _,
        http: _,
        data_dir: _,
        state_dir: _,
        vcs: _,
        in_ci: _,
        notices: _,
    } = request;
    let Policy { files, disabled: _ } = policy;
    if !files.is_empty() {
        return Err(Error::usage_hint(
            "--policy with a file is not supported by this version",
            "nothing was built; leave it out, or use docker buildx build for this one",
        ));
    }
    Ok(())
}
