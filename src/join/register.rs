//! One worker's requests in flight, as the bytes of one shared value.
//!
//! A header, then an entry for each request, close together in no order: what has ended costs nothing. All numbers are
//! little-endian, times are microseconds since the epoch.
//!
//! | header | bytes | | entry | bytes |
//! |---|---|---|---|---|
//! | layout | 1 | | id | 4 |
//! | hashes in an entry | 1 | | flags | 1 |
//! | entries | 2 | | route | 4 |
//! | requests that are not listed | 4 | | began; where aborted, is over | 8 |
//! | owner, 0 for none | 8 | | trace id | 16 |
//! | heartbeat | 8 | | span id | 8 |
//! | complete since | 8 | | hashes, 0 for none | 8 each |
//! | last end | 8 | | | |
//! | last late call | 8 | | | |
//! | keys that ended: hash, time | 16 each, 64 of them | | | |

use super::Micros;
use crate::trace::{Sampling, SpanContext, SpanId, TraceId};

/// More requests of one worker at a time are counted, not listed.
pub const MOST_LISTED: usize = 256;
/// Of keys and tokens together, in one entry.
pub const MOST_HASHES: usize = 8;
/// A request that takes longer counts as ended for what is inferred: it is a stream, and calls when it likes.
pub const DEADLINE: Micros = 600_000_000;
/// For so long after what it was at is likely to be over, the application may still call with the keys of a request whose client
/// went away.
const LINGER: Micros = 60_000_000;
/// A request whose client went away counts as in flight for four times as long again as it had been, within these bounds. What
/// takes longer is found by the evidence.
const LEAST_IN_FLIGHT: Micros = 500_000;
const MOST_IN_FLIGHT: Micros = 60_000_000;
/// The longest that a request of which nothing is known any more can matter.
pub const LONGEST: Micros = 120_000_000;
/// No request lasts so long; one that does is no longer listed.
const FORGOTTEN: Micros = 86_400_000_000;

/// For so long the keys of requests that were answered are remembered, as far as there is room.
const REMEMBERED: Micros = 10_000_000;
/// Where there is no room for those of so long, none is known to be unique.
const LEAST_REMEMBERED: Micros = 1_000_000;
const MOST_ENDED: usize = 64;
/// An application that was seen to call after an answer may do it again for so long.
const LATE: Micros = 3_600_000_000;

const LAYOUT: u8 = 1;
const ENDED: usize = 48;
const HEADER: usize = 1072;
const ENTRY: usize = 41;

const COUNT: usize = 2;
const UNLISTED: usize = 4;
const OWNER: usize = 8;
const HEARTBEAT: usize = 16;
const COMPLETE_SINCE: usize = 24;
const LAST_END: usize = 32;
const LAST_LATE: usize = 40;

const FLAGS: usize = 4;
const ROUTE: usize = 5;
const TIME: usize = 9;
const TRACE_ID: usize = 17;
const SPAN_ID: usize = 33;

/// Deny, accept and debug are 1 to 3; 0 is a request without a context that is known.
const SAMPLING: u8 = 0b11;
const RANDOM: u8 = 1 << 2;
const ABORTED: u8 = 1 << 3;
const MORE_TOKENS: u8 = 1 << 4;

/// A request as it is listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// `None` where nobody here knows it: a rule ignores the request, or a tracer of Envoy's own has it.
    pub context: Option<SpanContext>,
    /// [`super::class::route`]; 0 for none.
    pub route: u32,
    /// Of its keys, then of its tokens; as many as the register has room for.
    pub hashes: &'a [u64],
    /// It has more tokens than are listed.
    pub has_more_tokens: bool,
}

/// A register as its owner writes it.
#[derive(Debug)]
pub struct Register {
    bytes: Vec<u8>,
    hashes: u8,
    next: u32,
    next_ended: usize,
}

