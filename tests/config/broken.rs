//! `broken.tsv`: configurations that are refused, each with the path that the refusal begins with. They are tried in real
//! Envoys, too.

use std::collections::BTreeSet;

use crate::load;

const TABLE: &str = include_str!("broken.tsv");
const AT_LEAST: usize = 200;

#[test]
fn each_broken_configuration_is_refused_with_its_path() {
    let (mut known, mut wrong) = (BTreeSet::new(), Vec::new());
    for (number, line) in TABLE.lines().enumerate() {
        let (path, config) = line.split_once('\t').expect("path, tab, configuration");
        assert!(known.insert(config), "twice: {config}");
        match load(config, &[]) {
            Ok(_) => wrong.push(format!("{}: taken: {config}", number + 1)),
            Err(message) if is_at(&message, path) => {}
            Err(message) => wrong.push(format!("{}: {path}, not {message}", number + 1)),
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert!(known.len() >= AT_LEAST, "{}", known.len());
}

/// A path ends where the message begins; what is wrong with the whole has none.
fn is_at(message: &str, path: &str) -> bool {
    let rest = message.strip_prefix(path);
    rest.is_some_and(|rest| path.contains(' ') || rest.starts_with(": "))
}
