//! From what was typed to what it means.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cofferdam_frontend::day::Day;
use cofferdam_frontend::pins::reference::Reference;

use super::flags::{
    AttestFlags, BuilderFlags, IdentityFlags, InputFlags, LegacyFlags, OutputFlags, RunFlags,
};
use super::{
    Allow, BuildFlags, BuildRequest, Call, ConnectionFlags, Context, Docker, DockerEngines,
    DockerfileSource, Environment, MetadataContent, NamedContext, Network, Outputs, Policy,
    annotation, attest, boolean, builder, connection, docker, dockerfile, hosts, is_true,
    known_hosts, limits, lock, named, pairs, platform, policy, progress, refusals, remove_if_there,
    secret, smoke, source_policy, ssh, tags, vcs,
};
use crate::builders::Contexts;
use crate::config::{self, Applied};
use crate::docker_config::{ProxyArg, unset};
use crate::error::Error;
use crate::report::progress::settings::ProgressSettings;

/// Becomes a build argument, as with buildx.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";
/// Asks for a cache within the image, which there is none of.
const INLINE_CACHE: &str = "BUILDKIT_INLINE_CACHE";

/// Asks for `.git` in a context that is a repository.
const KEEP_GIT_DIR: &str = "BUILDKIT_CONTEXT_KEEP_GIT_DIR";

/// Reads what was typed.
pub fn read(
    flags: BuildFlags,
    connection: &ConnectionFlags,
    environment: &Environment,
) -> Result<BuildRequest, Error> {
    if let Some(path) = flags.output.iidfile.as_ref().filter(|path| !path.is_empty()) {
        remove_if_there(path.as_ref())?;
    }
    let tags =
        flags.identity.tags.iter().map(|tag| tags::read(tag)).collect::<Result<Vec<_>, _>>()?;
    check(flags, connection, tags.clone(), environment).map_err(|error| error.naming(&tags))
}

