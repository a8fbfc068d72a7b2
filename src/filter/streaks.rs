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
    /// Since the last one that it sampled.
    unsampled: u32,
}

impl Streaks {
    /// A tracer wrote, and `chose` whether to sample, where that was its to choose. Returns whether it samples by itself, where
    /// there is evidence.
    pub fn wrote(&self, listener: u64, chose: Option<bool>) -> Option<bool> {
        self.of(listener, |streak| {
            streak.has_written = true;
            match chose {
                None => None,
                Some(true) => {
                    streak.unsampled = 0;
                    Some(true)
                }
                Some(false) => {
                    streak.unsampled = streak.unsampled.saturating_add(1);
                    (streak.unsampled >= SAMPLES_NONE_AFTER).then_some(false)
                }
            }
        })
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
            unsampled: 0,
        }
    }
}
