//! Variables that are surely empty, because nothing sets them.

use std::collections::BTreeMap;

use super::unpinned_image::is_platform_argument;
use crate::dockerfile::{Args, Keyword, Lex, Word};
use crate::policy::{About, Findings, Node, Place, Rule, Severity, View};

pub struct UndefinedVariable;

static ABOUT: About = About {
    id: "undefined-variable",
    title: "a variable that nothing sets",
    severity: Severity::Low,
    also: &["UndefinedVar"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/undefined-variable.md"),
};

/// More instructions than this are not looked at: for each the names before it are listed.
const MOST: usize = 2000;

impl Rule for UndefinedVariable {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        if view.file.instructions.len() > MOST {
            return;
        }
        let lex = Lex::new(view.file.escape());
        for node in view.nodes().filter(|node| !node.onbuild && node.stage.is_some()) {
            let words: Vec<&Word> =
                words(node).into_iter().filter(|word| word.text.contains('$')).collect();
            if words.is_empty() {
                continue;
            }
            let known = view.variables(node);
            for word in words {
                let Ok(done) = lex.expand(&word.text, &known) else { continue };
                for name in done.undefined.iter().filter(|name| !has_own_answer(&word.text, name)) {
                    let Some((message, help)) = complaint(view, node, name, &known) else {
                        continue;
                    };
                    found.report(&ABOUT, word.span, message).help(help);
                }
            }
        }
    }
}

/// The words of an instruction in which BuildKit expands variables.
fn words(node: Node<'_>) -> Vec<&Word> {
    let instruction = node.instruction;
    match (instruction.keyword, &instruction.args) {
        (Keyword::Add | Keyword::Copy | Keyword::Expose | Keyword::Volume, _) => {
            instruction.words().iter().collect()
        }
        (Keyword::User | Keyword::Workdir | Keyword::Stopsignal, Args::Text(word)) => vec![word],
        (Keyword::Env | Keyword::Label, _) => {
            instruction.pairs().iter().filter_map(|pair| pair.value.as_ref()).collect()
        }
        _ => Vec::new(),
    }
}

/// `${NAME:-default}` and its like say what to do without.
fn has_own_answer(text: &str, name: &str) -> bool {
    text.match_indices(&format!("${{{name}")).any(|(at, start)| {
        let rest = text.get(at + start.len()..).unwrap_or_default();
        rest.starts_with([':', '-', '+', '?'])
    })
}

/// Why a name is surely empty there; `None` where a base may set it.
fn complaint(
    view: &View<'_>,
    node: Node<'_>,
    name: &str,
    known: &BTreeMap<String, String>,
) -> Option<(String, String)> {
    let stage = view.stages.get(node.stage?)?;
    let declared = declared(view, node);
    if declared.iter().any(|other| other == name) || name == "PATH" {
        return None;
    }
    if is_platform_argument(name) {
        let message = format!("{name} is empty here: the stage has no ARG {name}");
        return Some((message, format!("put ARG {name} before this line")));
    }
    let mut first = stage;
    while let Some(parent) = view.parent(first) {
        first = parent;
    }
    let on_scratch = first.base.as_ref().is_some_and(|word| word.text == "scratch");
    let near = declared.iter().chain(known.keys()).find(|other| is_typo(other, name));
    match near {
        Some(other) => Some((format!("nothing sets {name}"), format!("perhaps ${other} is meant"))),
        None if on_scratch => {
            Some((format!("nothing sets {name}"), format!("put ARG {name}=… before this line")))
        }
        None => None,
    }
}

/// Names that ARG and ENV of this stage and those below it have before this line.
fn declared(view: &View<'_>, node: Node<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let mut stage = node.stage.and_then(|stage| view.stages.get(stage));
    while let Some(current) = stage {
        let before = view.file.instructions.get(current.body.clone()).unwrap_or_default();
        let own = before.iter().zip(current.body.clone());
        for (instruction, _) in own.take_while(|(_, index)| *index < node.index) {
            if matches!(instruction.keyword, Keyword::Arg | Keyword::Env) {
                names.extend(instruction.pairs().iter().map(|pair| pair.name.text.clone()));
            }
        }
        stage = view.parent(current);
    }
    names
}

/// One letter left out, doubled or two of them exchanged; another letter may be another name.
fn is_typo(known: &str, used: &str) -> bool {
    if known.len().min(used.len()) < 5 || !known.is_ascii() || !used.is_ascii() {
        return false;
    }
    let (a, b) = (known.as_bytes(), used.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let letters = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_alphabetic);
    let rest = |bytes: &[u8], skip: usize| bytes.get(same + skip..).unwrap_or_default().to_vec();
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => match (a.get(same..same + 2), b.get(same..same + 2)) {
            (Some([x, y]), Some([v, w])) => {
                x == w && y == v && letters(&[*x, *y]) && rest(a, 2) == rest(b, 2)
            }
            _ => false,
        },
        // An S more or less at the end is another name: FILE, FILES.
        std::cmp::Ordering::Less if b.len() == a.len() + 1 => {
            same < a.len()
                && letters(b.get(same..=same).unwrap_or_default())
                && rest(a, 0) == rest(b, 1)
        }
        std::cmp::Ordering::Greater if a.len() == b.len() + 1 => {
            same < b.len()
                && letters(a.get(same..=same).unwrap_or_default())
                && rest(b, 0) == rest(a, 1)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{places, silent, speaks};

    #[test]
    fn surely_empty() {
        speaks(
            &UndefinedVariable,
            &[
                "FROM scratch\nCOPY app-$VERSION /app\n",
                "ARG VERSION=1\nFROM scratch\nCOPY app-$VERSION /app\n",
                "FROM a:1\nCOPY app-$TARGETARCH /app\n",
                "FROM a:1\nARG VERSION=1\nLABEL v=$VERISON\n",
                "FROM a:1\nARG VERSION=1\nLABEL v=${VERSIN}\n",
                "FROM scratch AS b\nFROM b\nENV A=$NOTHING\n",
            ],
        );
        assert_eq!(
            places(&UndefinedVariable, "FROM scratch\nENV A=x B=$NO\nVOLUME /a $NO2\n"),
            ["$NO", "$NO2"]
        );
    }

    #[test]
    fn what_is_set_or_may_be() {
        silent(
            &UndefinedVariable,
            &[
                "FROM a:1\nENV P=$PATH:/x H=$HOME\n",
                "FROM scratch\nENV P=$PATH:/x\n",
                "FROM scratch\nARG V\nCOPY app-$V /app\n",
                "ARG V=1\nFROM scratch\nARG V\nCOPY app-$V /app\n",
                "FROM scratch\nCOPY app-${V:-1} /app\n",
                "FROM scratch\nRUN echo $X\nCMD $X\n",
                "FROM a:1\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\n",
                "ARG NODE_VERSION=1\nFROM node:$NODE_VERSION\nLABEL v=$NODE_VERSION\n",
                "FROM a:1\nENV FILES=a\nENV X=$FILE\n",
                "FROM a:1\nENV APP_V1=a\nENV X=$APP_V2 Y=$APP_V11\n",
                "FROM scratch\nONBUILD COPY $X /x\n",
                "FROM scratch\nENV X='$Y' Z=\\$Y\n",
                "FROM scratch AS b\nENV X=1\nFROM b\nENV Y=$X\n",
            ],
        );
    }
}
