//! Moby's own tables, and a comparison with a naive reference.

use proptest::prelude::*;

use super::*;

fn parents(path: &str) -> Vec<&str> {
    let dir = path.rfind('/').map(|at| &path[..at]).unwrap_or_default();
    if dir.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<&str> = dir.match_indices('/').map(|(at, _)| &dir[..at]).collect();
    all.push(dir);
    all
}

/// The verdict as a walk computes it, parents first.
fn walking(matcher: &PatternMatcher, path: &str) -> Result<bool, BadPattern> {
    let mut info: Option<MatchInfo> = None;
    for parent in parents(path) {
        let mut next = MatchInfo::default();
        matcher.matches_using_parent(parent.as_bytes(), info.as_ref(), Some(&mut next))?;
        info = Some(next);
    }
    matcher.matches_using_parent(path.as_bytes(), info.as_ref(), None)
}

fn check(patterns: &[&str], path: &str, want: bool) {
    let matcher = PatternMatcher::new(patterns).unwrap();
    let about = format!("{patterns:?} on {path:?}");
    assert_eq!(matcher.matches_or_parent_matches(path.as_bytes()), Ok(want), "{about}");
    assert_eq!(walking(&matcher, path), Ok(want), "walking, {about}");
    assert_eq!(
        matcher.matches_using_parent(path.as_bytes(), None, None),
        Ok(want),
        "no parent, {about}"
    );
}

