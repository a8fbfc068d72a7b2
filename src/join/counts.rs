//! What was counted: how often each state was found, and the calls that came in it. Of bounded size, merged by addition.

use super::Micros;

/// Routes, callees and pairs of them that are told apart. What does not fit is not known, and nothing is inferred of it.
const MOST_CLASSES: usize = 64;
const MOST_PAIRS: usize = 512;
/// How long nothing has ended, in steps: what is called with nothing in flight is called soon after an end where it is work that
/// an answer left behind, and at any time where a timer does it.
pub const LAGS: usize = 5;
/// Where each step ends.
const STEPS: [Micros; LAGS - 1] = [2_000, 10_000, 50_000, 250_000];
/// Samples after which old ones count half: two days of ten a second.
const MEMORY: f32 = 1_728_000.0;
/// What has less is not worth its place where places are few.
const LITTLE: f32 = 3.0;
const LAYOUT: u8 = 1;

/// The step of a lag.
pub fn lag(since_last_end: Micros) -> usize {
    STEPS.iter().filter(|step| since_last_end >= **step).count()
}

/// Samples, by the state that they found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Time {
    /// Nothing in flight, by lag.
    pub idle: [f32; LAGS],
    /// One request in flight.
    pub alone: f32,
    /// Any.
    pub all: f32,
}

/// A route, and the samples that found it alone in flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    pub id: u32,
    /// Samples that found any route alone, before this one was seen.
    pub before: f32,
    pub alone: f32,
}

/// A callee, and its calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Callee {
    pub id: u32,
    /// The time before it counts: what was not called yet was not left alone.
    pub before: Time,
    /// With nothing in flight, by lag.
    pub idle: [f32; LAGS],
    /// In any state.
    pub all: f32,
    /// How far the calls with nothing in flight have lately been ahead of what is tolerated (a one-sided CUSUM: Page 1954).
    pub ahead: f32,
}

/// The calls to a callee while one request of that route was in flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    pub route: u32,
    pub callee: u32,
    pub calls: f32,
}

/// The lists are sorted, by id; pairs by callee, then route.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    pub time: Time,
    pub routes: Vec<Route>,
    pub callees: Vec<Callee>,
    pub pairs: Vec<Pair>,
}

impl Counts {
    pub fn route(&self, id: u32) -> Option<&Route> {
        let place = self.routes.binary_search_by_key(&id, |route| route.id);
        self.routes.get(place.ok()?)
    }

    pub fn callee(&self, id: u32) -> Option<&Callee> {
        let place = self.callees.binary_search_by_key(&id, |callee| callee.id);
        self.callees.get(place.ok()?)
    }

    /// The calls of a pair.
    pub fn calls(&self, route: u32, callee: u32) -> f32 {
        let pair = self
            .place_of(route, callee)
            .and_then(|place| self.pairs.get(place));
        pair.map_or(0.0, |pair| pair.calls)
    }

    /// The pairs of a callee.
    pub fn pairs_of(&self, callee: u32) -> &[Pair] {
        let start = self.pairs.partition_point(|pair| pair.callee < callee);
        let end = self.pairs.partition_point(|pair| pair.callee <= callee);
        self.pairs.get(start..end).unwrap_or_default()
    }

    fn place_of(&self, route: u32, callee: u32) -> Option<usize> {
        let key = |pair: &Pair| (pair.callee, pair.route);
        self.pairs.binary_search_by_key(&(callee, route), key).ok()
    }

    pub fn route_mut(&mut self, id: u32) -> Option<&mut Route> {
        if self.route(id).is_none() && self.routes.len() < MOST_CLASSES {
            self.routes.push(Route {
                id,
                before: self.time.alone,
                alone: 0.0,
            });
            self.routes.sort_unstable_by_key(|route| route.id);
        }
        let place = self.routes.binary_search_by_key(&id, |route| route.id);
        self.routes.get_mut(place.ok()?)
    }

    pub fn callee_mut(&mut self, id: u32) -> Option<&mut Callee> {
        if self.callee(id).is_none() && self.callees.len() < MOST_CLASSES {
            self.callees.push(Callee {
                id,
                before: self.time,
                idle: [0.0; LAGS],
                all: 0.0,
                ahead: 0.0,
            });
            self.callees.sort_unstable_by_key(|callee| callee.id);
        }
        let place = self.callees.binary_search_by_key(&id, |callee| callee.id);
        self.callees.get_mut(place.ok()?)
    }

    /// Where a route is without its pair, it would seem not to call: it is given up.
    pub fn add_calls(&mut self, route: u32, callee: u32, calls: f32) {
        let place = self.place_of(route, callee);
        if let Some(pair) = place.and_then(|place| self.pairs.get_mut(place)) {
            pair.calls += calls;
        } else if self.pairs.len() < MOST_PAIRS {
            self.pairs.push(Pair {
                route,
                callee,
                calls,
            });
            self.pairs
                .sort_unstable_by_key(|pair| (pair.callee, pair.route));
        } else {
            self.forget_route(route);
        }
    }

