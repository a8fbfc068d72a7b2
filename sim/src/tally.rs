//! What came of it: counted, with how sure the counts are.

use throughline::join::ladder::{Joined, Outcome, Rung};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub requests: u64,
    /// Of requests that are in flight.
    pub calls: u64,
    /// Of nobody, or of requests that were answered.
    pub others: u64,
    pub rungs: [Asserted; Rung::ALL.len()],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asserted {
    pub right: u64,
    pub wrong: u64,
}

impl Tally {
    pub fn call(&mut self, has_cause: bool, outcome: Outcome, is_its: impl Fn(u64) -> bool) {
        if has_cause {
            self.calls += 1;
        } else {
            self.others += 1;
        }
        if let Outcome::Joined(Joined { rung, context }) = outcome {
            let asserted = &mut self.rungs[place(rung)];
            if is_its(context.span_id.bits()) {
                asserted.right += 1;
            } else {
                asserted.wrong += 1;
            }
        }
    }

    pub fn of(&self, rung: Rung) -> Asserted {
        self.rungs[place(rung)]
    }

    pub fn asserted(&self) -> Asserted {
        let mut sum = Asserted::default();
        for rung in self.rungs {
            sum.right += rung.right;
            sum.wrong += rung.wrong;
        }
        sum
    }

    /// Of the calls of requests in flight, how many were joined to theirs.
    pub fn coverage(&self) -> f64 {
        self.asserted().right as f64 / self.calls.max(1) as f64
    }
}

fn place(rung: Rung) -> usize {
    Rung::ALL.iter().position(|one| *one == rung).unwrap_or(0)
}

impl Asserted {
    pub fn count(self) -> u64 {
        self.right + self.wrong
    }

    /// `None` where nothing was asserted.
    pub fn precision(self) -> Option<f64> {
        (self.count() > 0).then(|| self.right as f64 / self.count() as f64)
    }

    /// The one-sided lower bound that holds with 95 % (Clopper and Pearson 1934).
    pub fn lower_bound(self) -> f64 {
        const ALPHA: f64 = 0.05;
        if self.count() == 0 {
            return 0.0;
        }
        // The largest error rate by which so few errors are not too unlikely.
        let (mut low, mut high) = (self.wrong as f64 / self.count() as f64, 1.0);
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if at_most(self.wrong, self.count(), middle) > ALPHA {
                low = middle;
            } else {
                high = middle;
            }
        }
        1.0 - high
    }

    /// Enough for the promise: 3000 joins, and less than one in a thousand wrong.
    pub fn is_proven(self) -> bool {
        self.count() >= 3000 && self.lower_bound() >= 0.999
    }
}

/// The chance of no more than `events` in `tries`.
fn at_most(events: u64, tries: u64, probability: f64) -> f64 {
    if probability >= 1.0 {
        return if events >= tries { 1.0 } else { 0.0 };
    }
    let mut logarithm = tries as f64 * (-probability).ln_1p();
    let mut sum = logarithm.exp();
    for event in 0..events {
        logarithm += ((tries - event) as f64 / (event + 1) as f64).ln() + probability.ln()
            - (-probability).ln_1p();
        sum += logarithm.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::Asserted;

    /// Against sums of the binomial distribution, solved for its parameter elsewhere.
    #[test]
    fn bounds_are_those_of_clopper_and_pearson() {
        for (right, wrong, expected) in [
            (3000, 0, 0.999_001_92),
            (100, 0, 0.970_486_95),
            (99, 1, 0.953_440_19),
            (90, 10, 0.836_282_38),
        ] {
            let bound = Asserted { right, wrong }.lower_bound();
            assert!((bound - expected).abs() < 1e-6, "{right} {wrong} {bound}");
        }
    }
}