#[test]
fn single_patterns() {
    for (pattern, path, want) in [
        ("**", "file", true),
        ("**", "file/", true),
        ("**/", "file", true),
        ("**/", "file/", true),
        ("**", "/", true),
        ("**/", "/", true),
        ("**", "dir/file", true),
        ("**/", "dir/file", true),
        ("**/**", "dir/file", true),
        ("**/**", "dir/file/", true),
        ("dir/**", "dir/file", true),
        ("dir/**", "dir/file/", true),
        ("dir/**", "dir/dir2/file", true),
        ("dir/**", "dir/dir2/file/", true),
        ("**/dir", "dir", true),
        ("**/dir", "dir/file", true),
        ("**/dir2/*", "dir/dir2/file", true),
        ("**/dir2/*", "dir/dir2/file/", true),
        ("**/dir2/**", "dir/dir2/dir3/file", true),
        ("**/dir2/**", "dir/dir2/dir3/file/", true),
        ("**file", "file", true),
        ("**file", "dir/file", true),
        ("**/file", "dir/file", true),
        ("**file", "dir/dir/file", true),
        ("**/file", "dir/dir/file", true),
        ("**/file*", "dir/dir/file", true),
        ("**/file*", "dir/dir/file.txt", true),
        ("**/file*txt", "dir/dir/file.txt", true),
        ("**/file*.txt", "dir/dir/file.txt", true),
        ("**/file*.txt*", "dir/dir/file.txt", true),
        ("**/**/*.txt", "dir/dir/file.txt", true),
        ("**/**/*.txt2", "dir/dir/file.txt", false),
        ("**/*.txt", "file.txt", true),
        ("**/**/*.txt", "file.txt", true),
        ("a**/*.txt", "a/file.txt", true),
        ("a**/*.txt", "a/dir/file.txt", true),
        ("a**/*.txt", "a/dir/dir/file.txt", true),
        ("a/*.txt", "a/dir/file.txt", false),
        ("a/*.txt", "a/file.txt", true),
        ("a/*.txt**", "a/file.txt", true),
        ("a[b-d]e", "ae", false),
        ("a[b-d]e", "ace", true),
        ("a[b-d]e", "aae", false),
        ("a[^b-d]e", "aze", true),
        (".*", ".foo", true),
        (".*", "foo", false),
        ("abc.def", "abcdef", false),
        ("abc.def", "abc.def", true),
        ("abc.def", "abcZdef", false),
        ("abc?def", "abcZdef", true),
        ("abc?def", "abcdef", false),
        ("a\\\\", "a\\", true),
        ("**/foo/bar", "foo/bar", true),
        ("**/foo/bar", "dir/foo/bar", true),
        ("**/foo/bar", "dir/dir2/foo/bar", true),
        ("abc/**", "abc", false),
        ("abc/**", "abc/def", true),
        ("abc/**", "abc/def/ghi", true),
        ("**/.foo", ".foo", true),
        ("**/.foo", "bar.foo", false),
        ("a(b)c/def", "a(b)c/def", true),
        ("a(b)c/def", "a(b)c/xyz", false),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
        ("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true),
        ("a\\*b", "a*b", true),
        ("docs/", "docs/README.md", true),
        ("  spaced  ", "spaced", true),
    ] {
        check(&[pattern], path, want);
    }
}

#[test]
fn later_patterns_override_earlier_ones() {
    check(&["**", "!util/docker/web"], "util/docker/web/foo", false);
    check(&["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", true);
    check(&["**", "!dist/*.whl"], "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", false);
    check(&["!fileutils.go", "*.go"], "fileutils.go", true);
    check(&["*.go", "!fileutils.go"], "fileutils.go", false);
    check(&["docs", "!docs/README.md"], "docs/README.md", false);
    check(&["docs/*", "!docs/README.md"], "docs/README.md", false);
    check(&[], "any/path", false);
    check(&["", "  "], "any/path", false);
}

/// Go's own table for `filepath.Match`, through the whole matcher; `None` is a syntax error.
#[test]
fn go_match_table() {
    for (pattern, path, want) in [
        ("abc", "abc", Some(true)),
        ("*", "abc", Some(true)),
        ("*c", "abc", Some(true)),
        ("a*", "ab/c", Some(true)),
        ("a*/b", "abc/b", Some(true)),
        ("a*/b", "a/c/b", Some(false)),
        ("a*b*c*d*e*/f", "axbxcxdxe/f", Some(true)),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Some(true)),
        ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", Some(false)),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Some(false)),
        ("a*b?c*x", "abxbbxdbxebxczzx", Some(true)),
        ("a*b?c*x", "abxbbxdbxebxczzy", Some(false)),
        ("ab[c]", "abc", Some(true)),
        ("ab[e-g]", "abc", Some(false)),
        ("ab[^c]", "abc", Some(false)),
        ("ab[^e-g]", "abc", Some(true)),
        ("a\\*b", "ab", Some(false)),
        ("a?b", "a☺b", Some(true)),
        ("a[^a]b", "a☺b", Some(true)),
        ("a???b", "a☺b", Some(false)),
        ("[a-ζ]*", "α", Some(true)),
        ("*[a-ζ]", "A", Some(false)),
        ("a?b", "a/b", Some(false)),
        ("a*b", "a/b", Some(false)),
        ("[\\]a]", "]", Some(true)),
        ("[\\-]", "-", Some(true)),
        ("[x\\-]", "z", Some(false)),
        ("[\\-x]", "-", Some(true)),
        ("[]a]", "]", None),
        ("[-]", "-", None),
        ("[x-]", "x", None),
        ("[-x]", "x", None),
        ("\\", "a", None),
        ("[a-b-c]", "a", None),
        ("[", "a", None),
        ("[^", "a", None),
        ("[^bc", "a", None),
        ("a[", "a", None),
        ("*x", "xxx", Some(true)),
    ] {
        match (want, PatternMatcher::new(&[pattern])) {
            (Some(want), Ok(matcher)) => {
                assert_eq!(
                    matcher.matches_or_parent_matches(path.as_bytes()),
                    Ok(want),
                    "{pattern} {path}"
                );
                // The plain function has no parents to fall back on.
                if !path.contains('/') {
                    assert_eq!(
                        gomatch::matches(pattern.as_bytes(), path.as_bytes()),
                        Ok(want),
                        "{pattern}"
                    );
                }
            }
            (None, Err(PatternError::Syntax(_))) => {}
            (want, got) => panic!("{pattern:?}: wanted {want:?}, got {got:?}"),
        }
    }
}

#[test]
fn malformed_patterns() {
    assert_eq!(PatternMatcher::new(&["!"]).unwrap_err(), PatternError::LoneExclamation);
    assert_eq!(PatternMatcher::new(&["ok", "x["]).unwrap_err(), PatternError::Syntax("x[".into()));
    // Passes Go's syntax check, but its expression has a reversed range: every evaluation fails.
    let matcher = PatternMatcher::new(&["[Local-Only]/"]).unwrap();
    assert_eq!(matcher.matches_or_parent_matches(b"x"), Err(BadPattern));
    assert_eq!(matcher.matches_or_parent_matches(b"x"), Err(BadPattern));
    // A negated pattern is not evaluated while nothing matched.
    let matcher = PatternMatcher::new(&["![Local-Only]"]).unwrap();
    assert_eq!(matcher.matches_or_parent_matches(b"x"), Ok(false));
}

/// The meaning of a pattern, spelled out character by character.
fn naive(pattern: &[char], path: &[char]) -> bool {
    match pattern {
        [] => path.is_empty(),
        ['*', '*', '/', rest @ ..] | ['*', '*', rest @ ..] => {
            if rest.is_empty() {
                return true;
            }
            naive(rest, path)
                || (0..path.len()).any(|at| path[at] == '/' && naive(rest, &path[at + 1..]))
        }
        ['*', rest @ ..] => {
            let run = path.iter().take_while(|&&c| c != '/').count();
            (0..=run).any(|skip| naive(rest, &path[skip..]))
        }
        ['?', rest @ ..] => path.first().is_some_and(|&c| c != '/') && naive(rest, &path[1..]),
        [literal, rest @ ..] => path.first() == Some(literal) && naive(rest, &path[1..]),
    }
}

fn naive_pattern(pattern: &str, path: &str) -> bool {
    let special = |text: &str| text.contains(['*', '?']);
    // Documented in moby as "aligning with gitignore": a literal behind a leading `**` is a plain suffix.
    if let Some(rest) = pattern.strip_prefix("**")
        && !special(rest)
    {
        return path.ends_with(rest) || rest.strip_prefix('/') == Some(path);
    }
    let (pattern, path): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), path.chars().collect());
    naive(&pattern, &path)
}