    /// Adds what another has counted.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.time.idle.iter_mut().zip(other.time.idle) {
            *sum += more;
        }
        self.time.alone += other.time.alone;
        self.time.all += other.time.all;
        for more in &other.routes {
            if let Some(route) = self.route_mut(more.id) {
                route.alone += more.alone;
            }
        }
        for more in &other.callees {
            if let Some(callee) = self.callee_mut(more.id) {
                for (sum, more) in callee.idle.iter_mut().zip(more.idle) {
                    *sum += more;
                }
                callee.all += more.all;
                callee.ahead = (callee.ahead + more.ahead).max(0.0);
            }
        }
        for more in &other.pairs {
            if self.route(more.route).is_some() && self.callee(more.callee).is_some() {
                self.add_calls(more.route, more.callee, more.calls);
            }
        }
    }

    /// Begins anew with a callee, as if it had been seen for the first time.
    pub fn forget_callee(&mut self, id: u32) {
        let now = self.time;
        self.pairs.retain(|pair| pair.callee != id);
        if let Some(callee) = self.callee_mut(id) {
            *callee = Callee {
                id,
                before: now,
                idle: [0.0; LAGS],
                all: 0.0,
                ahead: 0.0,
            };
        }
    }

    fn forget_route(&mut self, id: u32) {
        self.routes.retain(|route| route.id != id);
        self.pairs.retain(|pair| pair.route != id);
    }

    /// Lets old counts fade, and makes room where there is none.
    pub fn settle(&mut self) {
        if self.time.all > MEMORY {
            self.halve();
        }
        if self.routes.len() >= MOST_CLASSES || self.pairs.len() >= MOST_PAIRS {
            self.routes.retain(|route| route.alone >= LITTLE);
        }
        if self.callees.len() >= MOST_CLASSES {
            self.callees.retain(|callee| callee.all >= LITTLE);
        }
        let (routes, callees) = (&self.routes, &self.callees);
        self.pairs.retain(|pair| {
            let route = routes.binary_search_by_key(&pair.route, |route| route.id);
            let callee = callees.binary_search_by_key(&pair.callee, |callee| callee.id);
            route.is_ok() && callee.is_ok()
        });
    }

    fn halve(&mut self) {
        let callees = self.callees.iter_mut();
        callees.for_each(|callee| callee.numbers().for_each(|number| *number *= 0.5));
        self.time.numbers().for_each(|number| *number *= 0.5);
        for route in &mut self.routes {
            route.before *= 0.5;
            route.alone *= 0.5;
        }
        self.pairs.iter_mut().for_each(|pair| pair.calls *= 0.5);
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        let mut word = |word: u32| bytes.extend_from_slice(&word.to_le_bytes());
        let mut time = self.time;
        time.numbers().for_each(|number| word(number.to_bits()));
        for count in [self.routes.len(), self.callees.len(), self.pairs.len()] {
            word(u32::try_from(count).unwrap_or(0));
        }
        for route in &self.routes {
            word(route.id);
            word(route.before.to_bits());
            word(route.alone.to_bits());
        }
        for mut callee in self.callees.iter().copied() {
            word(callee.id);
            callee.numbers().for_each(|number| word(number.to_bits()));
        }
        for pair in &self.pairs {
            word(pair.route);
            word(pair.callee);
            word(pair.calls.to_bits());
        }
        bytes
    }

    /// `None` for bytes that hold no counts.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (layout, rest) = bytes.split_first()?;
        let (words, rest) = rest.as_chunks::<4>();
        if *layout != LAYOUT || !rest.is_empty() {
            return None;
        }
        let mut words = words.iter().copied().map(u32::from_le_bytes);
        let mut counts = Self::default();
        read(&mut words, counts.time.numbers())?;
        let [routes, callees, pairs] = [words.next()?, words.next()?, words.next()?];
        for _ in 0..routes {
            let mut route = Route {
                id: words.next()?,
                before: 0.0,
                alone: 0.0,
            };
            read(
                &mut words,
                [&mut route.before, &mut route.alone].into_iter(),
            )?;
            counts.routes.push(route);
        }
        for _ in 0..callees {
            let mut callee = Callee {
                id: words.next()?,
                before: Time::default(),
                idle: [0.0; LAGS],
                all: 0.0,
                ahead: 0.0,
            };
            read(&mut words, callee.numbers())?;
            counts.callees.push(callee);
        }
        for _ in 0..pairs {
            let mut pair = Pair {
                route: words.next()?,
                callee: words.next()?,
                calls: 0.0,
            };
            read(&mut words, core::iter::once(&mut pair.calls))?;
            counts.pairs.push(pair);
        }
        let fits = counts.routes.is_sorted_by(|one, other| one.id < other.id)
            && counts.callees.is_sorted_by(|one, other| one.id < other.id)
            && counts
                .pairs
                .is_sorted_by(|one, other| (one.callee, one.route) < (other.callee, other.route))
            && counts.routes.len() <= MOST_CLASSES
            && counts.callees.len() <= MOST_CLASSES
            && counts.pairs.len() <= MOST_PAIRS
            && words.next().is_none();
        fits.then_some(counts)
    }
}

impl Time {
    fn numbers(&mut self) -> impl Iterator<Item = &mut f32> {
        self.idle.iter_mut().chain([&mut self.alone, &mut self.all])
    }
}

impl Callee {
    fn numbers(&mut self) -> impl Iterator<Item = &mut f32> {
        let calls = self.idle.iter_mut().chain([&mut self.all, &mut self.ahead]);
        self.before.numbers().chain(calls)
    }
}

/// Numbers that can be counts.
fn read<'a>(
    words: &mut impl Iterator<Item = u32>,
    numbers: impl Iterator<Item = &'a mut f32>,
) -> Option<()> {
    for number in numbers {
        *number = f32::from_bits(words.next()?);
        if !number.is_finite() || *number < 0.0 {
            return None;
        }
    }
    Some(())
}
