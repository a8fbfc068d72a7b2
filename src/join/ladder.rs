//! The rungs, from the one that knows to the one that infers. The first that holds decides; where none does, nothing is said.
//!
//! A call that carries a context never comes here.

use super::{register::Entry, seen::Seen};
use crate::trace::{Sampling, SpanContext};

/// How a call was joined to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// The call carries a key of that request and of no other.
    Key,
    /// The call's path has a token of that request and of no other.
    Token,
    /// Of the requests in flight only that one is of a route that calls there.
    Route,
    /// No other request is in flight.
    Sole,
}

impl Rung {
    pub const ALL: [Self; 4] = [Self::Key, Self::Token, Self::Route, Self::Sole];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Token => "token",
            Self::Route => "route",
            Self::Sole => "sole",
        }
    }

    /// Whether the call itself says so.
    pub const fn is_exact(self) -> bool {
        matches!(self, Self::Key | Self::Token)
    }
}

/// The rungs that are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rungs {
    pub key: bool,
    pub token: bool,
    pub route: bool,
    pub sole: bool,
}

impl Rungs {
    pub const fn has(self, rung: Rung) -> bool {
        match rung {
            Rung::Key => self.key,
            Rung::Token => self.token,
            Rung::Route => self.route,
            Rung::Sole => self.sole,
        }
    }

    /// Whether anything has to be learned.
    pub const fn infer(self) -> bool {
        self.route || self.sole
    }
}

/// A call without a context.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call<'a> {
    /// The hashes of its keys.
    pub keys: &'a [u64],
    /// Of its tokens.
    pub tokens: &'a [u64],
    /// [`super::class::callee`].
    pub callee: u32,
    pub authority: &'a [u8],
}

/// What is known of who calls whom.
pub trait Evidence {
    /// Which of `in_flight`, all that is, this call is of: the place of the only request that it is likely to be of, where the
    /// chance that it is not is bounded.
    fn infer(&self, seen: &Seen, call: &Call<'_>, in_flight: &[Working]) -> Option<usize>;
}

/// A request that the application may be at work on, as far as it is known what such requests do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Working {
    pub route: u32,
    /// Its client went away: nothing is joined to it.
    pub is_aborted: bool,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Joined(Joined),
    Abstained(Abstained),
}

impl Outcome {
    /// Whether the call itself said whose it is. What is inferred is inferred of the others, and learned from them alone.
    pub const fn is_exact(&self) -> bool {
        matches!(self, Self::Joined(joined) if joined.rung.is_exact())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    pub rung: Rung,
    /// The request's. Only a rung that is exact hands on its debug flag.
    pub context: SpanContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abstained {
    pub why: Why,
    pub candidates: Candidates,
}

/// What it may belong to, where that is no more than four.
pub type Candidates = [Option<SpanContext>; 4];

/// Why nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Something may be in flight that is not listed.
    Incomplete,
    /// More than one request has the call's key or token, one that was answered perhaps among them, or two keys name two requests.
    Ambiguous,
    /// Nothing is in flight.
    Idle,
    /// The request that it belongs to has a context that nobody here knows.
    Unknown,
    /// No rung that is on holds.
    Unproven,
}

impl Why {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Ambiguous => "ambiguous",
            Self::Idle => "idle",
            Self::Unknown => "unknown",
            Self::Unproven => "unproven",
        }
    }
}

/// More in flight are not looked at by what infers: of so many, several are of the same route.
const MOST_IN_FLIGHT: usize = 64;

