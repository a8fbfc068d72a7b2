//! OpenTelemetry's samplers, as far as a proxy that starts or passes traces needs them.

use core::num::NonZeroU32;

use super::requests::Requests;
use crate::{
    propagation::{Headers, trim_ows},
    trace::Threshold,
};

/// What decides where no decision came in, and whether one that came in counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    /// The `parentbased_` forms: a decision that came in is kept.
    pub parent_based: bool,
    pub root: RootSampler,
    /// For requests whose decision is made here; the first that includes one decides in place of `root`.
    pub rules: Vec<Rule>,
    /// So many decisions to sample are made here in a second, by all workers of the proxy together.
    pub max_per_second: Option<NonZeroU32>,
    /// The request header by which a peer that is trusted has a request sampled, lower case.
    pub force_header: Option<String>,
}

/// Some requests, and how many of them are sampled.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub requests: Requests,
    pub ratio: Ratio,
    /// Names and values of what those requests are tagged with.
    pub tags: Vec<(String, String)>,
}

/// A decision that is made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub is_sampled: bool,
    /// Where it is a matter of probability alone, and so can be told to others.
    pub threshold: Option<Threshold>,
    /// The rule that made it, by its place; without one the sampler did.
    pub rule: Option<usize>,
}

/// How many decisions to sample may still be made in this second.
pub trait Allowance {
    /// Takes one of `per_second`; whether there was one.
    fn admits(&mut self, per_second: NonZeroU32) -> bool;
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RootSampler {
    AlwaysOn,
    AlwaysOff,
    TraceIdRatio(Ratio),
}

impl Default for Sampler {
    /// OpenTelemetry's default, `parentbased_always_on`.
    fn default() -> Self {
        Self {
            parent_based: true,
            root: RootSampler::AlwaysOn,
            rules: Vec::new(),
            max_per_second: None,
            force_header: None,
        }
    }
}

impl Sampler {
    /// `randomness` is R of OpenTelemetry's consistent sampling, equal for all who decide on one trace.
    pub fn decide(
        &self,
        randomness: u64,
        headers: &Headers,
        allowance: &mut impl Allowance,
    ) -> Verdict {
        let mut rules = self.rules.iter().enumerate();
        let rule = rules.find(|(_, rule)| rule.requests.include(headers));
        let by = |ratio: Ratio| (ratio.samples(randomness), ratio.threshold);
        let (is_chosen, threshold) = match (rule, self.root) {
            (Some((_, rule)), _) => by(rule.ratio),
            (None, RootSampler::TraceIdRatio(ratio)) => by(ratio),
            (None, RootSampler::AlwaysOn) => (true, None),
            (None, RootSampler::AlwaysOff) => (false, None),
        };
        // Only what is chosen uses the allowance up.
        let is_sampled = is_chosen
            && self
                .max_per_second
                .is_none_or(|most| allowance.admits(most));
        Verdict {
            is_sampled,
            threshold: threshold.filter(|_| is_sampled && self.max_per_second.is_none()),
            rule: rule.map(|(place, _)| place),
        }
    }

    /// Whether the request has the header that forces: then whether it asks to be sampled. Whether its peer may ask is another
    /// question.
    pub fn is_asked_for(&self, headers: &Headers) -> Option<bool> {
        let value = headers.first(self.force_header.as_deref()?)?;
        Some(matches!(trim_ows(value), b"1" | b"true"))
    }

    /// The name in `OTEL_TRACES_SAMPLER`.
    pub const fn name(&self) -> &'static str {
        match (self.parent_based, self.root) {
            (true, RootSampler::AlwaysOn) => "parentbased_always_on",
            (true, RootSampler::AlwaysOff) => "parentbased_always_off",
            (true, RootSampler::TraceIdRatio(_)) => "parentbased_traceidratio",
            (false, RootSampler::AlwaysOn) => "always_on",
            (false, RootSampler::AlwaysOff) => "always_off",
            (false, RootSampler::TraceIdRatio(_)) => "traceidratio",
        }
    }
}

/// A probability from 0 to 1, held as OpenTelemetry's rejection threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    probability: f64,
    /// `None` samples nothing.
    threshold: Option<Threshold>,
}

impl Ratio {
    /// `None` unless `probability` is a number from 0 to 1.
    pub fn new(probability: f64) -> Option<Self> {
        (0.0..=1.0).contains(&probability).then(|| Self {
            probability,
            threshold: Threshold::of(probability),
        })
    }

    pub const fn probability(self) -> f64 {
        self.probability
    }

    fn samples(self, randomness: u64) -> bool {
        self.threshold
            .is_some_and(|threshold| threshold.keeps(randomness))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_samples_nothing_and_one_everything() {
        const MOST: u64 = (1 << 56) - 1;
        for (probability, randomness, expected) in [
            (0.0, MOST, false),
            (1.0, 0, true),
            (0.5, MOST / 2, false),
            (0.5, MOST / 2 + 1, true),
        ] {
            let ratio = Ratio::new(probability).unwrap();
            assert_eq!(ratio.samples(randomness), expected, "{probability}");
        }
    }

    #[test]
    fn only_probabilities_make_a_ratio() {
        for bad in [-0.1, 1.000_001, 10.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Ratio::new(bad), None, "{bad}");
        }
    }
}
