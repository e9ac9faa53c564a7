//! As whom the image's processes run, as far as the file tells.

use crate::dockerfile::{Args, Keyword, Stage, Word};
use crate::policy::{Node, View};

/// The last USER that counts for the target.
pub(super) struct FinalUser<'a> {
    pub(super) word: &'a Word,
    /// What stands before the colon, expanded.
    pub(super) name: String,
}

/// What the file says about the user.
pub(super) enum User<'a> {
    /// No USER in the target's lineage.
    Unset,
    Set(FinalUser<'a>),
    /// It hangs on a variable that the file does not set.
    Unknown,
}

/// The user of the target.
pub(super) fn final_user<'a>(view: &View<'a>) -> User<'a> {
    let Some(node) = users(view).pop() else { return User::Unset };
    let Args::Text(word) = &node.instruction.args else { return User::Unknown };
    let Some(user) = view.expand(node, word) else { return User::Unknown };
    let name = user.split(':').next().unwrap_or_default().trim().to_owned();
    if name.is_empty() { User::Unknown } else { User::Set(FinalUser { word, name }) }
}

/// All USER of the target's lineage, the first stage's first.
pub(super) fn users<'a>(view: &View<'a>) -> Vec<Node<'a>> {
    let mut found: Vec<Node<'a>> = view
        .all(Keyword::User)
        .filter(|node| !node.onbuild && view.in_result(node.stage))
        .collect();
    found.sort_by_key(|node| node.index);
    found
}

/// Whether the name or number is the superuser's.
pub(super) fn is_root(name: &str) -> bool {
    name == "root" || !name.is_empty() && name.bytes().all(|byte| byte == b'0')
}

/// The stage that the target's lineage begins with.
pub(super) fn first_stage<'v>(view: &'v View<'_>) -> Option<&'v Stage> {
    view.lineage().last().and_then(|index| view.stages.get(*index))
}

/// Whether the image is one of Windows, which has no root.
pub(super) fn is_windows(view: &View<'_>) -> bool {
    let named = |text: &str| {
        let text = text.to_lowercase();
        text.contains("windows") || text.contains("nanoserver") || text.contains("servercore")
    };
    view.file.escape() == '`'
        || view.lineage().iter().filter_map(|index| view.stages.get(*index)).any(|stage| {
            let platform = stage.platform.as_ref().is_some_and(|word| named(&word.text));
            let base = view.base(stage.index).is_some_and(|base| named(&base.reference));
            platform || base || stage.base.as_ref().is_some_and(|word| named(&word.text))
        })
        || view.all(Keyword::Shell).any(|node| {
            let program = node.instruction.words().first();
            program.is_some_and(|word| {
                let name = word.text.to_lowercase();
                name.contains("powershell") || name.contains("pwsh") || name.starts_with("cmd")
            })
        })
}

/// Whether something of the file can be started: a command, or a base that may bring one.
pub(super) fn is_runnable(view: &View<'_>) -> bool {
    let external = first_stage(view)
        .is_some_and(|stage| stage.base.as_ref().is_some_and(|word| word.text != "scratch"));
    external
        || view.nodes().any(|node| {
            let starts = matches!(node.instruction.keyword, Keyword::Cmd | Keyword::Entrypoint);
            starts && view.in_result(node.stage)
        })
}
