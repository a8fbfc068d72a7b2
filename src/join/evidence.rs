//! What is known of who calls whom, as rates, and when that is enough to say whose a call is.
//!
//! Only moments with nothing or with one request in flight teach. In moments that come at random the state is looked at; a call
//! counts for the state that it comes in. So there are rates: of calls to c while one request of route r is in flight, and of calls
//! to c while none is. The latter are nobody's: timers, queues that answer before they work, retries after the answer.
//!
//! A call to c with requests of routes r1 to rk in flight is of the one whose rate is highest, but for
//!
//! ```text
//!            rates of the others + rate with none in flight
//!   error <= ----------------------------------------------
//!                       rate of that one
//! ```
//!
//! where the upper bounds stand above and the lower one below. A request whose client went away is one of the others too. Nothing is said unless that is within the limit. A request of the
//! same route is one of the others, so two of a route that calls c rule each other out, and what was never idle is never bounded.

use super::{
    Micros,
    bounds::{Sum, at_least, at_most},
    class,
    counts::{Callee, Counts, LAGS, Time, lag},
    ladder,
    seen::Seen,
    store::{Place, Store, When},
};

/// Rates are those of quiet moments. An application that is busy may take so many times as long, and what nobody's calls are
/// measured against is then as much less.
const CAUTION: f64 = 3.0;
/// Of the tolerated rate of calls with nothing in flight, how much is no reason for alarm.
const SLACK: f64 = 2.0;
/// So many calls ahead of that, and what was learned of the callee is void.
const ALARM: f32 = 5.0;
/// Other workers write at the same time, each once a second.
const TRIES: usize = 4;
/// Seconds between samples, on average.
const SAMPLE: f64 = 0.1;
/// How often what was counted is merged.
const MERGE: Micros = 1_000_000;

/// What a worker knows: what all have merged, and what it has counted since.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Error rate that must not be exceeded.
    limit: f64,
    declared: Vec<Declared>,
    known: Counts,
    /// Not merged yet.
    new: Counts,
    merged: Micros,
}

/// A route whose callees are told instead of learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// [`class::declared`].
    pub route: u32,
    /// Its callees' hosts.
    pub hosts: Vec<String>,
}

/// What can be said of the calls to a callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Too little is known.
    Learning,
    /// They are joined where one request in flight explains them.
    Asserting,
    /// They are also made with nothing in flight, too often.
    Background,
    /// They are not made while one request is in flight.
    Unexplained,
}

impl Standing {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Asserting => "asserting",
            Self::Background => "background",
            Self::Unexplained => "unexplained",
        }
    }
}

/// A callee, and why its standing is what it is. Seconds are those of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    pub callee: u32,
    pub standing: Standing,
    /// All its calls.
    pub calls: f64,
    /// Those with nothing in flight, and for how long nothing was.
    pub idle_calls: f64,
    pub idle_seconds: f64,
    /// The route that calls it most, and how often in a second of its requests, at least.
    pub route: u32,
    pub rate: f64,
    /// How many calls of a thousand that are joined are another's, at most.
    pub error: f64,
}

/// What is in flight.
enum State {
    /// Nothing, and since when in steps.
    Idle(usize),
    /// One request of that route.
    Alone(u32),
    Other,
}

impl Evidence {
    pub fn new(limit: f64, declared: Vec<Declared>) -> Self {
        Self {
            limit,
            declared,
            ..Self::default()
        }
    }

    /// Looks at the state, for that share of what all workers see. To be called about every 100 ms, at intervals that vary, so that
    /// no rhythm of the requests is met.
    pub fn sample(&mut self, seen: &Seen, share: f32) {
        let Some(state) = state(seen).filter(|_| share > 0.0) else {
            return;
        };
        self.tolerate(&state, share);
        for counts in [&mut self.known, &mut self.new] {
            counts.time.all += share;
            match state {
                State::Idle(lag) => {
                    if let Some(samples) = counts.time.idle.get_mut(lag) {
                        *samples += share;
                    }
                }
                State::Alone(route) => {
                    counts.time.alone += share;
                    if let Some(route) = counts.route_mut(route) {
                        route.alone += share;
                    }
                }
                State::Other => {}
            }
        }
    }

    /// Learns from a call, after it was decided on.
    pub fn learn(&mut self, seen: &Seen, callee: u32) {
        let Some(state) = state(seen) else {
            return;
        };
        for counts in [&mut self.known, &mut self.new] {
            let Some(known) = counts.callee_mut(callee) else {
                continue;
            };
            known.all += 1.0;
            match state {
                State::Idle(lag) => {
                    if let Some(calls) = known.idle.get_mut(lag) {
                        *calls += 1.0;
                    }
                    known.ahead += 1.0;
                }
                // A route counts from the sample that first found it: earlier calls would be without their time.
                State::Alone(route) => {
                    if counts.route_mut(route).is_some() {
                        counts.add_calls(route, callee, 1.0);
                    }
                }
                State::Other => {}
            }
        }
        self.doubt();
    }

