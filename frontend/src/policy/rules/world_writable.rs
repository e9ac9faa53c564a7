//! Files that anybody in the container may change.

use crate::dockerfile::Keyword;
use crate::policy::commands::calls;
use crate::policy::{About, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Call, Word};

pub struct WorldWritable;

static ABOUT: About = About {
    id: "world-writable",
    title: "files that everybody may change",
    severity: Severity::High,
    also: &[],
    places: &[Place::Text, Place::Image],
    strict_only: false,
    page: include_str!("../../../../docs/rules/world-writable.md"),
};

impl Rule for WorldWritable {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for keyword in [Keyword::Copy, Keyword::Add] {
            for node in view.all(keyword).filter(|node| view.in_result(node.stage)) {
                let flag = node.instruction.flag("chmod");
                let mode = flag.and_then(|flag| flag.value.as_ref());
                let Some(mode) = mode.filter(|mode| opens(&mode.text)) else { continue };
                let message = format!("mode {} lets everybody change what is copied", mode.text);
                found.report(&ABOUT, mode.span, message).help(HELP);
            }
        }
        for (run, index, call) in calls(view) {
            if !view.in_result(run.node.stage) {
                continue;
            }
            let Some((mode, paths)) = mode(call) else { continue };
            // A directory that is sticky, or that is gone when the step ends.
            if !opens(&mode.text)
                || paths.is_empty()
                || !paths.iter().any(|path| stays(run, index, path))
            {
                continue;
            }
            let span = run.body.span(call.word.span.start..mode.span.end);
            let mode = mode.text.trim_start_matches("--mode=");
            found
                .report(&ABOUT, span, format!("mode {mode} lets everybody change these files"))
                .help(HELP);
        }
    }
}

const HELP: &str =
    "give the files to the user that needs them (chown, COPY --chown), or to a group";

/// The mode that a call sets and the paths it sets it on.
fn mode(call: Call<'_>) -> Option<(&Word, Vec<&Word>)> {
    match call.name {
        "chmod" => {
            if call.args.iter().any(|word| word.text.starts_with("--reference")) {
                return None;
            }
            // `-w` and its like are modes that take rights away.
            let mut operands = call.operands(&[]);
            let mode = operands.next()?;
            Some((mode, operands.collect()))
        }
        "mkdir" | "install" => {
            let at = call.args.iter().position(|word| {
                matches!(word.text.as_str(), "-m" | "--mode") || word.text.starts_with("--mode=")
            })?;
            let given = call.args.get(at)?;
            let own = given.text.starts_with("--mode=");
            let mode = if own { given } else { call.args.get(at + 1)? };
            Some((mode, call.operands(&VALUED).collect()))
        }
        _ => None,
    }
}

/// Options of `install` and `mkdir` whose value is the next word.
const VALUED: [&str; 8] = ["-m", "--mode", "-o", "--owner", "-g", "--group", "-t", "-S"];

/// Whether a mode lets others write without the sticky bit.
fn opens(mode: &str) -> bool {
    let mode = mode.trim_start_matches("--mode=");
    if mode.bytes().all(|byte| byte.is_ascii_digit()) && matches!(mode.len(), 3..=5) {
        let Ok(bits) = u32::from_str_radix(mode, 8) else { return false };
        return bits & 0o002 != 0 && bits & 0o1000 == 0;
    }
    if mode.split(',').any(|clause| clause.contains("+t") || clause.contains("=t")) {
        return false;
    }
    let mut writes = false;
    for clause in mode.split(',') {
        let Some(at) = clause.find(['+', '-', '=']) else { return false };
        let (who, rest) = clause.split_at(at);
        let (operator, what) = rest.split_at(1);
        if !who.bytes().all(|byte| b"ugoa".contains(&byte))
            || !what.bytes().all(|byte| b"rwxXst".contains(&byte))
            || what.contains('t')
        {
            return false;
        }
        // Without a letter the umask decides, and it forbids.
        if who.contains(['o', 'a']) {
            match operator {
                "-" => writes &= !what.contains('w'),
                "=" => writes = what.contains('w'),
                _ => writes |= what.contains('w'),
            }
        }
    }
    writes
}

/// How many commands are searched for one that undoes it.
const FOLLOWED: usize = 100;

/// Whether a path is still there, and still open, when the script ends.
fn stays(run: &Run<'_>, index: usize, path: &Word) -> bool {
    let text = path.text.trim_end_matches(['/', '*']);
    if ["/dev/", "/proc/", "/sys/", "/run/secrets"].iter().any(|mount| text.starts_with(mount)) {
        return false;
    }
    let later = run.script.commands.iter().skip(index + 1).take(FOLLOWED);
    !later.filter_map(|command| command.call()).any(|call| {
        let undone = match call.name {
            "rm" | "rmdir" => true,
            "chmod" => call.operands(&[]).next().is_some_and(|mode| !opens(&mode.text)),
            _ => false,
        };
        undone
            && call.args.iter().any(|word| {
                let other = word.text.trim_end_matches(['/', '*']);
                !other.is_empty()
                    && (text == other
                        || text.strip_prefix(other).is_some_and(|rest| rest.starts_with('/')))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn what_everybody_may_change() {
        fires(
            &WorldWritable,
            &[
                "chmod 777 /srv",
                "chmod -R 0777 /srv /opt",
                "chmod 666 /etc/passwd",
                "chmod a+rwx /srv",
                "chmod -R o+w /srv",
                "chmod ugo=rwX /srv",
                "chmod u+x,a+w /srv",
                "mkdir -p -m 777 /srv/x",
                "install -d -m 0777 /srv/x",
                "chmod 2777 \"$DATA\"",
                "FROM a\nCOPY --chmod=777 a /b\n",
                "FROM a\nADD --chmod=0666 a /b\n",
            ],
        );
    }

    #[test]
    fn what_they_may_not() {
        silent(
            &WorldWritable,
            &[
                "chmod 755 /srv && chmod 0644 /x && chmod 770 /y && chmod 750 /z",
                "chmod 1777 /tmp && chmod 3777 /run/x",
                "chmod a+rwxt /tmp && chmod +t,a+w /tmp && chmod a=rwx,o+t /tmp",
                "chmod +x /x && chmod a+x /x && chmod u+w /x && chmod g+w /x && chmod +w /x",
                "chmod -w /x && chmod o-w /x && chmod a+rX /x && chmod go-rwx /x",
                "chmod -R g=u /x && chmod u=rwx,g=rx,o= /x && chmod o=g /x",
                "chmod 777 /tmp/build && make && rm -rf /tmp/build",
                "chmod -R 777 /tmp/a/b && rm -rf /tmp/a/",
                "chmod 777 /x && chmod 755 /x",
                "chmod 777 /dev/stdout",
                "chmod --reference=/a /b && chmod $MODE /b",
                "chmod a+w,a-w /x",
                "FROM a AS b\nRUN chmod 777 /x\nFROM scratch\nCOPY --from=b --chmod=755 /x /x\n",
            ],
        );
    }
}
