//! A program that runs beside the build: in a container of its own, on what the build made.
//!
//! No result depends on it and nothing of it is cached. Source of the protocol: `NewContainer`,
//! `ExecProcess` and `ReleaseContainer` of moby/buildkit, frontend/gateway/pb/gateway.proto.

use bollard_buildkit_proto::pb;
use futures_channel::oneshot;

/// What a program reads on standard input, as soon as somebody knows it; it waits until then. Where
/// nobody will, there is nothing.
pub type Input = oneshot::Receiver<Vec<u8>>;

/// What a container is made of; it has no network and its mounts cannot be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// What it sees; the mount on `/` is its root.
    pub mounts: Vec<Mount>,
    /// The program, absolute, and its arguments. They are not secret: the engine may log them.
    pub args: Vec<String>,
    /// The platform it runs on; the engine's own.
    pub platform: Option<pb::Platform>,
}

/// Something that a container sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where, absolute.
    pub dest: String,
    /// What.
    pub what: Mounted,
}

/// What a mount shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mounted {
    /// A result by the engine's name of it.
    Result(String),
    /// A secret of the session by its id.
    Secret(String),
    /// An empty directory in memory, in which the engine makes the places of other mounts.
    Empty,
}

/// How much a program may say.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes on standard output; more is a failure.
    pub output: usize,
    /// Bytes on standard error; what goes beyond is left out.
    pub errors: usize,
    /// Whether such an output is all that a program has to say: nobody waits then until the engine
    /// has put the container away.
    pub is_all: fn(&[u8]) -> bool,
}

/// What became of a program that ended, or has said all it has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: u32,
    /// All of its standard output.
    pub output: Vec<u8>,
    /// The beginning of its standard error.
    pub errors: Vec<u8>,
}

impl Container {
    /// The mounts as the engine wants them.
    pub fn mounts(&self) -> Vec<pb::Mount> {
        self.mounts.iter().map(Mount::message).collect()
    }
}

impl Mount {
    fn message(&self) -> pb::Mount {
        let mount =
            pb::Mount { dest: self.dest.clone(), output: -1, input: -1, ..pb::Mount::default() };
        match &self.what {
            Mounted::Result(id) => pb::Mount { result_id: id.clone(), readonly: true, ..mount },
            Mounted::Secret(id) => pb::Mount {
                mount_type: pb::MountType::Secret as i32,
                // Not optional: what cannot be searched for must not look like what is absent.
                secret_opt: Some(pb::SecretOpt {
                    id: id.clone(),
                    mode: 0o400,
                    ..pb::SecretOpt::default()
                }),
                ..mount
            },
            Mounted::Empty => pb::Mount {
                mount_type: pb::MountType::Tmpfs as i32,
                tmpfs_opt: Some(pb::TmpfsOpt::default()),
                ..mount
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_build_made_cannot_be_written_and_a_secret_must_be_there() {
        let mount = |dest: &str, what| Mount { dest: dest.into(), what };
        let mounts = Container {
            mounts: vec![
                mount("/", Mounted::Result("r".into())),
                mount("/m", Mounted::Empty),
                mount("/m/s", Mounted::Secret("db".into())),
            ],
            ..Container::default()
        }
        .mounts();
        assert!(mounts[0].readonly && mounts[0].result_id == "r");
        assert_eq!(mounts[1].mount_type, pb::MountType::Tmpfs as i32);
        let secret = mounts[2].secret_opt.as_ref().unwrap();
        assert!(secret.id == "db" && !secret.optional);
    }
}
