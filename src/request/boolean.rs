//! `true` and `false` in all the ways that Go's `strconv.ParseBool` knows.

/// Reads one.
pub(crate) fn parse(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("it is neither true nor false".to_string()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_spelling_of_go_is_read() {
        for yes in ["1", "t", "T", "true", "TRUE", "True"] {
            assert_eq!(super::parse(yes), Ok(true));
        }
        for no in ["0", "f", "F", "false", "FALSE", "False"] {
            assert_eq!(super::parse(no), Ok(false));
        }
        for bad in ["", "yes", "tRUE", "on"] {
            assert!(super::parse(bad).is_err());
        }
    }
}