    /// Merges what was counted with what the others have, about once a second.
    pub fn merge(&mut self, store: &mut impl Store, now: Micros) {
        if now.saturating_sub(self.merged) < MERGE && now >= self.merged {
            return;
        }
        self.merged = now;
        for _ in 0..TRIES {
            let shared = store.get(Place::Evidence);
            let (mut counts, when) = match &shared {
                Some((bytes, version)) => (
                    Counts::decode(bytes).unwrap_or_default(),
                    When::Version(*version),
                ),
                None => (Counts::default(), When::Absent),
            };
            counts.add(&self.new);
            self.known = counts;
            self.doubt();
            self.known.settle();
            if store.set(Place::Evidence, &self.known.encode(), when) {
                self.new = Counts::default();
                return;
            }
        }
    }

    /// What is known of each callee.
    pub fn reports(&self) -> impl Iterator<Item = Report> {
        self.known.callees.iter().map(|callee| self.report(callee))
    }

    fn report(&self, callee: &Callee) -> Report {
        let pairs = self.known.pairs_of(callee.id).iter();
        let rates = pairs.map(|pair| (pair.route, self.least_rate(pair.route, callee)));
        let best = rates.max_by(|(_, one), (_, other)| one.total_cmp(other));
        let (route, rate) = best.unwrap_or_default();
        let idle_calls: f64 = callee.idle.iter().copied().map(f64::from).sum();
        let idle_time = |time: &Time| time.idle.iter().copied().map(f64::from).sum::<f64>();
        let idle = idle_time(&self.known.time) - idle_time(&callee.before);
        let mut background = Sum::default();
        background.add(idle_calls, idle);
        let error = CAUTION * background.at_most() / rate;
        let calls = f64::from(callee.all);
        let standing = if error <= self.limit {
            Standing::Asserting
        } else if CAUTION * at_least(idle_calls) / at_most(idle) > self.limit * rate
            && at_least(idle_calls) > 0.0
        {
            Standing::Background
        } else if at_least(calls) > 0.0
            && rate <= 0.0
            && self.known.time.alone > callee.before.alone
        {
            Standing::Unexplained
        } else {
            Standing::Learning
        };
        Report {
            callee: callee.id,
            standing,
            calls,
            idle_calls,
            idle_seconds: idle * SAMPLE,
            route,
            rate: rate / SAMPLE,
            error: 1000.0 * error,
        }
    }

    /// Every call with nothing in flight takes a callee ahead; time with none takes it back.
    fn tolerate(&mut self, state: &State, share: f32) {
        if !matches!(state, State::Idle(_)) {
            return;
        }
        let tolerated: Vec<(u32, f32)> = self
            .known
            .callees
            .iter()
            .map(|callee| {
                let rate = self
                    .known
                    .pairs
                    .iter()
                    .filter(|pair| pair.callee == callee.id);
                let rate = rate.map(|pair| self.rate(pair.route, callee));
                let best = rate.fold(0.0, f64::max);
                (
                    callee.id,
                    share * to_f32(SLACK / CAUTION * self.limit * best),
                )
            })
            .collect();
        for (id, tolerated) in tolerated {
            if let Some(callee) = self.known.callee_mut(id) {
                let before = callee.ahead;
                callee.ahead = (before - tolerated).max(0.0);
                let back = before - callee.ahead;
                if back > 0.0
                    && let Some(callee) = self.new.callee_mut(id)
                {
                    callee.ahead -= back;
                }
            }
        }
    }

    /// What has changed is learned anew. Where nothing was said, nothing needs to be taken back.
    fn doubt(&mut self) {
        let turned = |callee: &&Callee| callee.ahead >= ALARM;
        while let Some(callee) = self.known.callees.iter().find(turned) {
            let (id, is_asserting) = (callee.id, self.is_asserting(callee));
            for counts in [&mut self.known, &mut self.new] {
                if counts.callee(id).is_none() {
                    continue;
                }
                if is_asserting {
                    counts.forget_callee(id);
                } else if let Some(callee) = counts.callee_mut(id) {
                    callee.ahead = 0.0;
                }
            }
        }
    }

