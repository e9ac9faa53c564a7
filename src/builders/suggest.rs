//! Names that look like one that does not exist.

/// Most names that are listed where none looks alike.
const LISTED: usize = 8;

/// The name that was probably meant; else all there are, when they are few.
pub(crate) fn near(wanted: &str, mut names: Vec<String>) -> Vec<String> {
    let wanted = wanted.to_ascii_lowercase();
    let allowed = wanted.chars().count().div_ceil(3);
    let closest = names
        .iter()
        .map(|name| (distance(&wanted, &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min();
    if let Some((_, name)) = closest {
        return vec![name.clone()];
    }
    if names.len() > LISTED {
        names.clear();
    }
    names
}

/// Characters to insert, delete or replace.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (count, char) in from.chars().enumerate() {
        let mut next = vec![count + 1];
        let mut left = count + 1;
        for ((other, above), corner) in to.iter().zip(row.iter().skip(1)).zip(&row) {
            left = (left + 1).min(above + 1).min(corner + usize::from(char != *other));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_seen() {
        for (from, to, steps) in [
            ("", "", 0),
            ("", "ab", 2),
            ("fra", "far", 2),
            ("far", "car", 1),
            ("remote", "remot", 1),
        ] {
            assert_eq!(distance(from, to), steps, "{from} {to}");
        }
        let names = || ["multi-arch", "remote"].map(String::from).to_vec();
        assert_eq!(near("Remtoe", names()), ["remote"]);
        assert_eq!(near("something-else", names()), names());
        assert_eq!(near("x", (0..9).map(|n| format!("builder{n}")).collect()), [""; 0]);
    }
}
