use super::*;

/// Words of each command with what follows it, in the way people write.
fn told(script: &str) -> Vec<String> {
    let parsed = parse(script.as_bytes());
    let joint = |joint| match joint {
        Joint::And => " &&",
        Joint::Or => " ||",
        Joint::Then => " ;",
        Joint::Pipe => " |",
        Joint::Background => " &",
        Joint::End => "",
    };
    let tell = |command: &Command| {
        let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
        let set = command.assignments.iter().map(|set| format!("{}={} ", set.name, set.value.text));
        format!("{}{}{}", set.collect::<String>(), words.join(" "), joint(command.joint))
    };
    parsed.commands.iter().map(tell).collect()
}

#[test]
fn lists_and_pipes() {
    assert_eq!(
        told("apt-get update && apt-get install -y curl; rm -rf /var/lib/apt/lists/* || true"),
        [
            "apt-get update &&",
            "apt-get install -y curl ;",
            "rm -rf /var/lib/apt/lists/* ||",
            "true"
        ]
    );
    let script = parse(b"curl -fsSL https://x | tar xz & wait");
    assert_eq!(script.commands[1].reads_from, Some(0));
    assert_eq!(script.commands[1].joint, Joint::Background);
    assert!(!script.incomplete);
}

#[test]
fn quotes_and_expansions() {
    let script = parse(br#"echo "a $B" 'c d' e\ f ${G:-"}"} "$(uname -m)" $'x\ny' -o"k"=v"#);
    let words: Vec<(&str, bool)> =
        script.commands[1].words.iter().map(|word| (word.text.as_str(), word.expands)).collect();
    assert_eq!(
        words,
        [
            ("echo", false),
            ("a $B", true),
            ("c d", false),
            ("e f", false),
            ("${G:-\"}\"}", true),
            ("$(uname -m)", true),
            ("x\ny", false),
            ("-ok=v", false),
        ]
    );
    assert_eq!(script.commands[0].words[0].text, "uname");
    assert!(script.commands[0].substituted && !script.commands[1].substituted);
}

#[test]
fn compound_commands() {
    assert_eq!(
        told("if [ -f x ]; then a; elif b; then c; else d; fi > log && e"),
        ["[ -f x ] ;", "a ;", "b ;", "c ;", "d ;", " &&", "e"]
    );
    assert_eq!(told("for i in a b; do x $i; done | sh"), ["x $i ;", "sh"]);
    assert_eq!(told("for ((i=0; i<3; i++)); do x; done"), ["x ;"]);
    assert_eq!(told("while read l; do x; done < f; y"), ["read l ;", "x ;", " ;", "y"]);
    assert_eq!(told("( cd x && make ) | tee log"), ["cd x &&", "make |", "tee log"]);
    assert_eq!(told("{ a; b; } && c"), ["a ;", "b ;", "c"]);
    assert_eq!(told("f() { a; }; function g { b; }; f"), ["a ;", "b ;", "f"]);
    assert_eq!(told("[[ $a == b && c > d ]] && e; ((x > 1)) && y"), ["e ;", "y"]);
    assert_eq!(told("! a | b; time c"), ["a |", "b ;", "c"]);
}

#[test]
fn cases() {
    let script = "set -eux; case \"$(dpkg --print-architecture)\" in\n  amd64|x86_64) a=1 ;;\n  (arm64) b ;; # c\n  *) echo >&2 no; exit 1 ;;\nesac; done_with";
    assert_eq!(
        told(script),
        [
            "set -eux ;",
            "dpkg --print-architecture",
            "a=1  ;",
            "b ;",
            "echo no ;",
            "exit 1 ;",
            "done_with"
        ]
    );
    assert_eq!(told("case a in b) case c in d) e;; esac;; f) g; esac; h"), ["e ;", "g ;", "h"]);
}

#[test]
fn redirections_and_here_documents() {
    let source = "cat <<EOF > out 2>&1; echo x\n$(whoami) curl\nEOF\ncat <<-'E'\n\tcurl\n\tE\nend";
    let script = parse(source.as_bytes());
    let commands: Vec<&str> =
        script.commands.iter().map(|command| command.words[0].text.as_str()).collect();
    assert_eq!(commands, ["cat", "echo", "cat", "end"]);
    let redirects = &script.commands[0].redirects;
    let told: Vec<(&str, Option<u32>, &str)> = redirects
        .iter()
        .map(|redirect| (redirect.operator.as_str(), redirect.fd, redirect.target.text.as_str()))
        .collect();
    assert_eq!(told, [("<<", None, "EOF"), (">", None, "out"), (">&", Some(2), "1")]);
    assert_eq!(&source[redirects[0].body.clone()], "$(whoami) curl\n");
    assert_eq!(&source[script.commands[2].redirects[0].body.clone()], "\tcurl\n");
    assert_eq!(told_words("bash <(curl x) >(tee y)"), ["bash <(curl x) >(tee y)"]);
}

fn told_words(script: &str) -> Vec<String> {
    told(script).into_iter().filter(|line| !line.starts_with(['c', 't'])).collect()
}

#[test]
fn assignments_and_substitutions() {
    assert_eq!(told("A=1 B=\"$C\" cmd D=2; E=$(x y)"), ["A=1 B=$C cmd D=2 ;", "x y", "E=$(x y) "]);
    assert_eq!(
        told("echo `date -u` \"`id -u`\" $((1 + 2)) $(a; b)"),
        ["date -u", "id -u", "a ;", "b", "echo `date -u` `id -u` $((1 + 2)) $(a; b)"]
    );
    assert_eq!(told("a=(b 'c d' $(e)); f"), ["e", "a=  ;", "f"]);
    let spans = parse(b"a=b  curl -o 'x y' z");
    assert_eq!(spans.commands[0].span, 0..20);
    assert_eq!(spans.commands[0].words[2].span, 13..18);
    assert_eq!(spans.commands[0].assignments[0].value.span, 2..3);
}

#[test]
fn calls_behind_wrappers() {
    let name = |text: &str| {
        let script = parse(text.as_bytes());
        let call = script.commands[0].call().unwrap();
        let words: Vec<&str> = call.args.iter().map(|word| word.text.as_str()).collect();
        format!("{} {}", call.name, words.join(" "))
    };
    assert_eq!(name("sudo -u root -E /usr/bin/curl -k x"), "curl -k x");
    assert_eq!(name("env A=b timeout -k 5 10 apt-get update"), "apt-get update");
    assert_eq!(name("gosu postgres initdb"), "initdb ");
    assert_eq!(name("sudo -v"), "sudo -v");
    assert_eq!(name("xargs -n 1 -P 4 chmod 777"), "chmod 777");
    assert_eq!(name("busybox wget -O x y"), "wget -O x y");
    let script = parse(b"apt-get -qy -t stable install --no-install-recommends curl=1 -- git");
    let call = script.commands[0].call().unwrap();
    assert!(call.option(&["-y", "--yes"]).is_some() && call.option(&["-f"]).is_none());
    let operands: Vec<&str> = call.operands(&["-t"]).map(|word| word.text.as_str()).collect();
    assert_eq!(operands, ["install", "curl=1", "git"]);
}

#[test]
fn what_is_broken_is_left_out() {
    for script in ["echo 'a", "echo \"a", "echo $(a", "echo `a", "echo ${a", "(a"] {
        let parsed = parse(script.as_bytes());
        assert!(parsed.incomplete, "{script}");
    }
    assert_eq!(told("a ) b } ; c"), ["a", "b } ;", "c"]);
    assert_eq!(told("} fi esac ;; & && | c"), ["c"]);
}

#[test]
fn hostile_scripts_take_linear_time() {
    for piece in [
        "(",
        "((",
        "$(",
        "$((",
        "\"$(",
        "`",
        "${",
        "{ ",
        "if ",
        "case a in (",
        "<<A ",
        "a=(",
        "[[ ",
        "<(",
        "for ",
    ] {
        parse(piece.repeat(30_000).as_bytes());
    }
}

proptest::proptest! {
    #[test]
    fn spans_lie_in_the_script(script in "[-a-z \\n;&|<>(){}$`'\"\\\\=#0-9]{0,120}") {
        let parsed = parse(script.as_bytes());
        for command in &parsed.commands {
            for word in command.words.iter().chain(command.redirects.iter().map(|to| &to.target)) {
                proptest::prop_assert!(word.span.start <= word.span.end);
                proptest::prop_assert!(word.span.end <= script.len());
            }
            proptest::prop_assert!(command.reads_from.is_none_or(|from| from < parsed.commands.len()));
        }
    }
}
