//! Directories of a base that hold nothing to strip: found by `inspect --plain`, which has the time,
//! for `strip`, which has not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The variable that `strip` reads them from, with commas between them. Not an argument: engines
/// describe what a step leaves in their cache by its arguments.
pub const VARIABLE: &str = "COFFERDAM_PLAIN";

/// How many are told, those with the most in them first. Linux takes 128 KiB in one variable
/// (execve(2)), and one of them up to 75 bytes, mostly half of that.
pub const MOST: usize = 1700;

/// A directory in which, and in all below it, no file has privileges.
///
/// It is known by what nobody can give another one as long as it is there; see the helper's
/// `overlay` for when that is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Plain {
    /// Its inode.
    pub inode: u64,
    /// When it changed last: seconds and nanoseconds since 1970.
    pub changed: (i64, u32),
    /// Regular files in it and below, hard links counted once for each name.
    pub files: u32,
    /// Directories, itself included.
    pub dirs: u32,
    /// Those of them that have the set-gid bit.
    pub setgid_dirs: u32,
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inode, changed: (seconds, nanoseconds), files, dirs, setgid_dirs } = self;
        write!(f, "{inode:x}.{seconds}.{nanoseconds}.{files:x}.{dirs:x}.{setgid_dirs:x}")
    }
}

/// What is no directory of this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VARIABLE} is malformed")
    }
}

impl std::error::Error for Malformed {}

impl FromStr for Plain {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let parts: Vec<&str> = text.split('.').collect();
        let &[inode, seconds, nanoseconds, files, dirs, setgid_dirs] = parts.as_slice() else {
            return Err(Malformed);
        };
        let count = |text| u32::from_str_radix(text, 16).map_err(|_| Malformed);
        Ok(Self {
            inode: u64::from_str_radix(inode, 16).map_err(|_| Malformed)?,
            changed: (
                seconds.parse().map_err(|_| Malformed)?,
                nanoseconds.parse().map_err(|_| Malformed)?,
            ),
            files: count(files)?,
            dirs: count(dirs)?,
            setgid_dirs: count(setgid_dirs)?,
        })
    }
}

impl From<Plain> for String {
    fn from(plain: Plain) -> Self {
        plain.to_string()
    }
}

impl TryFrom<String> for Plain {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

/// The value of the variable.
pub fn to_variable(plain: &[Plain]) -> String {
    plain.iter().map(Plain::to_string).collect::<Vec<_>>().join(",")
}

/// Reads the value of the variable.
pub fn of_variable(value: &str) -> Result<Vec<Plain>, Malformed> {
    value.split(',').filter(|text| !text.is_empty()).map(str::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_holds_what_was_put_into_it() {
        let large = Plain {
            inode: u64::MAX,
            changed: (i64::MIN, 999_999_999),
            files: u32::MAX,
            dirs: u32::MAX,
            setgid_dirs: u32::MAX,
        };
        let small = Plain { inode: 1, changed: (0, 0), files: 0, dirs: 1, setgid_dirs: 0 };
        let value = to_variable(&[large, small]);
        assert_eq!(of_variable(&value).unwrap(), [large, small]);
        assert_eq!(of_variable("").unwrap(), []);
        // Linux: MAX_ARG_STRLEN, the name and the final zero included.
        assert!((large.to_string().len() + 1) * MOST + VARIABLE.len() + 2 < 128 << 10);
        for malformed in
            ["1", "1.2.3.4.5", "1.2.3.4.5.6.7", "1.2.3.4.5.x", "-1.2.3.4.5.6", "1.2..4.5.6"]
        {
            assert_eq!(of_variable(malformed), Err(Malformed), "{malformed}");
        }
    }
}
