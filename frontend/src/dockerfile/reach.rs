//! What the target needs: walking the graph of stages and sources.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::inputs::{ImageInputs, InputError, InputErrorKind};
use super::instruction::Instruction;
use super::resolve::{Graph, Place, Source, froms};
use super::span::Span;
use super::stage::Stage;
use super::text;

impl Graph<'_> {
    fn stage_label(&self, state: usize) -> String {
        let stage = self.states.get(state).and_then(|state| state.stage);
        match stage.and_then(|index| self.stages.get(index)) {
            Some(Stage { name: Some(name), .. }) => name.clone(),
            Some(stage) => stage.index.to_string(),
            None => state.to_string(),
        }
    }

    fn neighbours(&self, state: usize) -> Vec<usize> {
        self.states.get(state).map_or_else(Vec::new, |state| {
            let deps = state.deps.iter().map(|dep| dep.state);
            state.base.into_iter().chain(deps).collect()
        })
    }

    fn sources_in(&self, state: usize) -> Vec<usize> {
        self.states
            .get(state)
            .map_or_else(Vec::new, |state| state.deps.iter().map(|dep| dep.state).collect())
    }

    /// Reports each stage whose sources lead back to it. Bases do not count here, as in BuildKit:
    /// a cycle through one is a source that comes too late.
    pub(super) fn cycles(&mut self) {
        // 0 unseen, 1 on the path, 2 done; an explicit stack, since stages can be many.
        let mut marks = vec![0u8; self.states.len()];
        let mut found = Vec::new();
        for root in 0..self.stages.len() {
            let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
            if marks.get(root) == Some(&0) {
                path.push((root, self.sources_in(root)));
                if let Some(mark) = marks.get_mut(root) {
                    *mark = 1;
                }
            }
            while let Some((state, rest)) = path.last_mut() {
                let state = *state;
                let Some(next) = rest.pop() else {
                    if let Some(mark) = marks.get_mut(state) {
                        *mark = 2;
                    }
                    path.pop();
                    continue;
                };
                match marks.get(next) {
                    Some(1) => found.push(next),
                    Some(0) => {
                        if let Some(mark) = marks.get_mut(next) {
                            *mark = 1;
                        }
                        let rest = self.sources_in(next);
                        path.push((next, rest));
                    }
                    _ => {}
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        for state in found {
            let span = self
                .states
                .get(state)
                .and_then(|state| self.stages.get(state.stage?))
                .and_then(|stage| self.dockerfile.instructions.get(stage.from))
                .map_or_else(Span::default, |node| node.span);
            let label = self.stage_label(state);
            self.error(InputErrorKind::Circular(label), span);
        }
    }

    fn target(&mut self) -> Option<usize> {
        let wanted = self.scope.target.as_deref().filter(|name| !name.is_empty());
        let Some(wanted) = wanted else {
            return self.stages.len().checked_sub(1);
        };
        let found = self.names.get(&text::lower(wanted)).copied();
        if found.is_none() {
            self.errors.push(InputError {
                kind: InputErrorKind::TargetMissing(wanted.to_owned()),
                span: Span::default(),
                line: 0,
            });
        }
        found
    }

    /// Marks what the target needs; ONBUILD of a base stage adds to what a stage needs.
    pub(super) fn reach(mut self) -> ImageInputs {
        let mut reachable = BTreeSet::new();
        let mut todo: Vec<usize> = self.target().into_iter().collect();
        while !todo.is_empty() {
            let mut fresh = BTreeSet::new();
            while let Some(state) = todo.pop() {
                if !reachable.contains(&state) && fresh.insert(state) {
                    todo.extend(self.neighbours(state));
                }
            }
            // In the order of the file, since triggers number their sources.
            for state in &fresh {
                self.trigger(*state);
            }
            todo.extend(fresh.iter().flat_map(|state| self.neighbours(*state)));
            reachable.extend(fresh);
        }
        self.recorded_triggers();
        self.order(&reachable);
        for state in &reachable {
            let input = self.states.get(*state).and_then(|state| state.input);
            if let Some(input) = input.and_then(|input| self.inputs.get_mut(input)) {
                input.reachable = true;
            }
        }
        self.inputs.sort_by_key(|input| input.span);
        self.errors.sort_by_key(|error| (error.line, error.span));
        ImageInputs {
            inputs: self.inputs,
            errors: self.errors,
            reachable_stages: reachable
                .into_iter()
                .filter_map(|state| self.states.get(state)?.stage)
                .collect(),
        }
    }

    /// Runs the ONBUILD instructions of a state's base stage.
    fn trigger(&mut self, state: usize) {
        let base = self.states.get(state).and_then(|state| state.base);
        let Some(stage) = base.and_then(|base| self.stages.get(base)).cloned() else {
            return;
        };
        for index in stage.body.clone() {
            let node = self.dockerfile.instructions.get(index);
            if let Some(inner) = node.and_then(Instruction::trigger) {
                self.sources_of(inner, &stage, state, true);
            }
        }
    }

    /// Lists the triggers that no stage of this file runs; names of stages are left out.
    fn recorded_triggers(&mut self) {
        for stage in Rc::clone(&self.stages).iter() {
            for index in stage.body.clone() {
                let node = self.dockerfile.instructions.get(index);
                let Some(inner) = node.and_then(Instruction::trigger) else {
                    continue;
                };
                for (kind, word) in froms(inner) {
                    let Some(word) = word else { continue };
                    let place = Place { kind, word: &word, stage, onbuild: true };
                    if let Source::Image(input) = self.source(&place) {
                        self.add(input);
                    }
                }
            }
        }
    }

    /// A needed stage may only read from stages before it.
    fn order(&mut self, reachable: &BTreeSet<usize>) {
        let mut late = Vec::new();
        for (index, state) in self.states.iter().enumerate() {
            if state.stage.is_none() || !reachable.contains(&index) {
                continue;
            }
            for dep in &state.deps {
                let stage = self.states.get(dep.state).and_then(|state| state.stage);
                if stage.is_some() && dep.state > index && !dep.onbuild {
                    late.push((dep.state, dep.span));
                }
            }
        }
        for (state, span) in late {
            let label = self.stage_label(state);
            self.error(InputErrorKind::StageTooLate(label), span);
        }
    }
}
