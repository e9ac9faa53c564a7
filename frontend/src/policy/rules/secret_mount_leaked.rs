//! A secret of a mount that a step writes into a layer, a cache or the log.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::dockerfile::{Flag, mount};
use crate::policy::{About, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Call, Command, Redirect, Word};

pub struct SecretMountLeaked;

static ABOUT: About = About {
    id: "secret-mount-leaked",
    title: "a mounted secret that the step writes down",
    severity: Severity::Critical,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/secret-mount-leaked.md"),
};

impl Rule for SecretMountLeaked {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for run in view.runs() {
            let Some(mut mounts) = Mounts::of(run) else { continue };
            mounts.follow(run);
            for (at, command) in run.script.commands.iter().enumerate() {
                if command.substituted {
                    continue;
                }
                let after = run.script.commands.get(at + 1..).unwrap_or_default();
                let after = after.get(..FOLLOWED).unwrap_or(after);
                let Some(leak) = mounts.leak(run, command, after) else { continue };
                let in_result = view.in_result(run.node.stage) || run.node.onbuild;
                let severity = if in_result || leak == Leak::Log {
                    Severity::Critical
                } else {
                    Severity::High
                };
                let span = run.body.span(command.span.clone());
                found.report(&ABOUT, span, leak.message()).severity(severity).help(leak.help());
            }
        }
    }
}

/// How many commands behind a leak may undo it; people write dozens in a step.
const FOLLOWED: usize = 500;

/// How many mounts and variables are followed.
const MOST: usize = 200;

/// Where a secret ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leak {
    Layer,
    Cache,
    Configuration,
    Log,
}

impl Leak {
    fn message(self) -> &'static str {
        match self {
            Self::Layer => "the step writes the secret into a layer",
            Self::Cache => "the step writes the secret into a cache, where other builds read it",
            Self::Configuration => {
                "the program writes the secret into its configuration, in a layer"
            }
            Self::Log => "the step prints the secret into the build's log",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Layer | Self::Cache => {
                "mount it where it is read: --mount=type=secret,id=…,target=/root/.netrc"
            }
            Self::Configuration => {
                "mount the configuration itself, or pass it in the environment: \
                 --mount=type=secret,id=…,env=…"
            }
            Self::Log => "leave the line out: a secret that was printed has to be revoked",
        }
    }
}

/// What a step has mounted.
struct Mounts {
    /// Files of secrets.
    files: Vec<String>,
    /// Variables that hold one.
    variables: BTreeSet<String>,
    /// Directories of cache mounts.
    caches: Vec<String>,
    /// Directories whose contents go away: tmpfs, bind.
    passing: Vec<String>,
    /// Whether some group's output goes elsewhere, once it was asked.
    grouped: OnceCell<bool>,
}

impl Mounts {
    /// `None` for a step without secrets.
    fn of(run: &Run<'_>) -> Option<Self> {
        let mut found = Self {
            files: Vec::new(),
            variables: BTreeSet::new(),
            caches: Vec::new(),
            passing: vec!["/dev".into(), "/proc".into()],
            grouped: OnceCell::new(),
        };
        let instruction = run.node.instruction;
        let flags: Vec<&Flag> =
            instruction.flags.iter().filter(|flag| flag.name == "mount").collect();
        for flag in flags.into_iter().take(MOST) {
            let Ok(mount) = mount(&instruction.logical, flag) else { continue };
            let get = |names: &[&str]| {
                names.iter().find_map(|name| mount.get(name)).map(|word| word.text.clone())
            };
            let target = get(&["target", "dst", "destination"]);
            match get(&["type"]).as_deref() {
                Some("secret") => {
                    let id = get(&["id"]).or_else(|| {
                        target.as_ref().and_then(|path| Some(path.rsplit('/').next()?.to_owned()))
                    });
                    let env = get(&["env"]);
                    if target.is_some() || env.is_none() {
                        let default = id.map(|id| format!("/run/secrets/{id}"));
                        found.files.extend(target.or(default));
                    }
                    found.variables.extend(env);
                }
                Some("cache") => found.caches.extend(target),
                Some("tmpfs" | "bind") | None => found.passing.extend(target),
                _ => {}
            }
        }
        (!found.files.is_empty() || !found.variables.is_empty()).then_some(found)
    }