impl Register {
    pub fn new(owner: u64, hashes: usize, complete_since: Micros) -> Self {
        let hashes = u8::try_from(hashes.min(MOST_HASHES)).unwrap_or(0);
        let mut bytes = vec![0; HEADER];
        put(&mut bytes, 0, [LAYOUT, hashes]);
        put(&mut bytes, OWNER, owner.to_le_bytes());
        put(&mut bytes, COMPLETE_SINCE, complete_since.to_le_bytes());
        Self {
            bytes,
            hashes,
            next: 0,
            next_ended: 0,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// As others read it.
    pub fn listing(&self) -> Listing<'_> {
        Listing {
            bytes: &self.bytes,
            stride: self.stride(),
        }
    }

    pub fn beat(&mut self, now: Micros) {
        put(&mut self.bytes, HEARTBEAT, now.to_le_bytes());
    }

    /// Nobody's from now on.
    pub fn disown(&mut self) {
        put(&mut self.bytes, OWNER, 0_u64.to_le_bytes());
    }

    /// From `time` on it lists everything, and not before.
    pub fn complete_from(&mut self, time: Micros) {
        let since = self.listing().complete_since().max(time);
        put(&mut self.bytes, COMPLETE_SINCE, since.to_le_bytes());
    }

    /// The clock was set back: what was to be waited for is not further away than `time`.
    pub fn complete_by(&mut self, time: Micros) {
        let since = self.listing().complete_since().min(time);
        put(&mut self.bytes, COMPLETE_SINCE, since.to_le_bytes());
    }

    pub fn set_unlisted(&mut self, count: u32) {
        put(&mut self.bytes, UNLISTED, count.to_le_bytes());
    }

    pub fn end_at(&mut self, time: Micros) {
        put(&mut self.bytes, LAST_END, time.to_le_bytes());
    }

    /// A call came for a request that was over.
    pub fn late_at(&mut self, time: Micros) {
        put(&mut self.bytes, LAST_LATE, time.to_le_bytes());
    }

    /// Lists a request and names it, where there is room.
    pub fn list(&mut self, request: &Request<'_>, now: Micros) -> Option<u32> {
        let count = self.count();
        if count >= MOST_LISTED && !self.make_room(now) {
            return None;
        }
        let id = self.next;
        self.next = id.wrapping_add(1);
        let start = self.bytes.len();
        self.bytes.resize(start.saturating_add(self.stride()), 0);
        let entry = self.bytes.get_mut(start..).unwrap_or_default();
        put(entry, 0, id.to_le_bytes());
        put(entry, ROUTE, request.route.to_le_bytes());
        put(entry, TIME, now.to_le_bytes());
        let mut flags = 0;
        if let Some(context) = &request.context {
            flags = match context.sampling {
                Sampling::Deny => 1,
                Sampling::Accept => 2,
                Sampling::Debug => 3,
            };
            flags |= if context.random { RANDOM } else { 0 };
            put(entry, TRACE_ID, context.trace_id.bits().to_le_bytes());
            put(entry, SPAN_ID, context.span_id.bits().to_le_bytes());
        }
        flags |= if request.has_more_tokens {
            MORE_TOKENS
        } else {
            0
        };
        put(entry, FLAGS, [flags]);
        let (hashes, _) = entry
            .get_mut(ENTRY..)
            .unwrap_or_default()
            .as_chunks_mut::<8>();
        for (place, hash) in hashes.iter_mut().zip(request.hashes) {
            *place = hash.to_le_bytes();
        }
        self.set_count();
        Some(id)
    }

    /// A request has ended. One that is not listed is passed over.
    pub fn end(&mut self, id: u32, now: Micros) {
        let Some(place) = self.place_of(|entry| entry.id() == id) else {
            return;
        };
        for hash in 0..usize::from(self.hashes) {
            let at = self.start_of(place).saturating_add(ENTRY);
            let hash: [u8; 8] = field(&self.bytes, at.saturating_add(hash.saturating_mul(8)));
            if hash != [0; 8] {
                let at = ENDED.saturating_add(self.next_ended.saturating_mul(16));
                put(&mut self.bytes, at, hash);
                put(&mut self.bytes, at.saturating_add(8), now.to_le_bytes());
                self.next_ended = self.next_ended.saturating_add(1) & (MOST_ENDED - 1);
            }
        }
        self.take_out(place);
    }

    /// A request's client went away, and the application may not have heard of it.
    pub fn abort(&mut self, id: u32, now: Micros) {
        let Some(place) = self.place_of(|entry| entry.id() == id) else {
            return;
        };
        let entry = self.listing().entries().nth(place);
        let age = entry.map_or(0, |entry| entry.age(now));
        let more = age.saturating_mul(4).clamp(LEAST_IN_FLIGHT, MOST_IN_FLIGHT);
        let over = now.saturating_add(more);
        let start = self.start_of(place);
        let entry = self.bytes.get_mut(start..).unwrap_or_default();
        if let Some(flags) = entry.get_mut(FLAGS) {
            *flags |= ABORTED;
        }
        put(entry, TIME, over.to_le_bytes());
    }

    /// Drops what is over. Returns whether there was any.
    pub fn sweep(&mut self, now: Micros) -> bool {
        let before = self.bytes.len();
        while let Some(place) = self.place_of(|entry| entry.is_forgotten(now)) {
            self.take_out(place);
        }
        self.bytes.len() < before
    }

    /// Gives up the oldest entry that no request in flight needs. Until it would have been swept, nobody knows whether a key of
    /// another request is still unique.
    fn make_room(&mut self, now: Micros) -> bool {
        let entries = self.listing().entries().enumerate();
        let oldest = entries
            .filter(|(_, entry)| entry.is_aborted() || entry.age(now) >= DEADLINE)
            .max_by_key(|(_, entry)| entry.age(now));
        let Some((place, _)) = oldest else {
            return false;
        };
        self.take_out(place);
        self.complete_from(now.saturating_add(LONGEST));
        true
    }

    fn place_of(&self, is_it: impl Fn(Entry<'_>) -> bool) -> Option<usize> {
        self.listing().entries().position(is_it)
    }

    /// The last entry moves into the place.
    fn take_out(&mut self, place: usize) {
        let stride = self.stride();
        let start = self.start_of(place);
        let Some(last) = self.bytes.len().checked_sub(stride) else {
            return;
        };
        if let Some((kept, moved)) = self.bytes.split_at_mut_checked(last)
            && let Some(gap) = kept.get_mut(start..)
            && let Some(gap) = gap.get_mut(..stride)
        {
            for (to, from) in gap.iter_mut().zip(moved) {
                *to = *from;
            }
        }
        self.bytes.truncate(last);
        self.set_count();
    }

    fn start_of(&self, place: usize) -> usize {
        HEADER.saturating_add(place.saturating_mul(self.stride()))
    }

    fn stride(&self) -> usize {
        stride(self.hashes)
    }

    fn count(&self) -> usize {
        let entries = self.bytes.len().saturating_sub(HEADER);
        entries.checked_div(self.stride()).unwrap_or(0)
    }

    fn set_count(&mut self) {
        let count = u16::try_from(self.count()).unwrap_or(u16::MAX);
        put(&mut self.bytes, COUNT, count.to_le_bytes());
    }
}

/// A register as anybody reads it.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    bytes: &'a [u8],
    stride: usize,
}

impl<'a> Listing<'a> {
    /// `None` for bytes that are no register.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let [layout, hashes] = field::<2>(bytes, 0);
        let stride = stride(hashes);
        let count = usize::from(u16::from_le_bytes(field(bytes, COUNT)));
        let length = HEADER.saturating_add(count.saturating_mul(stride));
        let is_one = layout == LAYOUT
            && usize::from(hashes) <= MOST_HASHES
            && count <= MOST_LISTED
            && bytes.len() == length;
        is_one.then_some(Self { bytes, stride })
    }

