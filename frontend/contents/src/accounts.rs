//! The files that say who there is: `passwd`, `shadow`, `group` and `sudoers`.

use serde::{Deserialize, Serialize};

use crate::text::encoded;

/// Bytes of such a file that are read; those of people are small.
pub(crate) const LONGEST: usize = 1 << 20;
/// Lines of such a file that are kept.
const LINES: usize = 4096;
/// Bytes of a name that are kept.
const NAME: usize = 256;

/// One of those files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum AccountFile {
    Passwd(Vec<Account>),
    Shadow(Vec<Shadow>),
    Group(Vec<Group>),
    /// Whom `sudo` asks for no password.
    Sudoers(Vec<String>),
    /// It is too long, a link, or no file.
    Unread,
}

/// A line of `passwd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) password: Password,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) shell: String,
}

/// A line of `shadow`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shadow {
    pub(crate) name: String,
    pub(crate) password: Password,
}

/// A line of `group`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) gid: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<String>,
}

/// What a field for a password says; never the field itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Password {
    /// Nothing is asked.
    Empty,
    /// No password fits, or another file has it.
    None,
    /// The hash of one.
    Hash,
}

impl Password {
    fn of(field: &[u8]) -> Self {
        match field {
            [] => Self::Empty,
            // crypt(3), and the thirteen characters of its oldest form.
            [b'$', _, ..] => Self::Hash,
            _ if field.len() == 13
                && field.iter().all(|b| b.is_ascii_alphanumeric() || b"./".contains(b)) =>
            {
                Self::Hash
            }
            _ => Self::None,
        }
    }
}

/// Whether this is one of those files.
pub(crate) fn is_one(path: &str) -> bool {
    matches!(path, "etc/passwd" | "etc/shadow" | "etc/group" | "etc/sudoers")
        || path.strip_prefix("etc/sudoers.d/").is_some_and(counts)
}

/// `sudo` passes over names with a dot or a tilde, and looks into no directory (sudoers(5)).
fn counts(name: &str) -> bool {
    !name.contains(['.', '/']) && !name.ends_with('~')
}

/// Reads one; it holds as many bytes as were read of it.
pub(crate) fn read(path: &str, bytes: &[u8]) -> AccountFile {
    if bytes.len() > LONGEST {
        return AccountFile::Unread;
    }
    let lines = || bytes.split(|&byte| byte == b'\n').take(LINES);
    match path {
        "etc/passwd" => AccountFile::Passwd(lines().filter_map(account).collect()),
        "etc/shadow" => AccountFile::Shadow(lines().filter_map(shadow).collect()),
        "etc/group" => AccountFile::Group(lines().filter_map(group).collect()),
        _ => AccountFile::Sudoers(sudoers(&String::from_utf8_lossy(bytes))),
    }
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b':')
}

/// A name; comments and what joins NIS have none.
fn named(field: &[u8]) -> Option<String> {
    let wrong = field.is_empty() || matches!(field, [b'#' | b'+' | b'-', ..]);
    (!wrong).then(|| short(field))
}

fn short(field: &[u8]) -> String {
    encoded(field.get(..NAME).unwrap_or(field))
}

fn number(field: Option<&[u8]>) -> Option<u32> {
    std::str::from_utf8(field?).ok()?.trim().parse().ok()
}

fn account(line: &[u8]) -> Option<Account> {
    let mut fields = fields(line);
    Some(Account {
        name: named(fields.next()?)?,
        password: Password::of(fields.next()?),
        uid: number(fields.next())?,
        gid: number(fields.next())?,
        shell: short(fields.nth(2).unwrap_or_default()),
    })
}

fn shadow(line: &[u8]) -> Option<Shadow> {
    let mut fields = fields(line);
    Some(Shadow { name: named(fields.next()?)?, password: Password::of(fields.next()?) })
}

fn group(line: &[u8]) -> Option<Group> {
    let mut fields = fields(line);
    let name = named(fields.next()?)?;
    let gid = number(fields.nth(1))?;
    let members = fields.next().unwrap_or_default().split(|&byte| byte == b',');
    let members = members.filter(|member| !member.is_empty()).take(LINES).map(short).collect();
    Some(Group { name, gid, members })
}

/// Whom the lines with `NOPASSWD:` are about.
fn sudoers(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let lines = text.lines().take(LINES).filter(|line| {
        // A comment, but for `#1000`, which is a user.
        let comment = line.trim_start().strip_prefix('#');
        comment.is_none_or(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let free = |line: &str| {
        let (before, _) = line.split_once("NOPASSWD:")?;
        let who = before.split_whitespace().next()?;
        // Defaults and aliases name nobody.
        let names = !who.starts_with("Defaults") && !who.ends_with("_Alias");
        let plain = who.chars().filter(|letter| !letter.is_control());
        (names && before.contains('=')).then(|| plain.take(NAME).collect())
    };
    lines.filter_map(free).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_passwd() {
        let text = b"root:x:0:0:root:/root:/bin/bash\n\n# no\n+::::::\nbad\nbad:x:-1:0:::\n\
                     app::1000:1000:,,,:/home/app:\nhash:$6$x$y:1001:4294967295::/:/bin/sh";
        let AccountFile::Passwd(list) = read("etc/passwd", text) else { panic!() };
        let told: Vec<_> = list.iter().map(|a| (a.name.as_str(), a.password, a.uid)).collect();
        assert_eq!(
            told,
            [
                ("root", Password::None, 0),
                ("app", Password::Empty, 1000),
                ("hash", Password::Hash, 1001)
            ]
        );
        assert_eq!((list[0].shell.as_str(), list[1].shell.as_str()), ("/bin/bash", ""));
    }

    #[test]
    fn passwords_are_told_apart_and_not_kept() {
        let text =
            b"a::1:\nb:*:1:\nc:!:1:\nd:!$6$secret:\ne:$y$j9T$secret:\nf:abcdefghijklm:\ng:!!:\n";
        let AccountFile::Shadow(list) = read("etc/shadow", text) else { panic!() };
        use Password::{Empty, Hash, None};
        let told: Vec<_> = list.iter().map(|line| line.password).collect();
        assert_eq!(told, [Empty, None, None, None, Hash, Hash, None]);
        assert!(!serde_json::to_string(&list).unwrap().contains("secret"));
    }

    #[test]
    fn groups_have_members() {
        let AccountFile::Group(list) = read("etc/group", b"root:x:0:\nstaff:x:50:app,,www\nx:x\n")
        else {
            panic!()
        };
        assert_eq!(list[1].members, ["app", "www"]);
        assert_eq!(list.len(), 2);
    }

    #[test]
    fn sudoers_names_those_who_are_asked_nothing() {
        let text = b"Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n# %wheel ALL=(ALL) NOPASSWD: ALL\n\
                     app ALL=(ALL) NOPASSWD:ALL\n%ci ALL=\\\n  NOPASSWD: /bin/x\n#1000 ALL=NOPASSWD: ALL\n\
                     Cmnd_Alias X = NOPASSWD: no\n";
        let AccountFile::Sudoers(who) = read("etc/sudoers", text) else { panic!() };
        assert_eq!(who, ["app", "%ci", "#1000"]);
        assert!(is_one("etc/sudoers.d/app") && !is_one("etc/sudoers.d/app.bak"));
    }

    #[test]
    fn too_long_is_not_read() {
        assert_eq!(read("etc/passwd", &vec![b'\n'; LONGEST + 1]), AccountFile::Unread);
    }
}