fn check(
    flags: BuildFlags,
    connection: &ConnectionFlags,
    tags: Vec<Reference>,
    environment: &Environment,
) -> Result<BuildRequest, Error> {
    let BuildFlags { context, identity, inputs, output, run, attest, legacy, builder } = flags;
    let IdentityFlags { tags: typed_tags, file, target, platforms, labels, annotations } = identity;
    let InputFlags { build_args, build_contexts, secrets, ssh, locked, keep_suid, pull: _ } =
        inputs;

    // Flags that contradict each other come first: nothing was touched yet.
    let call = Call::read(attest.question())?;
    let BuilderFlags { builder: behind, debug } = builder;
    let debug = debug.or(connection.debug).unwrap_or(false);
    let Said { outputs, progress, iidfile, metadata_file } = said(output, debug, environment)?;
    outputs.check_names(&tags)?;
    let mut notices = legacy_notices(&legacy, environment)?;
    let AttestFlags { attests, provenance, sbom, policies, call: _, check: _ } = attest;
    let policy = Policy::read(&policies)?;
    let RunFlags {
        network,
        add_hosts,
        shm_size,
        ulimits,
        resources,
        cgroup_parent,
        allow,
        smoke,
        older,
    } = run;
    let resources = [older.entries(), resources].concat();
    let network = Network::read(network.as_deref())?;
    let allow = Allow::read(&allow)?;
    outputs.check_deletes(allow.local_delete)?;

    let mut build_args = pairs::build_args(&build_args, |name| environment.var(name))?;
    if let Some(epoch) = environment.var(SOURCE_DATE_EPOCH).filter(|epoch| !epoch.is_empty()) {
        build_args.entry(SOURCE_DATE_EPOCH.into()).or_insert(epoch);
    }
    if build_args.remove(INLINE_CACHE).is_some_and(|wanted| boolean::parse(&wanted) == Ok(true)) {
        notices.push(format!("{INLINE_CACHE} has no effect: no cache is written"));
    }

    let mut context = Context::read(&context)?;
    let over_ssh = matches!(&context, Context::Git(git) if git.is_ssh());
    let stdin = || dockerfile::bounded(std::io::stdin().lock());
    let dockerfile = DockerfileSource::find(file.as_deref(), &context, stdin)?;
    let path = DockerfileSource::path(file.as_deref(), &context);
    let config_file = config::find(lock::directory_of(path.as_deref()));
    let today = Day::of(std::time::SystemTime::now());
    let Applied { exceptions, keep, strip_capabilities, notices: about_config, rules } =
        config::apply(config_file.as_deref(), path.as_deref(), today)?;
    notices.extend(about_config);
    notices.extend(progress.notices);
    let rego = policy::beside(path.as_deref());
    refusals::check(&build_args, network, &allow, &policy, rego.as_deref(), &exceptions)?;
    notices.extend(rego.map(|path| format!("{} is not evaluated", path.display())));
    let lock_path = lock::path(path.as_deref(), config_file.as_deref());
    let mut named_contexts = named::read(&build_contexts)?;
    if let Context::Git(git) = &mut context {
        git.keep_git_dir |= build_args.get(KEEP_GIT_DIR).is_some_and(|text| is_true(text));
    }
    notices.extend(trusted_hosts(&mut context, &mut named_contexts, environment));
    let auth_sock = environment.os_var("SSH_AUTH_SOCK").filter(|path| !path.is_empty());
    let auth_sock = auth_sock.map(PathBuf::from);

    let secrets = secret::read_all(&secrets, |name| environment.os_var(name))?;
    let ssh = ssh::open(&ssh, over_ssh, auth_sock.as_deref())?;
    let secrets = secret::with_others(secrets, &build_args, ssh.as_ref())?;

    let flags = connection;
    let Docker { connection: engine, context: current, config, proxy_args, auth, http } =
        docker(flags, environment)?;
    // Not judged as secrets: BuildKit keeps proxies out of the image, and the record their passwords.
    for ProxyArg { name, value } in unset(proxy_args, &build_args) {
        build_args.insert(name, value);
    }
    let names = || config.context_names();
    let from = builder::From {
        flag: behind.as_deref().or(flags.builder.as_deref()),
        engine_named: !flags.host.is_empty() || flags.context.is_some(),
        engine: &engine,
        config_dir: config.directory(),
        contexts: Contexts {
            current: &current,
            default_host: &engine.endpoint.to_string(),
            names: &names,
        },
        engine_at: &|at| connection::at(at, &config),
    };
    let builder = builder::target(&from, environment)?;
    if call.is_none() && outputs.keeps_nothing(builder.outputs()) {
        notices.push(format!(
            "No output specified with {} driver. Build result will only remain in the build cache. \
             To push result image into registry use --push or to load image into docker use --load",
            builder.driver()
        ));
    }
    let engine_at = |at: &str| connection::at(at, &config);
    let docker_engines = DockerEngines::read(
        &outputs,
        engine.clone(),
        (&current, builder.outputs().docker),
        engine_at,
    )?;
    Ok(BuildRequest {
        named_contexts,
        target: target.filter(|target| !target.is_empty()),
        index: false,
        platforms: platform::read(&platforms_or_default(platforms, environment))?,
        labels: pairs::labels(&labels)?,
        annotations: annotation::read(&annotations)?,
        secrets,
        ssh,
        hosts: hosts::read(&add_hosts)?,
        limits: limits::read(shm_size.as_deref(), &ulimits, cgroup_parent, &resources)?,
        keep: tags::keep_list(&keep_suid, keep)?,
        strip_capabilities,
        smoke: smoke::read(&smoke)?,
        exceptions,
        rules,
        vcs: vcs::read(&context, path, environment),
        locked: locked.unwrap_or(environment.in_ci() && lock_path.exists()),
        attests: attest::read(&attests, provenance.as_deref(), sbom.as_deref())?,
        source_policy: source_policy::read(environment)?,
        print_id: progress.print_id && call.is_none(),
        progress: ProgressSettings { builder: Some(builder.shown()), ..progress.settings },
        builder,
        docker: docker_engines,
        data_dir: environment.data_dir()?,
        state_dir: environment.state_dir(),
        in_ci: environment.in_ci(),
        context,
        dockerfile,
        tags,
        typed_tags,
        build_args,
        network,
        allow,
        lock_path,
        policy,
        call,
        outputs,
        iidfile,
        metadata: MetadataContent::read(environment),
        metadata_file,
        auth,
        http,
        notices,
    })
}

