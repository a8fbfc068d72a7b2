//! Every order of `extract`, every set of `inject`, both ways with stale headers, every sampler.

use proptest::prelude::{Just, Strategy, any as any_value};
use proptest::sample::{select, subsequence};

use crate::strict::Leaves;

const FORMATS: [&str; 3] = ["tracecontext", "b3", "b3multi"];

const SAMPLERS: [&str; 10] = [
    "always_on",
    "always_off",
    "traceidratio 0",
    "traceidratio 0.5",
    "traceidratio 1",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio 0",
    "parentbased_traceidratio 0.5",
    "parentbased_traceidratio 1",
];

#[derive(Clone, Debug)]
pub struct Config {
    pub extract: Vec<&'static str>,
    pub inject: Vec<&'static str>,
    pub remove: bool,
    pub sampler: &'static str,
}

pub fn any() -> impl Strategy<Value = Config> {
    let extract =
        subsequence(FORMATS.to_vec(), 1..=3).prop_flat_map(|set| Just(set).prop_shuffle());
    let inject = subsequence(FORMATS.to_vec(), 1..=3);
    (
        extract,
        inject,
        any_value::<bool>(),
        select(SAMPLERS.to_vec()),
    )
        .prop_map(|(extract, inject, remove, sampler)| Config {
            extract,
            inject,
            remove,
            sampler,
        })
}

impl Config {
    pub fn json(&self) -> String {
        let (extract, inject) = (self.extract.join(" "), self.inject.join(" "));
        let stale = if self.remove { "remove" } else { "rewrite" };
        let sampler = self.sampler;
        crate::table::config(&format!(
            "extract {extract}; inject {inject}; stale {stale}; {sampler}"
        ))
    }

    /// `b3` stands for the single header, then the several ones.
    pub fn readers(&self) -> Vec<&'static str> {
        let mut readers: Vec<&str> = Vec::new();
        for format in &self.extract {
            let both: &[&'static str] = if *format == "b3" {
                &["b3", "b3multi"]
            } else {
                &[format]
            };
            let new: Vec<_> = both
                .iter()
                .filter(|f| !readers.contains(f))
                .copied()
                .collect();
            readers.extend(new);
        }
        readers
    }

    pub fn is_parent_based(&self) -> bool {
        self.sampler.starts_with("parentbased")
    }

    /// Whether a second pass reads back what left. Where `extract` and `inject` have too little in common it cannot: it
    /// starts a new trace where it reads nothing of it, and only B3 can tell it of debug.
    pub fn reads_back(&self, leaves: &Leaves, is_debug: bool) -> bool {
        self.readers().iter().any(|format| match *format {
            "tracecontext" => leaves.traceparent.is_some() && !is_debug,
            "b3multi" => leaves.multi.is_some(),
            _ => leaves.single.is_some(),
        })
    }
}
