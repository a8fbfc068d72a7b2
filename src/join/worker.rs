//! What one worker does with its register: it claims one, lists what begins, strikes out what ends, and beats.

use core::num::NonZeroU64;

use super::{
    MOST_WORKERS, Micros,
    register::{DEADLINE, LONGEST, Listing, Register, Request},
    seen::{GONE, STALE, Seen},
    store::{Place, Store, When},
};

/// Streams that began before there was a register are not in it.
const GRACE: Micros = 60_000_000;
/// How often a register beats where nothing else writes it.
const BEAT: Micros = 2_000_000;

/// The requests of one worker. Its VM has one of these, whatever listeners it serves.
#[derive(Debug)]
pub struct Worker {
    owner: NonZeroU64,
    slot: Option<u8>,
    register: Register,
    /// When it was last awake.
    ticked: Micros,
    unlisted: Unlisted,
}

/// Requests that found no room.
#[derive(Debug, Default)]
struct Unlisted {
    count: u32,
    last: Micros,
    /// Goes up when those that are counted are given up.
    epoch: u32,
}

/// A request that began, until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticket {
    Listed(u32),
    Unlisted(u32),
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The application has answered, to the last byte.
    Answered,
    /// It has not, and may still be at it.
    Aborted,
}

impl Worker {
    /// `owner` is random. `hashes` is how many keys and tokens of a request are listed. `now`: when the VM started.
    pub fn new(owner: NonZeroU64, hashes: usize, now: Micros) -> Self {
        Self {
            owner,
            slot: None,
            register: Register::new(owner.get(), hashes, now.saturating_add(GRACE)),
            ticked: now,
            unlisted: Unlisted::default(),
        }
    }

    /// Before the request is forwarded to the application, so that whatever it causes finds it listed. One write.
    pub fn begin(&mut self, store: &mut impl Store, now: Micros, request: &Request<'_>) -> Ticket {
        let ticket = match self.register.list(request, now) {
            Some(id) => Ticket::Listed(id),
            None => {
                self.unlisted.last = now;
                self.count_unlisted(self.unlisted.count.saturating_add(1));
                Ticket::Unlisted(self.unlisted.epoch)
            }
        };
        self.publish(store, now);
        ticket
    }

    /// When the request is over. One write.
    pub fn end(&mut self, store: &mut impl Store, now: Micros, ticket: Ticket, how: End) {
        match (ticket, how) {
            (Ticket::Listed(id), End::Answered) => self.register.end(id, now),
            (Ticket::Listed(id), End::Aborted) => self.register.abort(id, now),
            (Ticket::Unlisted(epoch), how) => {
                if epoch == self.unlisted.epoch {
                    self.count_unlisted(self.unlisted.count.saturating_sub(1));
                }
                if how == End::Aborted {
                    self.register.complete_from(now.saturating_add(LONGEST));
                }
            }
        }
        self.register.end_at(now);
        self.publish(store, now);
    }

    /// At least every other second, or what the others infer and what is read here comes to a halt. A worker that never had a
    /// request writes nothing.
    pub fn tick(&mut self, store: &mut impl Store, now: Micros) {
        let stood_still = self.wake(now);
        self.register.complete_by(now.saturating_add(LONGEST));
        if self.unlisted.count > 0 && now.saturating_sub(self.unlisted.last) > DEADLINE {
            self.unlisted.epoch = self.unlisted.epoch.wrapping_add(1);
            self.count_unlisted(0);
        }
        let has_swept = self.register.sweep(now);
        let beat = self.register.listing().heartbeat();
        // A beat ahead of the clock: it was set back.
        let is_due = beat > now || now.saturating_sub(beat) >= BEAT;
        if self.slot.is_some() && (has_swept || is_due || stood_still) {
            self.publish(store, now);
        }
    }

    /// Notes that it is alive. Returns whether it seems not to have been: the clock was set forward, or the worker stood still. What
    /// it lists may then have aged without reason, or have been taken for dead.
    fn wake(&mut self, now: Micros) -> bool {
        let stood_still = now.saturating_sub(self.ticked) > STALE;
        if stood_still {
            self.register.complete_from(now.saturating_add(GRACE));
        }
        self.ticked = now;
        stood_still
    }

    /// The VM is to go. What it still has in flight stays listed until its time is up.
    pub fn leave(&mut self, store: &mut impl Store, now: Micros) {
        let Some(slot) = self.slot.take() else {
            return;
        };
        self.register.disown();
        self.register.beat(now);
        if let Some((bytes, version)) = store.get(Place::Register(slot))
            && self.is_ours(&bytes)
        {
            // Lost to one who took it for dead.
            let _ = store.set(
                Place::Register(slot),
                self.register.bytes(),
                When::Version(version),
            );
        }
    }

    /// What all workers have in flight.
    pub fn look(&self, store: &mut impl Store, now: Micros) -> Seen {
        let mut seen = Seen::read(store, now);
        if now.saturating_sub(self.ticked) > STALE {
            seen.doubt();
        }
        seen
    }

    /// After a call with those keys or tokens was decided on: where it came for a request that is over, the application works after
    /// its answers, and keys are then looked at more closely.
    pub fn notice(&mut self, store: &mut impl Store, now: Micros, seen: &Seen, hashes: &[u64]) {
        if seen.is_late(hashes) {
            self.register.late_at(now);
            self.publish(store, now);
        }
    }

    /// What part of all samples of the evidence this worker takes: those that have a register share them.
    pub fn share(&self, seen: &Seen) -> f32 {
        match self.slot {
            Some(_) => 1.0 / f32::from(seen.workers().max(1)),
            None => 0.0,
        }
    }

    fn count_unlisted(&mut self, count: u32) {
        self.unlisted.count = count;
        self.register.set_unlisted(count);
    }

    fn publish(&mut self, store: &mut impl Store, now: Micros) {
        self.wake(now);
        let beat = self.register.listing().heartbeat();
        self.register.beat(now);
        let is_written = self.slot.is_some_and(|slot| {
            let place = Place::Register(slot);
            // Nobody takes over a register that beats.
            if now.saturating_sub(beat) <= STALE {
                return store.set(place, self.register.bytes(), When::Always);
            }
            store.get(place).is_some_and(|(bytes, version)| {
                self.is_ours(&bytes)
                    && store.set(place, self.register.bytes(), When::Version(version))
            })
        });
        if !is_written {
            self.slot = self.claim(store, now);
        }
    }

    fn is_ours(&self, bytes: &[u8]) -> bool {
        Listing::read(bytes).is_some_and(|listing| listing.owner() == self.owner.get())
    }

    /// The first register that nobody needs. Each try that fails, another has taken that one. Where there are too many workers,
    /// every reader finds as much.
    fn claim(&self, store: &mut impl Store, now: Micros) -> Option<u8> {
        (0..MOST_WORKERS).find(|slot| {
            let place = Place::Register(*slot);
            let when = match store.get(place) {
                None => When::Absent,
                Some((bytes, version)) if is_free(&bytes, now) => When::Version(version),
                Some(_) => return false,
            };
            store.set(place, self.register.bytes(), when)
        })
    }
}

fn is_free(bytes: &[u8], now: Micros) -> bool {
    // Nobody writes what is no register: whatever it is, it is broken.
    Listing::read(bytes).is_none_or(|listing| {
        let is_left = listing.owner() == 0 && listing.entries().next().is_none();
        is_left || now.saturating_sub(listing.heartbeat()) > GONE
    })
}
