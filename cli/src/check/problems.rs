//! What is wrong with a configuration, by the module's own reading.

use super::plugin::Plugin;
use super::{overrides, stranger};
use crate::proxy::Proxy;
use crate::yaml::{Found, Node, Path, Place, Step};
use throughline::config::{self, Problem, Settings};

/// More than anybody mends at once.
pub const MOST_PROBLEMS: usize = 32;
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
    if let Some(stranger) = stranger::told(plugin) {
        return Err(vec![stranger]);
    }
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
        self.load_without(&[])
    }

    /// With these left out, too.
    fn load_without(&self, others: &[Path]) -> Result<Settings, Problem> {
        let without = [self.without.as_slice(), others].concat();
        let text = match (self.plugin.json, self.plugin.config) {
            (Some(json), _) if without.is_empty() => json.to_owned(),
            (_, None) => String::new(),
            (_, Some(config)) => {
                let json = config.to_json(&without, MOST_VALUES);
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
        let problem = self.hinted(problem);
        let Some(config) = self.plugin.config else {
            return (Some(self.of_variable(problem)), false);
        };
        if let Some((path, located)) = self.contradiction(config, &problem) {
            // What the base lacks by now is no mistake of theirs.
            let overrides = Step::Field("overrides".to_owned());
            let mut parts = self.without.iter();
            let is_whole = parts.all(|part| part.steps().first() == Some(&overrides));
            self.without.push(path);
            return (is_whole.then_some(located), true);
        }
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

    fn contradiction(&self, config: &Node, problem: &Problem) -> Option<(Path, Located)> {
        if problem.path.starts_with("overrides") {
            return None;
        }
        let load = |others: &[Path]| self.load_without(others);
        overrides::contradiction(config, self.proxy, &self.without, MOST_VALUES, load)
    }

    /// With the way to set it, where there is no manifest that could.
    fn hinted(&self, mut problem: Problem) -> Problem {
        let is_unset = problem.message.ends_with("is not set in vmConfig.env");
        let name = problem.message.split('"').nth(1);
        if let (true, None, Some(name)) = (is_unset, &self.plugin.object, name) {
            problem.message = format!("{} (or --env {name}=…)", problem.message);
        }
        problem
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
