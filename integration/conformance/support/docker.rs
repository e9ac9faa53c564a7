//! The engine as its users see it: the docker command line.

use std::process::{Command, Output};

use serde_json::Value;

use super::Engine;

impl Engine {
    /// `docker …`, whatever comes of it.
    pub fn try_docker(&self, args: &[&str]) -> Output {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut docker = Command::new("docker");
        docker.env_clear().env("PATH", path).env("DOCKER_HOST", &self.host).args(args);
        docker.output().expect("the docker command line is needed: apt-get install docker.io")
    }

    /// `docker …`, which must succeed; its output.
    pub fn docker(&self, args: &[&str]) -> String {
        let output = self.try_docker(args);
        assert!(
            output.status.success(),
            "docker {args:?} on {}:\n{}{}",
            self.name,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim_end().to_string()
    }

    /// What a container of `docker run ARGS` prints; it must end well and print something.
    pub fn run(&self, args: &[&str]) -> String {
        self.run_until(args, |said| !said.is_empty())
    }

    /// Read from its log when it has ended: on a busy engine a container can be over before the
    /// client that attached to it has read a word. The engine's own log can lose a short life's
    /// words in the same way, so it is asked again.
    fn run_until(&self, args: &[&str], whole: impl Fn(&str) -> bool) -> String {
        const ATTEMPTS: usize = 5;
        let said = (0..ATTEMPTS).map(|_| self.run_once(args)).find(|said| whole(said));
        said.unwrap_or_else(|| panic!("docker run {args:?} on {} loses its words", self.name))
    }

    fn run_once(&self, args: &[&str]) -> String {
        let container = self.docker(&[&["run", "--detach", "--network=none"], args].concat());
        let code = self.docker(&["wait", &container]);
        let said = self.docker(&["logs", &container]);
        self.docker(&["rm", "--force", &container]);
        assert_eq!(code, "0", "docker run {args:?} on {}:\n{said}", self.name);
        said
    }

    /// Runs a command in an image, without its entrypoint and as root; what it prints.
    pub fn root_sh(&self, image: &str, script: &str) -> String {
        // The last word shows that none was lost, also where the answer is silence.
        const END: &str = "-- end --";
        let script = format!("{{ {script}\n}} || exit; echo; echo '{END}'");
        let sh = ["--user=0:0", "--workdir=/", "--entrypoint=/bin/sh", image, "-c", &script];
        let said = self.run_until(&sh, |said| said.ends_with(END));
        said.trim_end_matches(END).trim_end().to_string()
    }

    /// The image's ID; `None` when there is no such image.
    pub fn id(&self, image: &str) -> Option<String> {
        let output = self.try_docker(&["image", "inspect", "--format={{.Id}}", image]);
        let id = String::from_utf8_lossy(&output.stdout).trim().to_string();
        output.status.success().then_some(id)
    }

    /// `docker image inspect`.
    pub fn inspect(&self, image: &str) -> Value {
        let text = self.docker(&["image", "inspect", image]);
        serde_json::from_str::<Vec<Value>>(&text).unwrap().remove(0)
    }

    /// How many layers an image has.
    pub fn layers(&self, image: &str) -> usize {
        self.inspect(image)["RootFS"]["Layers"].as_array().map_or(0, Vec::len)
    }

    /// The commands of `docker history`, newest first.
    pub fn history(&self, image: &str) -> Vec<String> {
        let text = self.docker(&["history", "--no-trunc", "--format={{.CreatedBy}}", image]);
        text.lines().map(String::from).collect()
    }
}
