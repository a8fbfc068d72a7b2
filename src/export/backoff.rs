//! When to try again after a failure: exponential, with jitter, and never before the collector's own word
//! (OTLP specification, "All Transient Errors" and "OTLP/HTTP Throttling").

use super::exporter::{MILLISECOND, SECOND};

/// The first delay; each further failure doubles it.
const FIRST: u64 = SECOND;
const LONGEST: u64 = 30 * SECOND;
/// However long the collector asks for: nobody may silence an exporter for good.
const LONGEST_ASKED: u64 = 300 * SECOND;

#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
    /// When the last of them was noticed. Calls that were in flight then are of the same failure.
    noticed: u64,
    /// In nanoseconds since the epoch, as is `asked`.
    until: u64,
    /// What the collector asked for, which an answer to another call does not take back.
    asked: u64,
}

impl Backoff {
    pub const fn is_failing(self) -> bool {
        self.failures > 0
    }

    /// A call that was sent at `sent` was answered. One from before the failure proves nothing.
    pub const fn succeed(&mut self, sent: u64, now: u64) {
        if !self.is_older(sent, now) {
            self.failures = 0;
            self.until = 0;
            self.noticed = 0;
        }
    }

    /// The call was sent at `sent`. `asked` is the collector's `Retry-After` in nanoseconds, `jitter` any number at random.
    pub fn fail(&mut self, sent: u64, now: u64, asked: Option<u64>, jitter: u32) {
        let asked = asked.unwrap_or(0).min(LONGEST_ASKED);
        self.asked = sane(self.asked, now).max(now.saturating_add(asked));
        if self.is_older(sent, now) {
            return;
        }
        let doubled = FIRST.checked_shl(self.failures.min(16)).unwrap_or(LONGEST);
        let delay = doubled.min(LONGEST);
        // From half of it to one and a half, in steps of a millisecond.
        let spread = delay
            .checked_div(MILLISECOND)
            .unwrap_or(0)
            .saturating_add(1);
        let spread = u64::from(jitter)
            .checked_rem(spread)
            .unwrap_or(0)
            .saturating_mul(MILLISECOND);
        let delay = (delay >> 1).saturating_add(spread);
        self.noticed = now;
        self.failures = self.failures.saturating_add(1);
        // Calls that were in flight together fail together; the longest wait counts.
        self.until = sane(self.until, now).max(now.saturating_add(delay));
    }

    /// Whether a call was in flight already when the failure was noticed. A clock that jumped back proves nothing.
    const fn is_older(self, sent: u64, now: u64) -> bool {
        sent < self.noticed && self.noticed <= now
    }

    /// How long to wait still.
    pub const fn wait(self, now: u64) -> u64 {
        let (until, asked) = (sane(self.until, now), sane(self.asked, now));
        if until > asked {
            until.saturating_sub(now)
        } else {
            asked.saturating_sub(now)
        }
    }
}

/// A time to wait for, unless a clock that jumped back made it longer than it can ever be.
const fn sane(until: u64, now: u64) -> u64 {
    if until.saturating_sub(now) > LONGEST_ASKED {
        0
    } else {
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_within_their_jitter_and_honour_what_is_asked() {
        for (failures, asked, jitter, least, most) in [
            (0, None, 0, 500, 500),
            (0, None, u32::MAX, 500, 1_500),
            (1, None, 12_345, 1_000, 3_000),
            (4, None, 999, 8_000, 24_000),
            (5, None, 0, 15_000, 15_000),
            (31, None, u32::MAX, 15_000, 45_000),
            (0, Some(7 * SECOND), 0, 7_000, 7_000),
            (0, Some(0), 0, 500, 500),
            (0, Some(u64::MAX), 0, 300_000, 300_000),
        ] {
            let mut backoff = Backoff {
                failures,
                ..Backoff::default()
            };
            backoff.fail(1_000 * SECOND, 1_000 * SECOND, asked, jitter);
            let wait = backoff.wait(1_000 * SECOND) / MILLISECOND;
            assert!(
                (least..=most).contains(&wait),
                "{failures} {asked:?}: {wait}"
            );
        }
    }

    #[test]
    fn a_clock_that_jumps_back_does_not_silence_it() {
        let mut backoff = Backoff::default();
        backoff.fail(1_000_000 * SECOND, 1_000_000 * SECOND, None, 0);
        assert_eq!(backoff.wait(1_000 * SECOND), 0);
    }
}