/// What is written, printed and shown.
struct Said {
    outputs: Outputs,
    progress: progress::Progress,
    iidfile: Option<PathBuf>,
    metadata_file: Option<PathBuf>,
}

fn said(flags: OutputFlags, debug: bool, environment: &Environment) -> Result<Said, Error> {
    let OutputFlags { outputs, load, push, quiet, iidfile, metadata_file, progress } = flags;
    let path = |path: Option<OsString>| path.filter(|path| !path.is_empty()).map(PathBuf::from);
    let no_default = environment.flag("BUILDX_NO_DEFAULT_LOAD");
    let shorts = (load == Some(true), push == Some(true));
    let outputs = Outputs::read(&outputs, shorts, no_default, environment.stdout_is_terminal())?;
    let iidfile = path(iidfile);
    if iidfile.is_some() && outputs.has_files() {
        return Err(Error::usage_hint(
            "local and tar exporters are incompatible with image ID file",
            "leave --iidfile out: files have no image ID",
        ));
    }
    let progress = progress::read(progress.as_deref(), quiet == Some(true), debug, environment)?;
    let metadata_file = path(metadata_file);
    for (flag, file) in [("--iidfile", &iidfile), ("--metadata-file", &metadata_file)] {
        check_file(flag, file.as_deref())?;
    }
    Ok(Said { outputs, progress, iidfile, metadata_file })
}

/// Refuses a file that could not be written at the end.
fn check_file(flag: &str, file: Option<&Path>) -> Result<(), Error> {
    let Some(file) = file else { return Ok(()) };
    let directory = lock::directory_of(Some(file));
    let shown = file.display();
    if file.is_dir() {
        return Err(Error::usage(format!("{flag} {shown}: it is a directory")));
    }
    if !directory.is_dir() {
        return Err(Error::usage_hint(
            format!("{flag} {shown}: there is no directory {}", directory.display()),
            "make it first, or name another place",
        ));
    }
    Ok(())
}

/// Says which keys repositories over ssh may show.
fn trusted_hosts(
    context: &mut Context,
    named: &mut BTreeMap<String, NamedContext>,
    environment: &Environment,
) -> Vec<String> {
    let main = match context {
        Context::Git(git) => Some(git),
        _ => None,
    };
    let named = named.values_mut().filter_map(|named| match named {
        NamedContext::Git(git) => Some(git),
        _ => None,
    });
    let files = known_hosts::files(environment.home().as_deref());
    let mut said: Vec<String> =
        main.into_iter().chain(named).filter_map(|git| known_hosts::add(git, &files)).collect();
    said.dedup();
    said
}

fn legacy_notices(flags: &LegacyFlags, environment: &Environment) -> Result<Vec<String>, Error> {
    let mut notices = flags.notices()?;
    if environment.var("DOCKER_BUILDKIT").is_some_and(|text| boolean::parse(&text) == Ok(false)) {
        notices.push("DOCKER_BUILDKIT=0 has no effect: only BuildKit builds here".into());
    }
    Ok(notices)
}

fn platforms_or_default(typed: Vec<String>, environment: &Environment) -> Vec<String> {
    if typed.is_empty() {
        environment.var("DOCKER_DEFAULT_PLATFORM").into_iter().collect()
    } else {
        typed
    }
}
