//! Accounts that anybody can enter.

use crate::policy::commands::calls;
use crate::policy::{About, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Call, Command, Word};

pub struct EmptyPassword;

static ABOUT: About = About {
    id: "empty-password",
    title: "an account with an empty or published password",
    severity: Severity::High,
    also: &["CKV2_DOCKER_17", "DKL-LI-0001", "DKL-LI-0002"],
    places: &[Place::Text, Place::Image],
    strict_only: false,
    page: include_str!("../../../../docs/rules/empty-password.md"),
};

impl Rule for EmptyPassword {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for (run, index, call) in calls(view) {
            if !view.in_result(run.node.stage) {
                continue;
            }
            let Some((word, message)) = account(run, index, call) else { continue };
            found
                .report(&ABOUT, run.body.span(word.span.clone()), message)
                .help("let accounts have no password at all (`passwd -l`), and no way to root");
        }
    }
}

fn account<'a>(run: &'a Run<'_>, index: usize, call: Call<'a>) -> Option<(&'a Word, &'static str)> {
    match call.name {
        "passwd" => {
            let word = call.option(&["-d", "--delete"])?;
            Some((word, "the account has no password: anybody can enter it"))
        }
        "chpasswd" => chpasswd(run, index, call),
        "useradd" | "usermod" => user(call),
        "echo" | "printf" | "tee" | "cat" | "sed" => {
            sudoers(run, index, call).or_else(|| shadow(call))
        }
        _ => None,
    }
}

/// `echo root:secret | chpasswd`
fn chpasswd<'a>(
    run: &'a Run<'_>,
    index: usize,
    call: Call<'a>,
) -> Option<(&'a Word, &'static str)> {
    let message = "everybody who has this file knows the password";
    let command = run.script.commands.get(index)?;
    let written = |text: &str| {
        text.lines().any(|line| {
            let line = line.split("\\n").next().unwrap_or(line);
            line.split_once(':').is_some_and(|(user, password)| {
                let locked = password.starts_with(['*', '!']) || password.is_empty();
                !user.is_empty() && !password.contains(['$', '`']) && !locked
            })
        })
    };
    let hash = call.option(&["-e", "--encrypted"]).is_some();
    let known = |text: &str| {
        // A hash begins with a dollar sign, in single quotes.
        written(text) || hash && text.split_once(':').is_some_and(|(_, hash)| hash.starts_with('$'))
    };
    if let Some(from) = command.reads_from.and_then(|from| run.script.commands.get(from)) {
        let echo = from.call().filter(|call| matches!(call.name, "echo" | "printf"))?;
        let word = echo.args.iter().find(|word| word.literal().is_some_and(known))?;
        return Some((word, message));
    }
    let input = command.redirects.iter().find(|to| {
        let body = run.body.bytes.get(to.body.clone()).unwrap_or_default();
        to.operator == "<<<" && to.target.literal().is_some_and(known)
            || to.operator.starts_with("<<") && known(&String::from_utf8_lossy(body))
    })?;
    Some((&input.target, message))
}

/// `useradd -p '' name`, `usermod -o -u 0 name`
fn user(call: Call<'_>) -> Option<(&Word, &'static str)> {
    let value = |names: [&str; 2]| {
        let at = call.args.iter().position(|word| names.contains(&word.text.as_str()))?;
        call.args.get(at + 1)
    };
    if let Some(password) = value(["-p", "--password"]) {
        let text = password.text.as_str();
        if !password.expands && text.is_empty() {
            return Some((password, "the account has no password: anybody can enter it"));
        }
        let hash = !password.expands && text.starts_with('$') && text.matches('$').count() > 2;
        // A password in the text of a substitution that makes the hash of it.
        let made = ["openssl passwd", "mkpasswd", "crypt("].iter().any(|it| text.contains(it));
        let inner = text.trim_start_matches("$(").trim_start_matches('`');
        let variable = inner.contains('$') || inner.contains("rand");
        if hash || password.expands && made && !variable {
            return Some((password, "everybody who has this file knows the password"));
        }
    }
    let other = call.args.last().is_some_and(|word| word.literal().is_some_and(|it| it != "root"));
    let id = value(["-u", "--uid"]).filter(|id| id.literal() == Some("0") && other);
    id.map(|id| (id, "another account that is root"))
}

