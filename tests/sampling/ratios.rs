//! Ratios over a million traces each: as many as they say, and the same ones everywhere.

use throughline::{
    config,
    policy::{
        sampling::{Allowance, Sampler},
        service::UnknownNode,
    },
    propagation::Headers,
    trace::TraceId,
};

const TRACES: u32 = 1_000_000;
/// The ids are pseudo-random from a fixed seed: with real randomness, 3 sigma would fail one run in 370.
const SEED: u64 = 0x7468_726f_7567_686c;

struct Unlimited;

impl Allowance for Unlimited {
    fn admits(&mut self, _: core::num::NonZeroU32) -> bool {
        panic!("no limit is configured");
    }
}

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn trace_id(&mut self) -> TraceId {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        TraceId::new(bits).expect("not zero")
    }
}

fn sampler(config: &str, variables: &[(&str, &str)]) -> Sampler {
    let get = |name: &str| {
        let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    };
    let loaded = config::load(config.as_bytes(), &get, &mut UnknownNode);
    loaded.expect("a good configuration").sampler
}

fn samples(sampler: &Sampler, trace_id: TraceId) -> bool {
    let verdict = sampler.decide(trace_id.randomness(), &Headers::default(), &mut Unlimited);
    verdict.is_sampled
}

#[test]
fn a_million_decisions_are_within_3_sigma_and_nested() {
    let ratios = [0.000_1, 0.001, 0.01, 0.1, 0.25, 1.0 / 3.0, 0.5, 0.9, 1.0];
    let samplers =
        ratios.map(|ratio| sampler(&format!(r#"{{"sampling": {{"arg": {ratio}}}}}"#), &[]));
    let mut counts = [0_u32; 9];
    let mut random = SplitMix(SEED);
    for _ in 0..TRACES {
        let trace_id = random.trace_id();
        let decisions = samplers
            .each_ref()
            .map(|sampler| samples(sampler, trace_id));
        assert!(
            decisions.is_sorted(),
            "what a smaller ratio samples a greater one does, too: {trace_id:?} {decisions:?}"
        );
        for (count, is_sampled) in counts.iter_mut().zip(decisions) {
            *count += u32::from(is_sampled);
        }
    }
    for (ratio, count) in ratios.into_iter().zip(counts) {
        let traces = f64::from(TRACES);
        let sigma = (traces * ratio * (1.0 - ratio)).sqrt();
        let off = (f64::from(count) - traces * ratio).abs();
        assert!(
            off <= 3.0 * sigma,
            "{ratio}: {count}, 3 sigma is {}",
            3.0 * sigma
        );
    }
}

#[test]
fn whoever_has_the_ratio_decides_alike_wherever_it_comes_from() {
    let same = [
        sampler(
            r#"{"sampling": {"sampler": "traceidratio", "arg": 0.3}}"#,
            &[],
        ),
        sampler(
            r#"{"sampling": {"sampler": "parentbased_traceidratio", "arg": 0.3}}"#,
            &[],
        ),
        sampler(
            r#"{"sampling": {"sampler": "always_off", "rules": [{"match": {"paths": ["*"]}, "ratio": 0.3}]}}"#,
            &[],
        ),
        sampler(
            "{}",
            &[
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.3"),
            ],
        ),
    ];
    let path =
        Headers::from_serialized(Headers::serialize(&[(":path".to_owned(), "/".to_owned())]));
    let mut random = SplitMix(SEED);
    let mut sampled = 0;
    for _ in 0..TRACES / 10 {
        let randomness = random.trace_id().randomness();
        let verdicts = same.each_ref().map(|sampler| {
            let verdict = sampler.decide(randomness, &path, &mut Unlimited);
            (verdict.is_sampled, verdict.threshold)
        });
        assert!(
            verdicts.iter().all(|verdict| *verdict == verdicts[0]),
            "{randomness:x}: {verdicts:?}"
        );
        sampled += u32::from(verdicts[0].0);
    }
    assert!((29_000..31_000).contains(&sampled), "{sampled}");
}
