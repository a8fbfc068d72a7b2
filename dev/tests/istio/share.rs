//! How many of many requests are sampled, against what chance allows.

use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::thread;
use std::time::Duration;
use throughline_dev::http::{Request, client};
use throughline_dev::istio::Pod;
use throughline_dev::poll;
use throughline_dev::receiver::Span;

/// How often a right sampler may fail a test.
const FALSE_ALARM: f64 = 1e-6;

const CLIENTS: usize = 4;

/// Requests without context, and the proxy that decides on them.
#[derive(Clone, Copy, Debug)]
pub struct Requests<'a> {
    pub pod: &'a Pod,
    pub at: SocketAddr,
    /// Asked for by nobody else.
    pub path: &'a str,
    pub count: usize,
}

impl Requests<'_> {
    /// Sends them; of them `ratio` is sampled, give or take what chance allows, and those have `spans` spans each, the others
    /// none. Gives all of these.
    pub fn are_sampled(self, stage: &Stage, ratio: f64, spans: usize) -> Result<Vec<Span>> {
        self.send()?;
        let decisions = self.decisions()?;
        let sampled = decisions.values().filter(|sampled| **sampled).count();
        let allowed = by_chance(self.count, ratio);
        println!(
            "  {}: {sampled} of {} are sampled; allowed: {allowed:?}",
            self.path, self.count
        );
        ensure!(
            allowed.contains(&sampled),
            "{sampled} of {} are sampled; {allowed:?} would be {ratio}",
            self.count
        );
        let found = || {
            let mut found = BTreeMap::<_, Vec<_>>::new();
            for span in stage.receiver.spans() {
                found.entry(span.trace_id.clone()).or_default().push(span);
            }
            found
        };
        let mut found = poll::until("the spans of every trace that is sampled", || {
            thread::sleep(Duration::from_millis(100));
            let found = found();
            let is_whole = |(trace, sampled): (&String, &bool)| {
                !sampled || found.get(trace).is_some_and(|all| all.len() >= spans)
            };
            Ok(decisions.iter().all(is_whole).then_some(found))
        })?;
        let mut all = Vec::new();
        for (trace, sampled) in decisions {
            let expected = if sampled { spans } else { 0 };
            let found = found.remove(&trace).unwrap_or_default();
            ensure!(
                found.len() == expected,
                "{trace} has not {expected} spans: {found:#?}"
            );
            all.extend(found);
        }
        Ok(all)
    }

    fn send(self) -> Result<()> {
        let some = || -> Result<()> {
            for _ in 0..self.count / CLIENTS {
                let answer = client::send(self.at, &Request::get(self.path))?;
                ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
            }
            Ok(())
        };
        ensure!(self.count.is_multiple_of(CLIENTS), "{}", self.count);
        thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(some)).collect();
            clients.into_iter().try_for_each(|client| {
                let ended = client.join();
                ended.map_err(|_| anyhow::anyhow!("a client panicked"))?
            })
        })
    }

    /// The trace of each, and whether it is sampled, as the access log of the proxy has it.
    fn decisions(self) -> Result<BTreeMap<String, bool>> {
        poll::until(&format!("the access log of {}", self.pod.name()), || {
            // Envoy writes it every second, and it is long.
            thread::sleep(Duration::from_millis(200));
            let entries = self.pod.access_log().into_iter();
            let ours = entries.filter(|entry| entry["path"] == self.path);
            let decision = |entry: serde_json::Value| -> Result<(String, bool)> {
                let trace = entry["trace.id"].as_str();
                let trace = trace.with_context(|| entry.to_string())?;
                Ok((trace.to_owned(), entry["trace.sampled"] == "true"))
            };
            let decisions: BTreeMap<_, _> = ours.map(decision).collect::<Result<_>>()?;
            Ok((decisions.len() == self.count).then_some(decisions))
        })
    }
}

/// How many of `count` may be sampled with `ratio`: what is left out at either end has half of [`FALSE_ALARM`]'s probability.
fn by_chance(count: usize, ratio: f64) -> RangeInclusive<usize> {
    if ratio >= 1.0 {
        return count..=count;
    }
    let probabilities = binomial(count, ratio);
    let below = |probabilities: &mut dyn Iterator<Item = &f64>| {
        let mut sum = 0.0;
        let rare = probabilities.take_while(|probability| {
            sum += **probability;
            sum < FALSE_ALARM / 2.0
        });
        rare.count()
    };
    let low = below(&mut probabilities.iter());
    let high = below(&mut probabilities.iter().rev());
    low..=count - high
}

/// The probability of each number of successes.
fn binomial(count: usize, ratio: f64) -> Vec<f64> {
    let odds = (ratio / (1.0 - ratio)).ln();
    // By logarithms: the first is too small for a number.
    let mut logarithm = count as f64 * (1.0 - ratio).ln();
    (0..=count)
        .map(|successes| {
            let probability = logarithm.exp();
            let choices = (count - successes) as f64 / (successes + 1) as f64;
            logarithm += choices.ln() + odds;
            probability
        })
        .collect()
}

#[test]
fn chance_allows_what_the_binomial_distribution_says() {
    let total: f64 = binomial(2000, 0.05).iter().sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    // Of 20 throws of a coin, none or all is as rare as 1 in 1 048 576: too rare for either end, with half of 1e-6.
    assert_eq!(by_chance(20, 0.5), 0..=20);
    assert_eq!(by_chance(21, 0.5), 1..=20);
    assert_eq!(by_chance(7, 1.0), 7..=7);
    let prod = by_chance(2000, 0.05);
    // Neither no sampling, nor the base's 0.1, passes for it.
    assert!(prod.contains(&100) && !prod.contains(&200), "{prod:?}");
    assert!(!prod.contains(&0), "{prod:?}");
}
