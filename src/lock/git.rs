//! The commit that a branch or tag is now: git is asked, which knows its user's keys and proxies.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use cofferdam_frontend::pins::GitPlace;
use tokio::process::Command;

/// How long a server may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How much of git's complaint is repeated, in characters.
const WORDS: usize = 300;

/// Asks the repository; the error is a reason.
pub(super) async fn commit(
    place: &GitPlace,
    environment: &[(OsString, OsString)],
) -> Result<String, String> {
    let reference = place.reference.as_deref().unwrap_or("HEAD");
    let mut command = Command::new("git");
    command.args(["-c", "credential.interactive=false", "ls-remote", "--", &place.url]);
    command.arg(reference).arg(format!("{reference}^{{}}"));
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command.envs([
        ("LC_ALL", "C"),
        ("GIT_TERMINAL_PROMPT", "0"),
        // No program but git's own and ssh.
        ("GIT_ALLOW_PROTOCOL", "http:https:git:ssh"),
    ]);
    if !environment.iter().any(|(name, _)| name == "GIT_SSH_COMMAND" || name == "GIT_SSH") {
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    // It reads nothing of the directory it runs in.
    command.current_dir("/");
    let output = match tokio::time::timeout(LIMIT, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("cannot run git: {error}")),
        Err(_) => return Err(format!("no answer within {} s", LIMIT.as_secs())),
    };
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        return Err(words.chars().filter(|c| !c.is_control()).take(WORDS).collect());
    }
    pick(&String::from_utf8_lossy(&output.stdout), reference)
        .ok_or_else(|| format!("the repository has no {reference}"))
}

/// The commit among what git lists; a branch comes before a tag, as when git checks it out.
///
/// Source: moby/buildkit, source/git/source.go, CacheKey.
fn pick(listed: &str, reference: &str) -> Option<String> {
    let bare = |prefix: &str| reference.strip_prefix(prefix).unwrap_or(reference).to_string();
    let tag = format!("refs/tags/{}", bare("refs/tags/"));
    let names = [
        reference.to_string(),
        format!("refs/{}", bare("refs/")),
        format!("refs/heads/{}", bare("refs/heads/")),
        // A tag with a message is an object of its own; what it is of comes first.
        format!("{tag}^{{}}"),
        tag,
    ];
    let of = |wanted: &String| {
        let peeled = format!("{wanted}^{{}}");
        let find = |wanted: &str| {
            let mut lines = listed.lines().filter_map(|line| line.split_once('\t'));
            lines.find(|(_, name)| *name == wanted).map(|(id, _)| id)
        };
        find(&peeled).or_else(|| find(wanted))
    };
    let id = names.iter().find_map(of)?.to_ascii_lowercase();
    let whole = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then_some(id)
}

#[cfg(test)]
mod tests {
    #[test]
    fn branches_come_first_and_tags_are_followed() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|letter| letter.repeat(40));
        let listed = format!(
            "{a}\tHEAD\n{a}\trefs/heads/main\n{b}\trefs/tags/v1\n{c}\trefs/tags/v1^{{}}\n\
             {d}\trefs/heads/both\n{a}\trefs/tags/both\n{d}\trefs/heads/x/main\n"
        );
        let pick = |reference| super::pick(&listed, reference);
        assert_eq!(pick("HEAD"), Some(a.clone()));
        assert_eq!(pick("main"), Some(a.clone()));
        assert_eq!(pick("refs/heads/main"), Some(a));
        assert_eq!(pick("heads/both"), Some(d.clone()));
        assert_eq!(pick("v1"), Some(c.clone()));
        assert_eq!(pick("refs/tags/v1"), Some(c));
        assert_eq!(pick("both"), Some(d));
        assert_eq!(pick("none"), None);
        assert_eq!(super::pick("short\tHEAD\n", "HEAD"), None);
    }
}