    pub fn owner(self) -> u64 {
        u64::from_le_bytes(field(self.bytes, OWNER))
    }

    pub fn heartbeat(self) -> Micros {
        u64::from_le_bytes(field(self.bytes, HEARTBEAT))
    }

    pub fn complete_since(self) -> Micros {
        u64::from_le_bytes(field(self.bytes, COMPLETE_SINCE))
    }

    pub fn last_end(self) -> Micros {
        u64::from_le_bytes(field(self.bytes, LAST_END))
    }

    /// Whether the application has lately called for a request that was over.
    pub fn is_late(self, now: Micros) -> bool {
        let last = u64::from_le_bytes(field(self.bytes, LAST_LATE));
        last > 0 && now.saturating_sub(last) < LATE
    }

    /// Whether a request that ended lately had it.
    pub fn has_ended(self, hash: u64, now: Micros) -> bool {
        self.ended(now, REMEMBERED).any(|ended| ended == hash)
    }

    /// Whether more have ended lately than there is room for.
    pub fn forgets(self, now: Micros) -> bool {
        self.ended(now, LEAST_REMEMBERED).count() >= MOST_ENDED
    }

    fn ended(self, now: Micros, most: Micros) -> impl Iterator<Item = u64> {
        let ended = self.bytes.get(ENDED..HEADER).unwrap_or_default();
        let (words, _) = ended.as_chunks::<8>();
        let (pairs, _) = words.as_chunks::<2>();
        pairs.iter().filter_map(move |[hash, time]| {
            let age = now.saturating_sub(u64::from_le_bytes(*time));
            let hash = u64::from_le_bytes(*hash);
            (hash != 0 && age < most).then_some(hash)
        })
    }

