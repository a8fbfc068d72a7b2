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

use crate::support::FakeHost;
use crate::{filter, is_sampled};

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

const RATIOS: [f64; 9] = [0.000_1, 0.001, 0.01, 0.1, 0.25, 1.0 / 3.0, 0.5, 0.9, 1.0];

#[test]
fn a_million_decisions_are_within_3_sigma_and_nested() {
    let samplers = RATIOS.map(ratio);
    let mut counts = [0_u32; RATIOS.len()];
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
    for (ratio, count) in RATIOS.into_iter().zip(counts) {
        within_3_sigma(ratio, count);
    }
}

fn ratio(ratio: f64) -> Sampler {
    sampler(&format!(r#"{{"sampling": {{"arg": {ratio}}}}}"#), &[])
}

fn within_3_sigma(ratio: f64, count: u32) {
    let traces = f64::from(TRACES);
    let sigma = (traces * ratio * (1.0 - ratio)).sqrt();
    let off = (f64::from(count) - traces * ratio).abs();
    assert!(
        off <= 3.0 * sigma,
        "{ratio}: {count}, 3 sigma is {}",
        3.0 * sigma
    );
}

#[test]
fn whoever_has_the_ratio_decides_alike_wherever_it_comes_from() {
    let path =
        Headers::from_serialized(Headers::serialize(&[(":path".to_owned(), "/".to_owned())]));
    for ratio in RATIOS {
        let text = ratio.to_string();
        let same = [
            // Which decides within 3 sigma, as above.
            self::ratio(ratio),
            sampler(
                &format!(r#"{{"sampling": {{"sampler": "traceidratio", "arg": {ratio}}}}}"#),
                &[],
            ),
            sampler(
                &format!(
                    r#"{{"sampling": {{"sampler": "parentbased_traceidratio", "arg": {ratio}}}}}"#
                ),
                &[],
            ),
            sampler(
                &format!(
                    r#"{{"sampling": {{"sampler": "always_off", "rules": [{{"match": {{"paths": ["*"]}}, "ratio": {ratio}}}]}}}}"#
                ),
                &[],
            ),
            sampler(
                "{}",
                &[
                    ("OTEL_TRACES_SAMPLER", "traceidratio"),
                    ("OTEL_TRACES_SAMPLER_ARG", &text),
                ],
            ),
        ];
        let mut random = SplitMix(SEED);
        for _ in 0..TRACES / 10 {
            let randomness = random.trace_id().randomness();
            let verdicts = same.each_ref().map(|sampler| {
                let verdict = sampler.decide(randomness, &path, &mut Unlimited);
                (verdict.is_sampled, verdict.threshold)
            });
            assert!(
                verdicts.iter().all(|verdict| *verdict == verdicts[0]),
                "{ratio}, {randomness:x}: {verdicts:?}"
            );
        }
    }
}

/// By whichever proxy, and in whichever format the trace comes to it, the wide id or its low half.
#[test]
fn every_proxy_decides_alike_on_a_trace() {
    let places = [
        ("sidecar~10.0.0.1~a.b~b.svc", 1_i64),
        ("sidecar~10.0.0.2~c.d~d.svc", 2),
        ("router~10.0.0.3~e.f~f.svc", 2),
        ("waypoint~10.0.0.4~g.h~h.svc", 1),
        ("plain", 0),
    ];
    for ratio in RATIOS {
        let config = format!(
            r#"{{"sampling": {{"sampler": "traceidratio", "arg": {ratio}}},
            "propagation": {{"extract": ["tracecontext", "b3", "jaeger", "xray", "datadog", "gcp"]}}}}"#
        );
        let mut proxies = places.map(|(node, direction)| {
            let mut host = FakeHost::default();
            let direction = direction.to_le_bytes().to_vec();
            host.properties.extend([
                ("xds.node.id".to_owned(), node.into()),
                ("xds.listener_direction".to_owned(), direction),
            ]);
            let filter = filter(&mut host, &config);
            (host, filter)
        });
        let mut random = SplitMix(SEED);
        let alone = self::ratio(ratio);
        for _ in 0..100 {
            let trace_id = random.trace_id();
            let expected = samples(&alone, trace_id);
            let wide = trace_id.bits();
            let low = wide & u128::from(u64::MAX);
            let requests = [
                vec![("traceparent", format!("00-{wide:032x}-00f067aa0ba902b7-00"))],
                vec![("b3", format!("{low:016x}-00f067aa0ba902b7-1"))],
                vec![("uber-trace-id", format!("{wide:x}:1:0:1"))],
                vec![(
                    "x-amzn-trace-id",
                    format!("Root=1-{:08x}-{:024x}", wide >> 96, wide & ((1 << 96) - 1)),
                )],
                vec![
                    ("x-datadog-trace-id", low.to_string()),
                    ("x-datadog-parent-id", "7".to_owned()),
                ],
                vec![("x-cloud-trace-context", format!("{wide:032x}/7;o=1"))],
            ];
            for request in &requests {
                let request: Vec<(&str, &str)> = request
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                for (host, filter) in &mut proxies {
                    assert_eq!(
                        is_sampled(filter, host, &request),
                        expected,
                        "{ratio}: {request:?}"
                    );
                }
            }
        }
    }
}
