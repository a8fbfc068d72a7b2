//! What is wrong with a configuration, by the module's own reading.

use super::plugin::Plugin;
use crate::proxy::Proxy;
use crate::yaml::{Found, Path, Place, Step};
use throughline::config::{self, Problem, Settings};

/// More than anybody mends at once.
const MOST_PROBLEMS: usize = 32;
/// More values than the module takes bytes.
pub const MOST_VALUES: usize = 64 * 1024;

/// One mistake, and where it is.
#[derive(Debug)]
pub struct Located {
    pub place: Place,
    pub problem: Problem,
}

/// What the module makes of a configuration.
pub type Loaded = Result<Box<Settings>, Vec<Located>>;

/// Loads it as the module would in that proxy. The module stops at the first mistake; to find the next, what is wrong is left
/// out, and the rest is loaded again.
pub fn load(plugin: &Plugin<'_>, proxy: &Proxy) -> Loaded {
    let mut search = Search {
        plugin,
        proxy,
        without: Vec::new(),
        unset: Vec::new(),
        hurt: Vec::new(),
    };
    let mut problems = Vec::new();
    loop {
        let problem = match search.load() {
            Ok(settings) if problems.is_empty() => return Ok(Box::new(settings)),
            Ok(_) => return Err(problems),
            Err(problem) => problem,
        };
        let (located, goes_on) = search.leave_out(problem);
        problems.extend(located);
        if !goes_on || problems.len() >= MOST_PROBLEMS {
            return Err(problems);
        }
    }
}

struct Search<'a> {
    plugin: &'a Plugin<'a>,
    proxy: &'a Proxy,
    /// What is left out.
    without: Vec<Path>,
    /// Variables that are wrong.
    unset: Vec<String>,
    /// Sections of which a part is left out: what they lack now is nobody's mistake.
    hurt: Vec<Path>,
}

impl Search<'_> {
    fn load(&self) -> Result<Settings, Problem> {
        let text = match self.plugin.config {
            None => String::new(),
            Some(config) => {
                let json = config.to_json(&self.without, MOST_VALUES);
                json.ok_or_else(|| {
                    Problem::new(
                        "",
                        format!("the configuration has more than {MOST_VALUES} values"),
                    )
                })?
            }
        };
        let variable = |name: &str| {
            let is_unset = self.unset.iter().any(|unset| unset == name);
            let value = self.plugin.environment(self.proxy, name);
            value.filter(|_| !is_unset)
        };
        config::load(text.as_bytes(), &variable, &mut &*self.proxy)
    }

    /// Leaves out what the problem is about. Returns the problem, unless it may come from what was left out before, and whether
    /// there is more to be looked at.
    fn leave_out(&mut self, problem: Problem) -> (Option<Located>, bool) {
        let Some(config) = self.plugin.config else {
            return (Some(self.of_variable(problem)), false);
        };
        let found = Path::find(config, &problem.path, &self.without);
        if found.path.steps().is_empty() {
            let is_variable = !problem.path.is_empty() && !self.unset.contains(&problem.path);
            self.unset.push(problem.path.clone());
            return (Some(self.of_variable(problem)), is_variable);
        }
        let said = Problem::new(found.spelled(), problem.message.clone());
        // Of an override's own configuration the message begins with the field.
        let field = problem.message.split_once(": ").map(|(field, _)| field);
        let inner = format!("{}.{}", problem.path, field.unwrap_or_default());
        let deeper = Path::find(config, &inner, &self.without);
        let is_deeper = deeper.path.steps().len() > found.path.steps().len();
        let Found { path, place, rest } = if is_deeper { deeper } else { found };
        let section = section(&path);
        let is_hurt = self.hurt.contains(&section);
        // They judge one value by itself.
        let is_of_value = ["unknown field", "expected "]
            .iter()
            .any(|begin| problem.message.starts_with(begin));
        let lost_a_part = self.without.iter().any(|part| path.is_at_or_above(part));
        if lost_a_part {
            self.without.push(path);
            return (None, true);
        }
        if is_hurt && !is_of_value {
            self.without.push(section);
            return (None, true);
        }
        let is_whole = section.steps().len() > 1 || !is_of_value || !rest.is_empty();
        self.without.push(if is_whole { section } else { path });
        if let (false, Some(part)) = (is_whole, self.without.last()) {
            self.hurt.push(self::section(part));
        }
        let problem = said;
        (Some(Located { place, problem }), true)
    }

    fn of_variable(&self, problem: Problem) -> Located {
        let variable = self
            .plugin
            .variables
            .iter()
            .find(|variable| variable.name == problem.path);
        Located {
            place: variable.map_or(self.plugin.place, |variable| variable.place),
            problem,
        }
    }
}

/// The part of the configuration that makes sense by itself, and can be left out as a whole.
fn section(path: &Path) -> Path {
    let steps = match path.steps() {
        [Step::Field(first), ..]
            if [
                "customTags",
                "custom_tags",
                "resource",
                "overrides",
                "trust",
            ]
            .contains(&first.as_str()) =>
        {
            2
        }
        [Step::Field(first), Step::Field(second), ..]
            if first == "sampling" && second == "rules" =>
        {
            3
        }
        _ => 1,
    };
    path.first(steps)
}