/// Goes up the ladder.
pub fn decide(rungs: Rungs, seen: &Seen, call: &Call<'_>, evidence: &impl Evidence) -> Outcome {
    if !seen.is_complete() {
        return abstain(Why::Incomplete, core::iter::empty());
    }
    let mut among = None;
    for (rung, hashes) in [(Rung::Key, call.keys), (Rung::Token, call.tokens)] {
        if !rungs.has(rung) {
            continue;
        }
        match unique(seen, rung, hashes) {
            Match::None => {}
            Match::One(entry) => return join(rung, entry),
            Match::Several(hash) => among = among.or(Some(hash)),
            Match::Contradiction(hash) => {
                return abstain(Why::Ambiguous, carriers(seen, hash));
            }
        }
    }
    let inferred = infer(rungs, seen, call, evidence);
    match (inferred, among) {
        // What is inferred must not be what the call rules out.
        (Some((rung, entry)), among) if among.is_none_or(|hash| entry.has(hash)) => {
            join(rung, entry)
        }
        (_, Some(hash)) => abstain(Why::Ambiguous, carriers(seen, hash)),
        (_, None) if seen.in_flight().next().is_none() => abstain(Why::Idle, core::iter::empty()),
        (_, None) => abstain(Why::Unproven, seen.in_flight()),
    }
}

/// Which requests carry a call's hashes.
enum Match<'a> {
    None,
    One(Entry<'a>),
    /// Each with this one.
    Several(u64),
    /// This one is another's.
    Contradiction(u64),
}

fn carriers(seen: &Seen, hash: u64) -> impl Iterator<Item = Entry<'_>> {
    seen.with_keys().filter(move |entry| entry.has(hash))
}

fn unique<'a>(seen: &'a Seen, rung: Rung, hashes: &[u64]) -> Match<'a> {
    let mut one: Option<(Entry<'a>, u64)> = None;
    let mut several = None;
    for hash in hashes {
        let mut carriers = carriers(seen, *hash);
        match (carriers.next(), carriers.next()) {
            (None, _) => {}
            (Some(_), None) if seen.may_be_late(*hash) => several = several.or(Some(*hash)),
            (Some(entry), None) => match one {
                // Where both are carried by one request, each is found by the other's.
                Some((first, _)) if !first.has(*hash) => return Match::Contradiction(*hash),
                _ => one = Some((entry, *hash)),
            },
            _ => several = several.or(Some(*hash)),
        }
    }
    match (one, several) {
        (None, None) => Match::None,
        (None, Some(hash)) => Match::Several(hash),
        (Some((_, hash)), _)
            if rung == Rung::Token && seen.with_keys().any(Entry::has_more_tokens) =>
        {
            // One of those that are not listed may be the same.
            Match::Several(hash)
        }
        (Some((entry, _)), Some(hash)) if !entry.has(hash) => Match::Contradiction(hash),
        (Some((entry, _)), _) => Match::One(entry),
    }
}

fn infer<'a>(
    rungs: Rungs,
    seen: &'a Seen,
    call: &Call<'_>,
    evidence: &impl Evidence,
) -> Option<(Rung, Entry<'a>)> {
    if !rungs.infer() {
        return None;
    }
    let mut working = [Working::default(); MOST_IN_FLIGHT];
    let mut count = 0_usize;
    for entry in seen.in_flight() {
        *working.get_mut(count)? = Working {
            route: entry.route(),
            is_aborted: entry.is_aborted(),
        };
        count = count.saturating_add(1);
    }
    let rung = match count {
        0 => return None,
        1 => Rung::Sole,
        _ => Rung::Route,
    };
    let working = working.get(..count).filter(|_| rungs.has(rung))?;
    let place = evidence.infer(seen, call, working)?;
    Some((rung, seen.in_flight().nth(place)?))
}

fn join(rung: Rung, entry: Entry<'_>) -> Outcome {
    let Some(mut context) = entry.context() else {
        return abstain(Why::Unknown, core::iter::empty());
    };
    if !rung.is_exact() && context.sampling == Sampling::Debug {
        context.sampling = Sampling::Accept;
    }
    Outcome::Joined(Joined { rung, context })
}

fn abstain<'a>(why: Why, among: impl Iterator<Item = Entry<'a>>) -> Outcome {
    let mut candidates = Candidates::default();
    let mut count = 0_usize;
    for entry in among {
        match candidates.get_mut(count) {
            Some(place) => *place = entry.context(),
            None => {
                candidates = Candidates::default();
                break;
            }
        }
        count = count.saturating_add(1);
    }
    Outcome::Abstained(Abstained { why, candidates })
}
