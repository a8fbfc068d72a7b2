//! How far a count can be from what is behind it.
//!
//! Calls are counted as events of a Poisson process, and the time that a state took as how often it was found when looked for at
//! random. Bounds are one-sided and hold with 99.9 %, as they are looked at over and over, for many callees. They are a little wider
//! than the exact ones (Garwood's), and need no tables.

/// The normal distribution's 99.9 %.
const Z: f64 = 3.09;
/// What is compatible with no event at all: -ln(0.001).
const NONE_SEEN: f64 = 6.91;

/// The least that `count` events are compatible with.
pub fn at_least(count: f64) -> f64 {
    let root = count.max(0.0).sqrt() - Z / 2.0;
    root.max(0.0) * root.max(0.0)
}

/// The most.
pub fn at_most(count: f64) -> f64 {
    let root = count.max(0.0).sqrt() + Z / 2.0;
    root * root
}

/// An upper bound of a sum of rates, each with its own events and its own time. It is tighter than the sum of their bounds: that
/// all of them are far off at once is less likely than that one is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    mean: f64,
    variance: f64,
    least_time: Option<f64>,
}

impl Sum {
    /// Adds the rate of `count` events in what was found `samples` times.
    pub fn add(&mut self, count: f64, samples: f64) {
        let time = at_least(samples);
        let rate = count / time;
        self.mean += rate;
        self.variance += rate / time;
        self.least_time = Some(self.least_time.map_or(time, |least| least.min(time)));
    }

    /// Infinite, or not a number, where nothing is known.
    pub fn at_most(&self) -> f64 {
        let unseen = self.least_time.map_or(0.0, |time| NONE_SEEN / time);
        self.mean + Z * self.variance.sqrt() + unseen
    }
}
