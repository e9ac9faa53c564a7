//! A request on one line: only what differs from a plain build is said.

use std::collections::BTreeMap;

use cofferdam::request::{
    Allow, Attest, BuildRequest, Call, Context, DockerfileSource, Limits, MetadataContent, Network,
    Outputs, Policy,
};

/// The line.
pub fn of(request: &BuildRequest) -> String {
    let BuildRequest {
        context,
        dockerfile,
        named_contexts,
        tags,
        typed_tags: _,
        target,
        platforms,
        index: _,
        labels,
        annotations,
        build_args,
        secrets,
        ssh,
        network,
        hosts,
        limits,
        allow,
        keep,
        strip_capabilities: _,
        smoke,
        exceptions: _,
        lock_path: _,
        locked,
        attests,
        policy,
        source_policy,
        call,
        outputs,
        print_id,
        progress,
        iidfile,
        metadata_file,
        metadata: content,
        builder,
        auth: _,
        http: _,
        data_dir: _,
        state_dir: _,
        vcs: _,
        in_ci,
        notices: _,
        docker: _,
        rules: _,
    } = request;
    let mut said = Said::default();
    said.add("context", [shown_context(context)]);
    said.add("file", [shown_file(dockerfile)].into_iter().filter(|file| file != "Dockerfile"));
    said.add("named", named_contexts.iter().map(|(name, value)| format!("{name}={value:?}")));
    said.add("tags", tags.iter().map(|tag| tag.familiar()));
    said.add("target", target.clone());
    said.add("platforms", platforms.clone());
    said.add("labels", pairs(labels));
    let annotation = annotations.iter().map(|a| format!("{}={}", a.exporter_key(), a.value));
    said.add("annotations", annotation);
    said.add("args", pairs(build_args));
    said.add("secrets", secrets.iter().map(|(id, value)| format!("{id}({} bytes)", value.len())));
    said.add("ssh", ssh.iter().flat_map(|agents| agents.ids().map(String::from)));
    said.add("network", (*network != Network::Default).then(|| format!("{network:?}")));
    said.add("hosts", hosts.iter().map(|host| format!("{}={:?}", host.name, host.address)));
    said.add("limits", (*limits != Limits::default()).then(|| shown_limits(limits)));
    said.add("allow", (*allow != Allow::default()).then(|| shown_allow(allow)));
    said.add("keep", keep.iter().map(|keep| format!("{}({})", keep.path, keep.reason)));
    said.add("smoke", smoke.iter().map(|command| format!("{command:?}")));
    said.add("locked", locked.then(|| "yes".into()));
    said.add(
        "attests",
        attests.iter().map(|(kind, asked)| match asked {
            Attest::Off => format!("{kind}=off"),
            Attest::On(options) => format!("{kind}={options}"),
        }),
    );
    said.add("policy", (*policy != Policy::default()).then(|| format!("{policy:?}")));
    said.add("source-policy", (!source_policy.is_empty()).then(|| "rules".to_string()));
    said.add("call", call.as_ref().map(shown_call));
    let Outputs { asked, load, push, no_default } = outputs;
    said.add("outputs", asked.iter().map(|output| format!("{output:?}")));
    said.add("", load.then(|| "load".into()));
    said.add("", push.then(|| "push".into()));
    said.add("", no_default.then(|| "no default".into()));
    said.add("", print_id.then(|| "print id".into()));
    let mode = format!("{:?}", progress.mode);
    said.add("progress", (mode != "Auto").then_some(mode));
    said.add("", progress.debug.then(|| "debug".into()));
    said.add("iidfile", iidfile.as_ref().map(|path| path.display().to_string()));
    said.add("metadata", metadata_file.as_ref().map(|path| path.display().to_string()));
    if *content != MetadataContent::default() {
        said.add("metadata with", [format!("{content:?}")]);
    }
    let engines = builder.connections.iter().map(|node| node.endpoint.to_string());
    said.add("engine", engines.filter(|engine| engine != "unix:///var/run/docker.sock"));
    said.add("", in_ci.then(|| "ci".into()));
    said.0.join("; ")
}