    /// Whether its calls may be joined, at some lag.
    fn is_asserting(&self, callee: &Callee) -> bool {
        let pairs = self.known.pairs_of(callee.id).iter();
        let rates = pairs.map(|pair| self.least_rate(pair.route, callee));
        let best = rates.fold(0.0, f64::max);
        let best = if self.declared.is_empty() {
            best
        } else {
            best.max(self.busy_rate(callee))
        };
        (0..LAGS).any(|lag| {
            let mut background = Sum::default();
            self.add_background(&mut background, callee, lag);
            self.allows(&background, best)
        })
    }

    /// Whether a call may be joined to a request that makes them at that rate. Not where nothing is known.
    fn allows(&self, others: &Sum, rate: f64) -> bool {
        CAUTION * others.at_most() <= self.limit * rate
    }

    /// The rate of its calls with nothing in flight.
    fn add_background(&self, sum: &mut Sum, callee: &Callee, lag: usize) {
        let number = |numbers: &[f32; LAGS]| f64::from(numbers.get(lag).copied().unwrap_or(0.0));
        let time = number(&self.known.time.idle) - number(&callee.before.idle);
        sum.add(number(&callee.idle), time);
    }

    /// The lower bound of the rate of its calls with anything in flight.
    fn busy_rate(&self, callee: &Callee) -> f64 {
        let busy = |all: f32, idle: &[f32; LAGS]| {
            f64::from(all) - idle.iter().copied().map(f64::from).sum::<f64>()
        };
        let time = busy(self.known.time.all, &self.known.time.idle)
            - busy(callee.before.all, &callee.before.idle);
        at_least(busy(callee.all, &callee.idle)) / at_most(time)
    }

    /// Samples that found the route alone, since the callee was first called.
    fn alone(&self, route: u32, callee: &Callee) -> f64 {
        let Some(route) = self.known.route(route) else {
            return 0.0;
        };
        let all = f64::from(self.known.time.alone);
        let before = f64::from(route.before);
        let whole = all - before;
        if whole > 0.0 {
            // Of its time before that, nobody keeps account for each callee: it is taken to have been spread evenly.
            let since = all - before.max(callee.before.alone.into());
            f64::from(route.alone) * (since / whole).clamp(0.0, 1.0)
        } else {
            route.alone.into()
        }
    }

    /// Calls to the callee for each sample that found a request of the route alone.
    fn rate(&self, route: u32, callee: &Callee) -> f64 {
        let samples = self.alone(route, callee);
        if samples > 0.0 {
            f64::from(self.known.calls(route, callee.id)) / samples
        } else {
            0.0
        }
    }

    /// The lower bound of that rate.
    fn least_rate(&self, route: u32, callee: &Callee) -> f64 {
        at_least(f64::from(self.known.calls(route, callee.id))) / at_most(self.alone(route, callee))
    }

    /// Whether the configuration says that the route calls that host, where it says anything of the route.
    fn declares(&self, route: u32, authority: &[u8]) -> Option<bool> {
        let mut declared = self.declared.iter();
        let declared = declared.find(|declared| declared.route == route)?;
        let mut hosts = declared.hosts.iter();
        Some(hosts.any(|host| class::is_host(authority, host)))
    }
}

impl ladder::Evidence for Evidence {
    fn infer(
        &self,
        seen: &Seen,
        call: &ladder::Call<'_>,
        in_flight: &[ladder::Working],
    ) -> Option<usize> {
        let callee = self.known.callee(call.callee)?;
        let declared = |route: u32| self.declares(route, call.authority);
        let least = |route: u32| match declared(route) {
            Some(true) => self.least_rate(route, callee).max(self.busy_rate(callee)),
            Some(false) => 0.0,
            None => self.least_rate(route, callee),
        };
        let (place, rate) = in_flight
            .iter()
            .enumerate()
            .filter(|(_, working)| !working.is_aborted)
            .map(|(place, working)| (place, least(working.route)))
            .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
        let mut others = Sum::default();
        let rest = in_flight.iter().enumerate().filter(|(at, _)| *at != place);
        for route in rest.map(|(_, working)| working.route) {
            match declared(route) {
                Some(true) => return None,
                Some(false) => {}
                None => others.add(
                    f64::from(self.known.calls(route, callee.id)),
                    self.alone(route, callee),
                ),
            }
        }
        self.add_background(&mut others, callee, lag(seen.since_last_end()));
        self.allows(&others, rate).then_some(place)
    }
}

fn state(seen: &Seen) -> Option<State> {
    if !seen.is_complete() {
        return None;
    }
    let mut in_flight = seen.in_flight();
    Some(match (in_flight.next(), in_flight.next()) {
        (None, _) => State::Idle(lag(seen.since_last_end())),
        (Some(one), None) if !one.is_aborted() && one.route() != class::NONE => {
            State::Alone(one.route())
        }
        _ => State::Other,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a count; its last bits do not matter"
)]
fn to_f32(number: f64) -> f32 {
    number as f32
}
