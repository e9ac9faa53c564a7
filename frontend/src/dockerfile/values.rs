//! Flag values that BuildKit's instruction parser reads itself, by Go's rules for each type.

use super::logical::Logical;
use super::mount;
use super::split::Flag;
use super::text;

/// Nanoseconds of one unit, by the unit's name.
fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Go's durations end here, in nanoseconds.
const LIMIT: u64 = 1 << 63;

/// Go's duration, such as `1h2m3.5s`, in nanoseconds.
fn duration(value: &str) -> Option<i128> {
    let (negative, mut rest) = match value.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, value.strip_prefix('+').unwrap_or(value)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let is_digit = |ch: char| ch.is_ascii_digit();
        let tail = rest.trim_start_matches(is_digit);
        let whole = rest.strip_suffix(tail).unwrap_or_default();
        let (fraction, tail) = match tail.strip_prefix('.') {
            Some(after) => {
                let tail = after.trim_start_matches(is_digit);
                (after.strip_suffix(tail).unwrap_or_default(), tail)
            }
            None => ("", tail),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = tail.find(|ch: char| ch == '.' || ch.is_ascii_digit()).unwrap_or(tail.len());
        let (name, tail) = tail.split_at(end);
        let unit = unit(name)?;
        let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
        if whole > LIMIT {
            return None;
        }
        let part = whole.checked_mul(unit).filter(|part| *part <= LIMIT)?;
        total = total.checked_add(part)?.checked_add(portion(fraction, unit))?;
        if total > LIMIT {
            return None;
        }
        rest = tail;
    }
    let total = i128::from(total);
    let limit = i128::from(LIMIT);
    match negative {
        true => Some(-total),
        false => (total < limit).then_some(total),
    }
}

/// The part of a unit that decimal digits stand for; in floating point, as Go has it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the rounding is part of the verdict"
)]
fn portion(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        if value > (LIMIT - 1) / 10 {
            break;
        }
        value = value * 10 + u64::from(digit - b'0');
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

/// Whether HEALTHCHECK takes the value as an interval: nothing, zero or at least a millisecond.
pub(crate) fn is_interval(value: &str) -> bool {
    value.is_empty() || duration(value).is_some_and(|nanos| nanos == 0 || nanos >= 1_000_000)
}

/// Whether HEALTHCHECK takes the value as a number of tries.
pub(crate) fn is_retries(value: &str) -> bool {
    value.is_empty() || value.parse::<i32>().is_ok_and(|number| number >= 0)
}

fn is_bool(value: &str) -> bool {
    matches!(
        value,
        "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False"
    )
}

/// What is wrong with the value of `RUN --mount`, which is mostly read when it runs.
pub(crate) fn mount_fault(line: &Logical, flag: &Flag) -> Option<MountFault> {
    let Ok(mount) = mount::mount(line, flag) else {
        return Some(MountFault::Csv);
    };
    let variable = |value: &str| value.find('$').is_some_and(|at| at + 1 != value.len());
    mount
        .fields
        .iter()
        .filter(|field| field.key == "from")
        .filter_map(|field| field.value.as_ref())
        .any(|value| variable(&value.text))
        .then_some(MountFault::Variable)
}

/// Why a mount is refused before anything runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MountFault {
    Csv,
    /// A variable in `from`.
    Variable,
}

/// Whether `RUN --device` takes the value: a device's name and whether it must exist.
pub(crate) fn is_device(flag: &Flag) -> bool {
    let Ok(fields) = mount::csv(&flag.decoded.text, flag.decoded.value) else {
        return false;
    };
    let mut named = false;
    for (field, _) in fields {
        let fine = match field.split_once('=') {
            Some((key, value)) => match text::lower(key).as_str() {
                // An empty name is as good as none.
                "name" => !std::mem::replace(&mut named, !value.is_empty()),
                "required" => is_bool(value),
                _ => !std::mem::replace(&mut named, true),
            },
            None if text::lower(&field) == "required" => true,
            None => !std::mem::replace(&mut named, !field.is_empty()),
        };
        if !fine {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::span::Span;
    use super::super::split;
    use super::*;

    #[test]
    fn intervals() {
        for good in [
            "",
            "0",
            "+0",
            "-0",
            "0s",
            "-0s",
            "1ms",
            "5s",
            "1h2m3.5s",
            ".5s",
            "1.s",
            "1000us",
            "1000\u{b5}s",
            "2562047h47m16.8547758s",
            "0.999ms1us",
            "007s",
            "0.1ns",
        ] {
            assert!(is_interval(good), "{good}");
        }
        for bad in [
            "5",
            "s",
            ".s",
            "1m-1s",
            "5 s",
            "-5s",
            "999us",
            "1d",
            "--1s",
            "1e3s",
            "1S",
            "2562047h47m16.854775808s",
            "99999999999999999999s",
            " 5s",
            "5s ",
            "5.5.5s",
        ] {
            assert!(!is_interval(bad), "{bad}");
        }
    }

    #[test]
    fn retries() {
        for good in ["", "0", "3", "+3", "-0", "2147483647", "007"] {
            assert!(is_retries(good), "{good}");
        }
        for bad in ["-1", "2147483648", "0x3", "1_0", "3.0", " 3", "+"] {
            assert!(!is_retries(bad), "{bad}");
        }
    }

    fn flag(text: &str) -> (Logical, Flag) {
        let mut line = Logical::default();
        line.push(text.as_bytes(), Span::new(0, text.len()));
        let (flags, _) = split::flags(&line, line.all(), b'\\');
        let flag = flags.into_iter().next().unwrap();
        (line, flag)
    }

    #[test]
    fn devices() {
        for good in [
            "a",
            "v.com/gpu=all",
            "name=a",
            "a,required",
            "a,REQUIRED=false",
            "required,a",
            "name=,a",
            "name=a=b",
            "required=1",
        ] {
            assert!(is_device(&flag(&format!("--device={good} x")).1), "{good}");
        }
        for bad in
            ["", "a,", "a,b", "a,name=b", "a,c=d", "name=a,name=b", "a,required=yes", "'\"a'"]
        {
            assert!(!is_device(&flag(&format!("--device={bad} x")).1), "{bad}");
        }
    }

    #[test]
    fn variables_in_a_mount_source() {
        let fault = |text: &str| {
            let (line, flag) = flag(&format!("--mount={text} x"));
            mount_fault(&line, &flag)
        };
        assert_eq!(fault("from=a$x"), Some(MountFault::Variable));
        assert_eq!(fault("type=bind,FROM=$$"), Some(MountFault::Variable));
        assert_eq!(fault("from=a$"), None);
        assert_eq!(fault("source=$x,from"), None);
        assert_eq!(fault("a\\\"b"), Some(MountFault::Csv));
    }
}
