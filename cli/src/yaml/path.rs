//! Where a value stands in its document, and the way back from how the module spells that.

use super::{Node, Place, Value};
use throughline::config::path_to;

/// Steps from the document's root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Field(String),
    /// In the text, whatever was left out before it.
    Index(usize),
}

impl Path {
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    pub fn pop(&mut self) {
        self.0.pop();
    }

    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Its first steps.
    pub fn first(&self, steps: usize) -> Self {
        Self(self.0.iter().take(steps).cloned().collect())
    }

    pub fn is_at_or_above(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// From a root that stands at `self`.
    pub fn join(mut self, below: Self) -> Self {
        self.0.extend(below.0);
        self
    }

    /// As the module spells it.
    pub fn spelled(&self) -> String {
        self.0
            .iter()
            .fold(String::new(), |path, step| spelled(&path, step))
    }

    /// The deepest value of `root` on the way to what the module calls `path`. What is at `without` was not shown to the module.
    pub fn find<'p>(root: &Node, path: &'p str, without: &[Self]) -> Found<'p> {
        let mut found = Found {
            path: Self::default(),
            place: root.place,
            rest: path,
        };
        let (mut node, mut said) = (root, String::new());
        while let Some((step, place, below, spelled)) =
            next(node, &found.path, &said, path, without)
        {
            found.path.push(step);
            found.place = place;
            found.rest = path.strip_prefix(&*spelled).unwrap_or_default();
            (node, said) = (below, spelled);
        }
        found
    }
}

/// A value that the module named, or what there is of the way to it.
#[derive(Debug)]
pub struct Found<'p> {
    pub path: Path,
    /// Of a field, that of its name.
    pub place: Place,
    /// What is missing.
    pub rest: &'p str,
}

impl Found<'_> {
    /// The module's words for it, had it been shown all of the text.
    pub fn spelled(&self) -> String {
        self.path.spelled() + self.rest
    }
}

/// The value below `node`, which stands at `at` and which the module calls `said`, on the way to `path`.
fn next<'a>(
    node: &'a Node,
    at: &Path,
    said: &str,
    path: &str,
    without: &[Path],
) -> Option<(Step, Place, &'a Node, String)> {
    let is_shown = |step: &Step| {
        let mut path = at.clone();
        path.push(step.clone());
        !without.contains(&path)
    };
    let leads = |said: &str| {
        path.strip_prefix(said)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    match &node.value {
        Value::Map(fields) => fields.iter().find_map(|field| {
            let step = Step::Field(field.name.clone());
            let spelled = spelled(said, &step);
            let is_next = leads(&spelled) && is_shown(&step);
            is_next.then_some((step, field.place, &*field.node, spelled))
        }),
        Value::List(items) => {
            let shown = items.iter().enumerate().filter_map(|(index, item)| {
                let step = Step::Index(index);
                is_shown(&step).then_some((step, item))
            });
            shown.enumerate().find_map(|(index, (step, item))| {
                let spelled = spelled(said, &Step::Index(index));
                leads(&spelled).then_some((step, item.place, &**item, spelled))
            })
        }
        _ => None,
    }
}

fn spelled(path: &str, step: &Step) -> String {
    match step {
        Step::Field(name) => path_to(path, name),
        Step::Index(index) => format!("{path}[{index}]"),
    }
}