    pub fn unlisted(self) -> u32 {
        u32::from_le_bytes(field(self.bytes, UNLISTED))
    }

    pub fn entries(self) -> impl Iterator<Item = Entry<'a>> {
        let mut rest = self.bytes.get(HEADER..).unwrap_or_default();
        core::iter::from_fn(move || {
            let (entry, after) = rest.split_at_checked(self.stride)?;
            rest = after;
            Some(Entry(entry))
        })
    }
}

/// One request of a register.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a>(&'a [u8]);

impl Entry<'_> {
    fn id(self) -> u32 {
        u32::from_le_bytes(field(self.0, 0))
    }

    fn flags(self) -> u8 {
        u8::from_le_bytes(field(self.0, FLAGS))
    }

    /// Since it began, or, where it was aborted, is over. A clock that was set back makes it young.
    fn age(self, now: Micros) -> Micros {
        now.saturating_sub(u64::from_le_bytes(field(self.0, TIME)))
    }

    fn is_forgotten(self, now: Micros) -> bool {
        let most = if self.is_aborted() { LINGER } else { FORGOTTEN };
        self.age(now) >= most
    }

    pub fn is_aborted(self) -> bool {
        self.flags() & ABORTED != 0
    }

    /// Whether the application may be at work on it.
    pub fn is_in_flight(self, now: Micros) -> bool {
        let most = if self.is_aborted() { 1 } else { DEADLINE };
        self.age(now) < most
    }

    /// Whether a call may carry one of its keys.
    pub fn has_keys(self, now: Micros) -> bool {
        !self.is_forgotten(now)
    }

    pub fn has_more_tokens(self) -> bool {
        self.flags() & MORE_TOKENS != 0
    }

    pub fn route(self) -> u32 {
        u32::from_le_bytes(field(self.0, ROUTE))
    }

    pub fn has(self, hash: u64) -> bool {
        let (hashes, _) = self.0.get(ENTRY..).unwrap_or_default().as_chunks::<8>();
        hash != 0 && hashes.contains(&hash.to_le_bytes())
    }

    pub fn context(self) -> Option<SpanContext> {
        let sampling = match self.flags() & SAMPLING {
            1 => Sampling::Deny,
            2 => Sampling::Accept,
            3 => Sampling::Debug,
            _ => return None,
        };
        Some(SpanContext {
            trace_id: TraceId::new(u128::from_le_bytes(field(self.0, TRACE_ID)))?,
            span_id: SpanId::new(u64::from_le_bytes(field(self.0, SPAN_ID)))?,
            sampling,
            random: self.flags() & RANDOM != 0,
        })
    }
}

fn stride(hashes: u8) -> usize {
    ENTRY.saturating_add(usize::from(hashes).saturating_mul(8))
}

/// Zeros past the end.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

/// Nothing past the end.
fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = value;
    }
}