    /// Variables of the script that are set from a secret.
    fn follow(&mut self, run: &Run<'_>) {
        for command in &run.script.commands {
            for assignment in &command.assignments {
                if self.variables.len() >= MOST {
                    return;
                }
                let text = assignment.value.text.as_str();
                if self.reads(text) || self.names_variable(text) {
                    self.variables.insert(assignment.name.clone());
                }
            }
        }
    }

    /// Whether a word is the content of a secret's file: `$(cat /run/secrets/x)`, `$(< …)`.
    fn reads(&self, text: &str) -> bool {
        self.files.iter().any(|file| {
            ["cat ", "cat \"", "< ", "<"].iter().any(|how| {
                ["$(", "`"].iter().any(|open| {
                    text.match_indices(&format!("{open}{how}{file}")).any(|(at, found)| {
                        let next = text.get(at + found.len()..).and_then(|t| t.chars().next());
                        matches!(next, Some(')' | '`' | '"'))
                    })
                })
            })
        })
    }

    fn names_variable(&self, text: &str) -> bool {
        self.variables.iter().any(|name| {
            text.contains(&format!("${{{name}}}"))
                || text.match_indices(&format!("${name}")).any(|(at, found)| {
                    let next = text.get(at + found.len()..).and_then(|t| t.bytes().next());
                    !next.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                })
        })
    }

    fn holds(&self, word: &Word) -> bool {
        word.expands && (self.reads(&word.text) || self.names_variable(&word.text))
    }

    fn is_file(&self, word: &Word) -> bool {
        word.literal().is_some_and(|text| self.files.iter().any(|file| file == text))
    }

    fn leak(&self, run: &Run<'_>, command: &Command, after: &[Command]) -> Option<Leak> {
        let call = command.call()?;
        let to_file = command.redirects.iter().find(|redirect| is_output(redirect));
        let piped = command.joint == crate::shell::Joint::Pipe;
        match call.name {
            "cp" | "mv" | "install" => {
                let operands: Vec<&Word> = call.operands(&["-m", "-o", "-g", "-t"]).collect();
                let (to, from) = operands.split_last()?;
                let source = from.iter().find(|word| self.is_file(word))?;
                let name = source.text.rsplit('/').next().unwrap_or_default();
                self.written(to, Some(name), after)
            }
            "cat" | "head" | "tail" | "base64" | "tee" | "echo" | "printf" => {
                let prints = matches!(call.name, "echo" | "printf");
                let input = command
                    .redirects
                    .iter()
                    .any(|redirect| redirect.operator == "<" && self.is_file(&redirect.target));
                let from_pipe = call.name == "tee"
                    && command.reads_from.is_some_and(|index| {
                        run.script.commands.get(index).is_some_and(|other| self.emits(other))
                    });
                let emits = self.emits(command) || !prints && input || from_pipe;
                if !emits {
                    return None;
                }
                if call.name == "tee" {
                    let file = call.operands(&[]).next()?;
                    return self.written(file, None, after);
                }
                match to_file {
                    Some(redirect) => self.written(&redirect.target, None, after),
                    // In a function or group, somebody else may take it.
                    None if piped
                        || command.depth > 0
                        || redirected(command)
                        || *self.grouped.get_or_init(|| grouped(run)) =>
                    {
                        None
                    }
                    None => Some(Leak::Log),
                }
            }
            _ => self.configures(&call, after),
        }
    }

    /// Whether a command's output is the secret.
    fn emits(&self, command: &Command) -> bool {
        let Some(call) = command.call() else { return false };
        match call.name {
            "cat" | "head" | "tail" | "base64" => call.args.iter().any(|word| self.is_file(word)),
            "echo" | "printf" => call.args.iter().any(|word| self.holds(word)),
            _ => false,
        }
    }

