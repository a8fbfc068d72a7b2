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
    counts::{Callee, Counts, LAGS, State, lag},
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
const ALARM: f64 = 5.0;
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
        self.tolerate(state, share);
        self.known.sample(state, share);
        self.new.sample(state, share);
    }

    /// Learns from a call that no exact rung has joined, after it was decided on.
    pub fn learn(&mut self, seen: &Seen, callee: u32) {
        let Some(state) = state(seen) else {
            return;
        };
        self.known.call(state, callee);
        self.new.call(state, callee);
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
        self.known.callees().map(|callee| self.report(callee))
    }

    fn report(&self, callee: Callee<'_>) -> Report {
        let (route, rate) = self.best(callee);
        let (calls, idle_calls) = (callee.all(), callee.all_idle());
        let idle = self.known.time().all_idle() - callee.before().all_idle();
        let mut background = Sum::default();
        background.add(idle_calls, idle);
        let error = CAUTION * background.at_most() / rate;
        let least = at_least(idle_calls);
        let was_alone = self.known.time().alone() > callee.before().alone();
        let standing = if error <= self.limit {
            Standing::Asserting
        } else if least > 0.0 && CAUTION * least / at_most(idle) > self.limit * rate {
            Standing::Background
        } else if at_least(calls) > 0.0 && rate <= 0.0 && was_alone {
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

    /// The route that calls it most, by what is certain, and its rate.
    fn best(&self, callee: Callee<'_>) -> (u32, f64) {
        let mut best = (0, 0.0);
        for route in self.known.callers(callee.id) {
            let rate = self.least_rate(route, callee);
            if rate > best.1 {
                best = (route, rate);
            }
        }
        best
    }

    /// Every call with nothing in flight takes a callee ahead; time with none takes it back.
    fn tolerate(&mut self, state: State, share: f32) {
        if !matches!(state, State::Idle(_)) {
            return;
        }
        let ahead = self.known.callees().filter(|callee| callee.ahead() > 0.0);
        let back: Vec<(u32, f64)> = ahead
            .map(|callee| {
                let tolerated = SLACK / CAUTION * self.limit * self.best(callee).1;
                let back = (f64::from(share) * tolerated).min(callee.ahead());
                (callee.id, back)
            })
            .collect();
        for (callee, back) in back {
            self.known.advance(callee, -to_f32(back));
            self.new.advance(callee, -to_f32(back));
        }
    }

    /// What has changed is learned anew. Where nothing was said, nothing needs to be taken back.
    fn doubt(&mut self) {
        while let Some((callee, ahead, is_asserting)) = self.turned() {
            if is_asserting {
                self.known.forget(callee);
                self.new.forget(callee);
            } else {
                self.known.advance(callee, -to_f32(ahead));
                self.new.advance(callee, -to_f32(ahead));
            }
        }
    }

    /// A callee that is too far ahead, and whether anything was said of it.
    fn turned(&self) -> Option<(u32, f64, bool)> {
        let mut callees = self.known.callees();
        let callee = callees.find(|callee| callee.ahead() >= ALARM)?;
        Some((callee.id, callee.ahead(), self.is_asserting(callee)))
    }

    /// Whether its calls may be joined, at some lag.
    fn is_asserting(&self, callee: Callee<'_>) -> bool {
        let (_, mut rate) = self.best(callee);
        if !self.declared.is_empty() {
            rate = rate.max(self.busy_rate(callee));
        }
        (0..LAGS).any(|lag| {
            let mut background = Sum::default();
            self.add_background(&mut background, callee, lag);
            self.allows(&background, rate)
        })
    }

    /// Whether a call may be joined to a request that makes them at that rate. Not where nothing is known.
    fn allows(&self, others: &Sum, rate: f64) -> bool {
        CAUTION * others.at_most() <= self.limit * rate
    }

    /// The rate of its calls with nothing in flight.
    fn add_background(&self, sum: &mut Sum, callee: Callee<'_>, lag: usize) {
        let time = self.known.time().idle(lag) - callee.before().idle(lag);
        sum.add(callee.idle(lag), time);
    }

    /// The lower bound of the rate of its calls with anything in flight.
    fn busy_rate(&self, callee: Callee<'_>) -> f64 {
        let (time, before) = (self.known.time(), callee.before());
        let all = time.all() - before.all();
        let idle = time.all_idle() - before.all_idle();
        at_least(callee.all() - callee.all_idle()) / at_most(all - idle)
    }

    /// The lower bound of the rate of its calls while a request of that route is alone.
    fn least_rate(&self, route: u32, callee: Callee<'_>) -> f64 {
        at_least(self.known.calls(route, callee.id)) / at_most(self.known.alone(route, callee))
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
                    self.known.calls(route, callee.id),
                    self.known.alone(route, callee),
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