#[derive(Default)]
struct Said(Vec<String>);

impl Said {
    fn add(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.0.push(format!("{name} {}", values.join(" ")).trim_start().to_string());
        }
    }
}

fn pairs(map: &BTreeMap<String, String>) -> impl Iterator<Item = String> {
    map.iter().map(|(key, value)| format!("{key}={value}"))
}

fn shown_context(context: &Context) -> String {
    match context {
        Context::Dir(path) => path.display().to_string(),
        Context::Stdin => "stdin".into(),
        Context::Git(git) => {
            let ssh = if git.is_ssh() { " over ssh" } else { "" };
            let more = [
                ("ref", git.reference.clone()),
                ("subdir", git.subdir.clone()),
                ("checksum", git.commit.clone()),
                ("keep-git-dir", git.keep_git_dir.then(|| "true".to_string())),
                ("submodules", (!git.submodules).then(|| "false".to_string())),
            ];
            let more =
                more.into_iter().filter_map(|(name, value)| Some(format!(" {name}={}", value?)));
            format!("git {}{ssh}{}", git.remote, more.collect::<String>())
        }
        Context::Http(url) => format!("http {url}"),
        Context::Empty => "empty".into(),
    }
}

fn shown_file(dockerfile: &DockerfileSource) -> String {
    match dockerfile {
        DockerfileSource::Local(text) => {
            let ignore = if text.ignore.is_some() { " with its own ignore file" } else { "" };
            let shown = text.shown.strip_prefix("./").unwrap_or(&text.shown);
            format!("{shown}{ignore}")
        }
        DockerfileSource::Stdin => "or Dockerfile on stdin".into(),
        DockerfileSource::Url(url) => url.clone(),
        DockerfileSource::InContext { name } => {
            format!("{} in the context", name.as_deref().unwrap_or("Dockerfile"))
        }
    }
}

fn shown_limits(limits: &Limits) -> String {
    let Limits { shm_size, ulimits, cgroup_parent, resources } = limits;
    let mut said = Said::default();
    said.add("shm", shm_size.map(|bytes| bytes.to_string()));
    said.add("ulimit", ulimits.iter().map(|(name, l)| format!("{name}={}:{}", l.soft, l.hard)));
    said.add("cgroup", cgroup_parent.clone());
    let number = |name: &str, value: Option<i64>| value.map(|value| format!("{name}={value}"));
    let text = |name: &str, value: &Option<String>| value.as_ref().map(|v| format!("{name}={v}"));
    let each = [
        number("memory", resources.memory),
        number("memory-swap", resources.memory_swap),
        number("cpu-shares", resources.cpu_shares),
        number("cpu-period", resources.cpu_period),
        number("cpu-quota", resources.cpu_quota),
        text("cpuset-cpus", &resources.cpuset_cpus),
        text("cpuset-mems", &resources.cpuset_mems),
    ];
    said.add("", each.into_iter().flatten());
    said.0.join(" ")
}

fn shown_allow(allow: &Allow) -> String {
    let Allow { network_host, security_insecure, devices, local_delete } = allow;
    let names = [
        (*network_host, "network.host"),
        (*security_insecure, "security.insecure"),
        (*local_delete, "buildx.local.delete"),
    ];
    let named = names.into_iter().filter(|(on, _)| *on).map(|(_, name)| name.to_string());
    named.chain(devices.iter().cloned()).collect::<Vec<_>>().join(" ")
}

fn shown_call(call: &Call) -> String {
    let Call { method, format, ignore_status } = call;
    let ignore = if *ignore_status { " ignoring the status" } else { "" };
    format!("{} as {format:?}{ignore}", method.request_id())
}