    /// A file that gets the secret: in a layer unless it goes away.
    fn written(&self, to: &Word, name: Option<&str>, after: &[Command]) -> Option<Leak> {
        let path = to.text.as_str();
        let below = |directory: &String| {
            path.strip_prefix(directory.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.caches.iter().any(below) {
            return Some(Leak::Cache);
        }
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
        let removed = removes(after, |word| {
            let end = word.text.trim_end_matches(['/', '*']).rsplit('/').next().unwrap_or_default();
            word.text.contains('*') || end == last || Some(end) == name || path.contains(&word.text)
        });
        // A path that only a variable tells, such as `$(mktemp)`.
        let unknown = path.is_empty() || path == "-" || to.expands && !path.contains('/');
        let passes = self.passing.iter().any(below);
        (!removed && !unknown && !passes).then_some(Leak::Layer)
    }

    /// A program told to remember the secret.
    fn configures(&self, call: &Call<'_>, after: &[Command]) -> Option<Leak> {
        let words: Vec<&str> = call.operands(&[]).map(|word| word.text.as_str()).take(4).collect();
        let remembers = match (call.name, words.as_slice()) {
            ("git", ["config", ..]) => {
                call.option(&["--global", "--system"]).is_some()
                    && call.option(&["--unset", "--get", "--unset-all"]).is_none()
            }
            ("npm" | "pnpm" | "yarn" | "pip" | "pip3", ["config", "set", ..]) => true,
            ("npm", ["set", ..]) | ("bundle", ["config", ..]) => true,
            ("composer" | "poetry", ["config", ..]) => true,
            _ => false,
        };
        if !remembers || !call.args.iter().any(|word| self.holds(word)) {
            return None;
        }
        let undone = removes(after, |_| true)
            || after.iter().filter_map(Command::call).any(|later| {
                later.name == call.name
                    && later.args.iter().any(|word| {
                        let undoing =
                            ["unset", "delete", "rm", "remove-section", "logout", "--unset"];
                        undoing.iter().any(|undo| word.text.contains(undo))
                    })
            });
        (!undone).then_some(Leak::Configuration)
    }
}

/// `> file`, `>> file`; not `2> file`, not `>&2`.
fn is_output(redirect: &Redirect) -> bool {
    matches!(redirect.operator.as_str(), ">" | ">>" | ">|" | "&>" | "&>>")
        && redirect.fd.is_none_or(|fd| fd == 1)
}

/// Whether the output goes to another descriptor.
fn redirected(command: &Command) -> bool {
    command.redirects.iter().any(|redirect| redirect.operator == ">&" && redirect.fd != Some(2))
        && !command.redirects.iter().any(|redirect| redirect.target.text == "2")
}

/// Whether some group's output goes elsewhere: `{ …; } | x`, `done > file`.
fn grouped(run: &Run<'_>) -> bool {
    let text = String::from_utf8_lossy(&run.body.bytes);
    ["}", "done", "fi", "esac"].iter().any(|end| {
        text.match_indices(end).any(|(at, end)| {
            let rest = text.get(at + end.len()..).unwrap_or_default().trim_start();
            rest.starts_with(['|', '>']) && !rest.starts_with("||")
        })
    })
}

/// Whether a later command removes what `wanted` names.
fn removes(after: &[Command], wanted: impl Fn(&Word) -> bool) -> bool {
    after.iter().filter_map(Command::call).any(|call| {
        matches!(call.name, "rm" | "shred" | "unlink" | "srm" | "truncate" | "trap" | "mv" | "find")
            && call.args.iter().any(|word| !word.text.starts_with('-') && wanted(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{findings, places, silent, speaks};

    fn script(script: &str) -> String {
        format!("FROM a:1\nRUN --mount=type=secret,id=npm {script}\n")
    }

    #[test]
    fn copies_into_layers_caches_configurations_and_the_log() {
        for (source, leak) in [
            (script("cp /run/secrets/npm .npmrc && npm ci"), Leak::Layer),
            (script("cat /run/secrets/npm > /root/.npmrc"), Leak::Layer),
            (script("cat < /run/secrets/npm >> ~/.npmrc"), Leak::Layer),
            (script("cat /run/secrets/npm | tee .npmrc"), Leak::Layer),
            (script("install -m 600 /run/secrets/npm /root/"), Leak::Layer),
            (script("echo \"token=$(cat /run/secrets/npm)\" > .npmrc && npm ci"), Leak::Layer),
            (script("T=$(cat /run/secrets/npm) && echo \"t=${T}\" >> .npmrc"), Leak::Layer),
            (script("cat /run/secrets/npm"), Leak::Log),
            (script("T=$(cat /run/secrets/npm); echo $T"), Leak::Log),
            (script("npm config set //r/:_authToken=$(cat /run/secrets/npm)"), Leak::Configuration),
            (
                script("git config --global url.\"https://$(cat /run/secrets/npm)@h/\".insteadOf x"),
                Leak::Configuration,
            ),
            (
                "FROM a:1\nRUN --mount=type=secret,id=t,env=T --mount=type=cache,target=/c echo $T >/c/t\n"
                    .into(),
                Leak::Cache,
            ),
            (
                "FROM a:1\nRUN --mount=type=secret,id=t,target=/t cp /t /etc/t\n".into(),
                Leak::Layer,
            ),
        ] {
            let found = findings(&SecretMountLeaked, &source);
            assert_eq!(found.len(), 1, "{source}");
            assert_eq!(found[0].message, leak.message(), "{source}");
        }
        assert_eq!(
            places(&SecretMountLeaked, &script("a && cp /run/secrets/npm .npmrc && npm ci")),
            ["cp /run/secrets/npm .npmrc"]
        );
        speaks(
            &SecretMountLeaked,
            &["FROM a:1\nRUN --mount=type=secret,id=t <<E\ncp /run/secrets/t /t\nE\n"],
        );
    }

    #[test]
    fn a_stage_that_does_not_ship_weighs_less() {
        let source = format!("{}FROM a:1\n", script("cp /run/secrets/npm .npmrc"));
        assert_eq!(findings(&SecretMountLeaked, &source)[0].severity, Severity::High);
    }

    #[test]
    fn uses() {
        for text in [
            "NPM_TOKEN=$(cat /run/secrets/npm) npm ci",
            "export T=\"$(cat /run/secrets/npm)\" && npm ci",
            "curl -H \"Authorization: Bearer $(cat /run/secrets/npm)\" https://e.com -o /x",
            "cat /run/secrets/npm | docker login --password-stdin e.com",
            "echo $(cat /run/secrets/npm) | gh auth login --with-token",
            "cp /run/secrets/npm ~/.npmrc && npm ci && rm ~/.npmrc",
            "cp /run/secrets/npm /root/ && npm ci && rm -f /root/npm",
            "cat /run/secrets/npm > .npmrc && npm ci; rm -rf .npmrc",
            "cat /run/secrets/npm > /dev/null",
            "cp /run/secrets/npm /dev/shm/x && npm ci",
            "cp /run/secrets/other /x && cat /etc/os-release",
            "ln -s /run/secrets/npm ~/.npmrc && npm ci",
            "test -s /run/secrets/npm && echo ok",
            "echo '$T' && echo \"no token\"",
            "git config --global url.x.insteadOf y && git config --global user.name $USER",
            "npm config set t $(cat /run/secrets/npm) && npm ci && npm config delete t",
            "F=$(mktemp) && cat /run/secrets/npm > $F && npm ci && rm $F",
            "{ cat /run/secrets/npm; echo; } | x",
        ] {
            silent(&SecretMountLeaked, &[&script(text)]);
        }
        silent(
            &SecretMountLeaked,
            &[
                "FROM a:1\nRUN cp /run/secrets/npm /x\n",
                "FROM a:1\nRUN --mount=type=secret,id=t,target=/root/.npmrc npm ci\n",
                "FROM a:1\nRUN --mount=type=secret,id=t,env=T npm ci --token $T\n",
                "FROM a:1\nRUN --mount=type=secret,id=t --mount=type=tmpfs,target=/w cp /run/secrets/t /w/t\n",
                "FROM a:1\nRUN --mount=type=ssh git clone git@e.com:a/b\n",
            ],
        );
    }
}
