//! OpenTelemetry's samplers, as far as a proxy that starts or passes traces needs them.

use core::num::NonZeroU32;

use super::requests::Requests;
use crate::{
    propagation::{Headers, trim_ows},
    trace::TraceId,
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
    pub fn decide(
        &self,
        trace_id: TraceId,
        headers: &Headers,
        allowance: &mut impl Allowance,
    ) -> bool {
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.requests.include(headers));
        let is_chosen = match (rule, self.root) {
            (Some(rule), _) => rule.ratio.samples(trace_id),
            (None, RootSampler::AlwaysOn) => true,
            (None, RootSampler::AlwaysOff) => false,
            (None, RootSampler::TraceIdRatio(ratio)) => ratio.samples(trace_id),
        };
        // Only what is chosen uses the allowance up.
        is_chosen
            && self
                .max_per_second
                .is_none_or(|most| allowance.admits(most))
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
///
/// A trace is sampled if and only if R >= T, where R is the trace id's last 7 bytes and T = 2^56 - 2^56 * p
/// (specification, trace/tracestate-probability-sampling.md). Every participant that compares this way agrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    probability: f64,
    threshold: u128,
}

impl Ratio {
    const RANGE: u64 = 1 << 56;

    /// `None` unless `probability` is a number from 0 to 1.
    pub fn new(probability: f64) -> Option<Self> {
        (0.0..=1.0).contains(&probability).then(|| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a power of two is exact, and the product is from 0 to 2^56 by the check above"
            )]
            let sampled = (probability * Self::RANGE as f64).round() as u64;
            // Subtracted as integers: 1 - p would lose the last bits of a small p.
            Self {
                probability,
                threshold: Self::RANGE.saturating_sub(sampled).into(),
            }
        })
    }

    pub const fn probability(self) -> f64 {
        self.probability
    }

    const fn samples(self, trace_id: TraceId) -> bool {
        trace_id.randomness() >= self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(probability: f64, low_56_bits: u128) -> bool {
        // The high bits are set to show that they play no part.
        let id = TraceId::new(0xffff_ffff_ffff_ffff_ff00_0000_0000_0000 | low_56_bits).unwrap();
        Ratio::new(probability).unwrap().samples(id)
    }

    #[test]
    fn the_threshold_is_opentelemetrys() {
        const MAX: u128 = (1 << 56) - 1;
        for (probability, randomness, expected, why) in [
            (1.0, 0, true, "T = 0 keeps everything"),
            (0.0, MAX, false, "T = 2^56 is above every R"),
            (0.5, 0x80_0000_0000_0000, true, "R = T is kept"),
            (
                0.5,
                0x7f_ffff_ffff_ffff,
                false,
                "the last R below T is dropped",
            ),
            (0.25, 0xc0_0000_0000_0000, true, "th:c"),
            (0.25, 0xbf_ffff_ffff_ffff, false, "below th:c"),
            (0.0001, MAX, true, "the highest R is kept by any p > 0"),
            (
                0.1,
                0xe6_6666_6666_6666,
                true,
                "th:e6666666666666, the Collector's T",
            ),
            (0.1, 0xe6_6666_6666_6665, false, "just below it"),
            (0.01, 0xfd_70a3_d70a_3d71, true, "th:fd70a3d70a3d71"),
            (0.01, 0xfd_70a3_d70a_3d70, false, "just below it"),
        ] {
            assert_eq!(
                samples(probability, randomness),
                expected,
                "{probability} {randomness:x}: {why}"
            );
        }
    }

    #[test]
    fn only_probabilities_make_a_ratio() {
        for bad in [-0.1, 1.000_001, 10.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Ratio::new(bad), None, "{bad}");
        }
    }
}
