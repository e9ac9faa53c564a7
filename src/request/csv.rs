//! `key=value,key=value` as Go's `encoding/csv` splits it: a field in double quotes may hold commas.

use std::fmt;

/// Why a text is no line of CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CsvError {
    /// A quote in the middle of a field that does not begin with one.
    BareQuote,
    /// A quoted field that does not end, or goes on behind its quote.
    Quote,
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BareQuote => "bare \" in a field without quotes; quote the whole field",
            Self::Quote => "extraneous or missing \" in a quoted field",
        })
    }
}

/// Splits at commas and takes quotes away; two quotes within quotes are one.
pub(super) fn fields(line: &str) -> Result<Vec<String>, CsvError> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => match rest.split_once(',') {
                Some((field, after)) => (field.to_string(), Some(after)),
                None => (rest.to_string(), None),
            },
        };
        if !rest.starts_with('"') && field.contains('"') {
            return Err(CsvError::BareQuote);
        }
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// The field whose first quote is taken already, and what follows its comma.
fn quoted_field(text: &str) -> Result<(String, Option<&str>), CsvError> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"').ok_or(CsvError::Quote)?;
        field.push_str(before);
        if let Some(more) = after.strip_prefix('"') {
            field.push('"');
            rest = more;
        } else if after.is_empty() {
            return Ok((field, None));
        } else {
            return after.strip_prefix(',').map(|r| (field, Some(r))).ok_or(CsvError::Quote);
        }
    }
}

/// Writes one `key=value`, quoted if it must be.
pub(super) fn quote(pair: &str) -> String {
    if pair.contains([',', '"']) {
        format!("\"{}\"", pair.replace('"', "\"\""))
    } else {
        pair.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_split_as_go_splits_them() {
        for (line, expected) in [
            ("a=1,b=2", vec!["a=1", "b=2"]),
            ("\"a=1,2\",b", vec!["a=1,2", "b"]),
            ("\"a=\"\"x\"\"\"", vec!["a=\"x\""]),
            ("a,", vec!["a", ""]),
            ("", vec![""]),
        ] {
            assert_eq!(fields(line).unwrap(), expected, "{line}");
        }
        assert_eq!(fields("a=\"b\""), Err(CsvError::BareQuote));
        assert_eq!(fields("\"a"), Err(CsvError::Quote));
        assert_eq!(fields("\"a\"b"), Err(CsvError::Quote));
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(pairs in prop::collection::vec("[a-z=,\" é]{0,8}", 1..5)) {
            // A bare quote or a comma forces quotes; everything else stays as it is.
            let line = pairs.iter().map(|pair| quote(pair)).collect::<Vec<_>>().join(",");
            prop_assert_eq!(fields(&line).unwrap(), pairs);
        }

        #[test]
        fn any_text_is_split_or_refused(line in "\\PC*") {
            let _ = fields(&line);
        }
    }
}