fn naive_list(patterns: &[String], path: &str) -> bool {
    let mut matched = false;
    for pattern in patterns {
        let cleaned = clean::clean(pattern);
        let (negated, text) = match cleaned.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, cleaned.as_str()),
        };
        if negated == matched
            && (naive_pattern(text, path)
                || parents(path).into_iter().any(|dir| naive_pattern(text, dir)))
        {
            matched = !negated;
        }
    }
    matched
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_naive_reference(
        patterns in prop::collection::vec("!?[ab.](a|b|\\.|/|\\*|\\*\\*|\\?|/\\*\\*/){0,6}|!?\\*\\*/[ab*/]{1,5}", 1..5),
        path in "[ab.]{1,3}(/[ab.]{1,3}){0,3}",
    ) {
        let cleaned_star_runs = patterns.iter().all(|p| !p.contains("***"));
        prop_assume!(cleaned_star_runs);
        let matcher = PatternMatcher::new(&patterns).unwrap();
        let want = naive_list(&patterns, &path);
        prop_assert_eq!(matcher.matches_or_parent_matches(path.as_bytes()).unwrap(), want);
        // With negations moby's two functions differ: a pattern skipped at the parent stays unknown below it.
        if !matcher.exclusions() {
            prop_assert_eq!(walking(&matcher, &path).unwrap(), want, "walking");
        }
    }

    #[test]
    fn never_panics(pattern in "\\PC{0,12}", path in "\\PC{0,12}") {
        if let Ok(matcher) = PatternMatcher::new(&[pattern]) {
            let _ = matcher.matches_or_parent_matches(path.as_bytes());
        }
    }

    #[test]
    fn hostile_syntax_never_panics(pattern in "[]\\[\\\\^*?a:\\-/!QEdpLxb0-9{}]{0,14}", path in "[]\\[ab/]{0,5}") {
        if let Ok(matcher) = PatternMatcher::new(&[pattern]) {
            let _ = matcher.matches_or_parent_matches(path.as_bytes());
        }
    }
}
