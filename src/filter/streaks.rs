//! What one worker saw in a row beside the tracers of its listeners. What all workers know changes with it, so it need not be
//! in the process's store, which a request that tells nothing new never asks.

use core::cell::RefCell;

/// More than the listeners of one proxy that a tracer is seen at.
const MOST: usize = 256;
/// So many requests in a row that a tracer left unsampled where it alone decided: it samples by itself no more.
const SAMPLES_NONE_AFTER: u32 = 10_000;

/// Of each listener, by what it is known by.
#[derive(Debug, Default)]
pub struct Streaks(RefCell<Vec<Streak>>);

#[derive(Debug)]
struct Streak {
    listener: u64,
    /// Since the last request that it left alone.
    has_written: bool,
    /// What was known before.
    samples: bool,
    /// Since the last one that it sampled.
    unsampled: u32,
}

/// What it tells that a tracer wrote.
#[derive(Debug, Default)]
pub struct Wrote {
    /// The first time since it left one alone, or at all.
    pub is_first: bool,
    /// Whether it samples by itself, where there is evidence.
    pub samples: Option<bool>,
}

impl Streaks {
    /// A tracer wrote, and `chose` whether to sample, where that was its to choose. `samples`: what all workers know of that.
    pub fn wrote(&self, listener: u64, samples: bool, chose: Option<bool>) -> Wrote {
        self.of(listener, |streak| {
            let is_first = !core::mem::replace(&mut streak.has_written, true);
            // Another worker saw it sample.
            if !core::mem::replace(&mut streak.samples, samples) && samples {
                streak.unsampled = 0;
            }
            match chose {
                None => {}
                Some(true) => streak.unsampled = 0,
                Some(false) => streak.unsampled = streak.unsampled.saturating_add(1),
            }
            let samples =
                chose.filter(|sampled| *sampled || streak.unsampled >= SAMPLES_NONE_AFTER);
            streak.samples = samples.unwrap_or(streak.samples);
            Wrote { is_first, samples }
        })
    }

    /// Whether it left any unsampled since it sampled one.
    pub fn has_unsampled(&self, listener: u64) -> bool {
        self.of(listener, |streak| streak.unsampled > 0)
    }

    /// It left one alone that it should have written to. Returns whether that is the first since it wrote.
    pub fn missed(&self, listener: u64) -> bool {
        self.of(listener, |streak| core::mem::take(&mut streak.has_written))
    }

    fn of<T: Default>(&self, listener: u64, change: impl FnOnce(&mut Streak) -> T) -> T {
        // Nobody holds it across a call.
        let Ok(mut streaks) = self.0.try_borrow_mut() else {
            return T::default();
        };
        if !streaks.iter().any(|streak| streak.listener == listener) {
            // Listeners come and go; one that begins anew is no harm.
            if streaks.len() >= MOST {
                streaks.clear();
            }
            streaks.push(Streak::of(listener));
        }
        let streak = streaks
            .iter_mut()
            .find(|streak| streak.listener == listener);
        streak.map(change).unwrap_or_default()
    }
}

impl Streak {
    const fn of(listener: u64) -> Self {
        Self {
            listener,
            has_written: false,
            samples: false,
            unsampled: 0,
        }
    }
}
