//! Overrides that are for one proxy together: good one by one, as every proxy checks them, they may contradict each other.

use super::problems::Located;
use crate::proxy::Proxy;
use crate::yaml::{Node, Path, Step};
use throughline::config::{self, Problem, Settings};

/// Whether the module takes an override with this `match`, in JSON, for one of that proxy.
pub fn is_for(criteria: &str, proxy: &Proxy) -> bool {
    let switched_off =
        format!(r#"{{"overrides":[{{"match":{criteria},"config":{{"enabled":false}}}}]}}"#);
    let loaded = config::load(switched_off.as_bytes(), &|_: &str| None, &mut &*proxy);
    loaded.is_ok_and(|settings| !settings.enabled)
}

/// The first override that cannot be merged into those before it, and what is wrong with it. `load` loads the configuration without
/// these; `without` is left out already.
pub fn contradiction(
    config: &Node,
    proxy: &Proxy,
    without: &[Path],
    most: usize,
    load: impl Fn(&[Path]) -> Result<Settings, Problem>,
) -> Option<(Path, Located)> {
    let items = config.get("overrides")?.items();
    let applying: Vec<(usize, Path)> = items
        .iter()
        .enumerate()
        .map(|(index, _)| (index, path_of(index)))
        .filter(|(index, path)| {
            let criteria = items.get(*index).and_then(|item| item.get("match"));
            let criteria = criteria.and_then(|criteria| criteria.to_json(&[], most));
            !without.contains(path) && criteria.is_some_and(|criteria| is_for(&criteria, proxy))
        })
        .collect();
    let paths: Vec<Path> = applying.iter().map(|(_, path)| path.clone()).collect();
    // Without any of them the configuration is a good one.
    load(&paths).ok()?;
    for (count, (index, path)) in applying.iter().enumerate() {
        let later = paths.get(count.saturating_add(1)..).unwrap_or_default();
        let Err(problem) = load(later) else {
            continue;
        };
        if problem.path.starts_with("overrides") {
            return None;
        }
        let item = items.get(*index)?;
        let place = item.get("config").map_or(item.place, |changes| {
            let found = Path::find(changes, &problem.path, &[]);
            match found.path.steps().is_empty() {
                true => item.place,
                false => found.place,
            }
        });
        let message = format!("{problem} (with what it is merged into for this proxy)");
        let problem = Problem::new(format!("{}.config", path.spelled()), message);
        return Some((path.clone(), Located { place, problem }));
    }
    None
}

fn path_of(index: usize) -> Path {
    let mut path = Path::default();
    path.push(Step::Field("overrides".to_owned()));
    path.push(Step::Index(index));
    path
}
