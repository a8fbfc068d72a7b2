//! What all workers have in flight, as one of them reads it at a call.
//!
//! The registers are read one after the other, and each may change meanwhile. That does no harm: a request is listed before it is
//! forwarded to the application, so what caused the call was listed before the call came. What is listed later did not cause it.

use super::{
    MOST_WORKERS, Micros,
    register::{Entry, Listing},
    store::{Place, Store},
};

/// A register that has not beaten for so long is a dead VM's. Its worker may serve requests that nobody lists.
pub const STALE: Micros = 10_000_000;
/// After so long nothing is left of what it had in flight.
pub const GONE: Micros = 600_000_000;

/// What was in flight at one moment, and whether that was all.
#[derive(Debug)]
pub struct Seen {
    registers: Vec<Vec<u8>>,
    now: Micros,
    is_complete: bool,
}

impl Seen {
    /// One read for each register, and one that finds no more.
    pub fn read(store: &mut impl Store, now: Micros) -> Self {
        let mut seen = Self {
            registers: Vec::new(),
            now,
            is_complete: true,
        };
        for slot in 0..MOST_WORKERS {
            let Some((bytes, _)) = store.get(Place::Register(slot)) else {
                return seen;
            };
            seen.add(bytes);
        }
        // There may be workers without a register.
        seen.is_complete = false;
        seen
    }

    fn add(&mut self, bytes: Vec<u8>) {
        let Some(listing) = Listing::read(&bytes) else {
            self.is_complete = false;
            return;
        };
        let silent = self.now.saturating_sub(listing.heartbeat());
        if silent > GONE {
            return;
        }
        let is_alive = listing.owner() == 0 || silent <= STALE;
        self.is_complete &=
            is_alive && listing.unlisted() == 0 && listing.complete_since() <= self.now;
        self.registers.push(bytes);
    }

    /// Something may be in flight that is not listed.
    pub fn doubt(&mut self) {
        self.is_complete = false;
    }

    /// Whether nothing is in flight but what is listed.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// How long ago a request last ended.
    pub fn since_last_end(&self) -> Micros {
        let ends = self.listings().map(Listing::last_end);
        self.now.saturating_sub(ends.max().unwrap_or(0))
    }

    /// Whether a call with those hashes is of a request that is over: one that has ended had one of them, and none that is listed
    /// has.
    pub fn is_late(&self, hashes: &[u64]) -> bool {
        let is_listed = |hash: &u64| self.with_keys().any(|entry| entry.has(*hash));
        !hashes.iter().any(is_listed) && hashes.iter().any(|hash| self.has_ended(*hash))
    }

    /// Whether a call with that hash may be of a request that is over, besides those that are listed.
    pub fn may_be_late(&self, hash: u64) -> bool {
        self.listings().any(|listing| listing.is_late(self.now))
            && (self.has_ended(hash) || self.listings().any(|listing| listing.forgets(self.now)))
    }

    fn has_ended(&self, hash: u64) -> bool {
        self.listings()
            .any(|listing| listing.has_ended(hash, self.now))
    }

    /// How many workers list what they have.
    pub fn workers(&self) -> u8 {
        let owned = self.listings().filter(|listing| listing.owner() != 0);
        u8::try_from(owned.count()).unwrap_or(u8::MAX)
    }

    /// All that the application may be at work on.
    pub fn in_flight(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries().filter(|entry| entry.is_in_flight(self.now))
    }

    /// All whose keys a call may carry.
    pub fn with_keys(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries().filter(|entry| entry.has_keys(self.now))
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.listings().flat_map(Listing::entries)
    }

    fn listings(&self) -> impl Iterator<Item = Listing<'_>> {
        let registers = self.registers.iter();
        registers.filter_map(|bytes| Listing::read(bytes))
    }
}
