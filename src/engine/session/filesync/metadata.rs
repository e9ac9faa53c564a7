//! What the engine asks for: the gRPC metadata of a DiffCopy call.

use percent_encoding::percent_decode;
use tonic::codegen::http::HeaderMap;

/// The request of one DiffCopy call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// Name of the directory.
    pub dir_name: String,
    /// Paths must match one of these; `None` is no such filter.
    pub include: Option<Vec<String>>,
    /// Paths must match none of these.
    pub exclude: Option<Vec<String>>,
    /// Links that are resolved into further include patterns.
    pub follow: Option<Vec<String>>,
}

impl Request {
    /// Reads the metadata; `override-excludes` of old engines concerns excludes of the client's own,
    /// which there are none of.
    ///
    /// # Errors
    /// A value that claims to be encoded and is not: guessing at an exclude pattern could send too much.
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Self, String> {
        Ok(Self {
            dir_name: values(headers, "dir-name")?
                .and_then(|names| names.into_iter().next())
                .unwrap_or_default(),
            include: values(headers, "include-patterns")?,
            exclude: values(headers, "exclude-patterns")?,
            follow: values(headers, "followpaths")?,
        })
    }
}

/// All values of one key, decoded when `<key>-encoded` is a true value of Go's `strconv.ParseBool`.
fn values(headers: &HeaderMap, key: &str) -> Result<Option<Vec<String>>, String> {
    let encoded = headers.get(format!("{key}-encoded")).is_some_and(|flag| {
        matches!(flag.as_bytes(), b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True")
    });
    let mut found = Vec::new();
    for value in headers.get_all(key) {
        found.push(if encoded {
            query_unescape(value.as_bytes())
                .ok_or_else(|| format!("malformed encoding in {key}"))?
        } else {
            // Engines before 0.12 send non-ASCII names raw.
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        });
    }
    Ok((!found.is_empty()).then_some(found))
}

/// Go's `url.QueryUnescape`: `%XX`, and `+` for a blank.
fn query_unescape(value: &[u8]) -> Option<String> {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        let digits = rest.get(at + 1..at + 3)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = rest.get(at + 3..)?;
    }
    let blanks: Vec<u8> =
        value.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    Some(percent_decode(&blanks).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use tonic::codegen::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        pairs.iter().fold(HeaderMap::new(), |mut map, (key, value)| {
            map.append(*key, HeaderValue::from_bytes(value).unwrap());
            map
        })
    }

    #[test]
    fn reads_repeated_plain_and_encoded_values() {
        let request = Request::from_headers(&headers(&[
            ("dir-name", b"context"),
            ("include-patterns", b"a+b%20"),
            ("include-patterns", b"c,d"),
            ("exclude-patterns", b"caf%C3%A9+x%2B"),
            ("exclude-patterns-encoded", b"1"),
            ("followpaths", "caf\u{e9}".as_bytes()),
            ("override-excludes", b"true"),
        ]))
        .unwrap();
        assert_eq!(request.dir_name, "context");
        assert_eq!(request.include.unwrap(), ["a+b%20", "c,d"]);
        assert_eq!(request.exclude.unwrap(), ["caf\u{e9} x+"]);
        assert_eq!(request.follow.unwrap(), ["caf\u{e9}"]);
    }

    #[test]
    fn absent_lists_are_none_and_bad_encodings_are_refused() {
        assert_eq!(Request::from_headers(&HeaderMap::new()), Ok(Request::default()));
        let bad = headers(&[("exclude-patterns", b"%zz"), ("exclude-patterns-encoded", b"1")]);
        assert!(Request::from_headers(&bad).unwrap_err().contains("exclude-patterns"));
    }
}