/// `NOPASSWD` written to a file of sudo's.
fn sudoers<'a>(run: &'a Run<'_>, index: usize, call: Call<'a>) -> Option<(&'a Word, &'static str)> {
    let message = "who is this user may be root without a password";
    let command = call.command;
    let to_sudoers = |command: &Command| {
        command.redirects.iter().any(|to| to.target.text.contains("sudoers"))
            || command.call().is_some_and(|call| {
                matches!(call.name, "tee" | "visudo" | "sed")
                    && call.args.iter().any(|word| word.text.contains("sudoers"))
            })
    };
    let next = run.script.commands.iter().skip(index + 1).take(3);
    let piped = || next.clone().any(|next| next.reads_from == Some(index) && to_sudoers(next));
    let gives = |text: &str| {
        let line = text.lines().find(|line| line.contains("NOPASSWD"));
        // A line that is commented out, and root, who is root.
        line.map(str::trim_start)
            .is_some_and(|line| !line.starts_with(['#']) && !line.starts_with("root"))
    };
    let grant = |word: &&Word| {
        if call.name != "sed" {
            return gives(&word.text);
        }
        // `s/# %wheel …/%wheel … NOPASSWD: …/`: what stands there afterwards.
        let delimiter = word.text.chars().nth(1).unwrap_or('/');
        let parts: Vec<&str> = word.text.split(delimiter).collect();
        let new =
            if word.text.starts_with('s') { parts.get(2).copied() } else { Some(&*word.text) };
        let old = if word.text.starts_with('s') { parts.get(1).copied() } else { None };
        new.is_some_and(gives) && !(old.is_some_and(gives)) && !word.text.trim_end().ends_with('d')
    };
    if let Some(word) = call.args.iter().find(grant) {
        return (to_sudoers(command) || piped()).then_some((word, message));
    }
    let document = command.redirects.iter().find(|to| {
        let body = run.body.bytes.get(to.body.clone()).unwrap_or_default();
        gives(&String::from_utf8_lossy(body))
    })?;
    (to_sudoers(command) || piped()).then_some((&document.target, message))
}

/// `sed -i 's/root:x:/root::/' /etc/passwd`
fn shadow(call: Call<'_>) -> Option<(&Word, &'static str)> {
    let accounts = |word: &Word| matches!(word.text.as_str(), "/etc/shadow" | "/etc/passwd");
    if call.name != "sed" || !call.args.iter().any(accounts) {
        return None;
    }
    let word = call.args.iter().find(|word| {
        let Some(rest) = word.text.strip_prefix('s') else { return false };
        let Some(delimiter) = rest.chars().next().filter(|c| "/|,#@!".contains(*c)) else {
            return false;
        };
        let parts: Vec<&str> = rest.split(delimiter).collect();
        let empty = |text: &&str| {
            let name = text.split("::").next().unwrap_or_default();
            text.contains("::") && !name.contains(':')
        };
        parts.get(2).is_some_and(empty) && !parts.get(1).is_some_and(empty)
    })?;
    Some((word, "the account has no password: anybody can enter it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn accounts_that_are_open() {
        fires(
            &EmptyPassword,
            &[
                "passwd -d root",
                "passwd --delete app",
                "echo 'root:root' | chpasswd",
                "echo root:docker | sudo chpasswd",
                "printf 'a:b\\n' | chpasswd",
                "chpasswd <<< 'root:root'",
                "chpasswd <<X\nroot:root\nX",
                "useradd -m -p '' app",
                "useradd -p '$6$salt$hash' app",
                "usermod -p $(openssl passwd -1 secret) app",
                "useradd -o -u 0 toor",
                "echo 'app ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers",
                "echo \"$USER ALL=(ALL) NOPASSWD: ALL\" | tee /etc/sudoers.d/x",
                "printf '%%wheel ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/wheel",
                "sed -i 's/^# %wheel/%wheel ALL=(ALL) NOPASSWD: ALL/' /etc/sudoers",
                "sed -i 's/root:x:/root::/' /etc/passwd",
            ]
            .map(|text| {
                if text.contains("<<X") { "<<E\nchpasswd <<X\nroot:root\nX\nE" } else { text }
            }),
        );
    }

    #[test]
    fn accounts_that_are_not() {
        silent(
            &EmptyPassword,
            &[
                "passwd -l root",
                "echo \"root:$PASSWORD\" | chpasswd",
                "echo \"root:$(openssl rand -hex 32)\" | chpasswd",
                "echo 'git:*' | chpasswd -e",
                "useradd -m -u 1000 app && useradd -p '*' app2 && useradd -p '!' x",
                "useradd -o -u \"$UID\" app && usermod -u 0 root",
                "useradd -p \"$(openssl passwd -1 \"$P\")\" app",
                "adduser -D -u 1000 app && adduser --disabled-password app",
                "echo 'app ALL=(ALL) ALL' >> /etc/sudoers",
                "echo '# NOPASSWD' >> /etc/sudoers",
                "echo 'root ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers",
                "echo NOPASSWD",
                "sed -i '/NOPASSWD/d' /etc/sudoers",
                "sed -i 's/NOPASSWD:ALL/ALL/' /etc/sudoers",
                "sed -i -e 's/^root::/root:!:/' /etc/shadow",
                "mkdir -p /x && gpg --passphrase '' x",
            ],
        );
    }
}
