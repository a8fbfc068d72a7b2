//! What was counted: how often each state was found, and the calls that came in it. Of bounded size, merged by addition.

use super::{
    Micros,
    table::{self, Table},
};

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

/// Samples by what they found: nothing in flight, by lag; then one request; then anything at all.
const ALONE: usize = LAGS;
const ALL: usize = LAGS + 1;
const TIMES: usize = LAGS + 2;

/// A route's row: the samples that found any route alone before this one was seen, and those that found it alone.
const ROUTE: usize = 2;

/// A callee's row: the samples before its first call; then its calls with nothing in flight, by lag; all; how far it is ahead.
const CALLEE: usize = TIMES + LAGS + 2;
const CALLEE_IDLE: usize = TIMES;
const CALLEE_ALL: usize = TIMES + LAGS;
const CALLEE_AHEAD: usize = TIMES + LAGS + 1;

/// The step of a lag.
pub fn lag(since_last_end: Micros) -> usize {
    STEPS.iter().filter(|step| since_last_end >= **step).count()
}

/// What is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing, and for how long, in steps.
    Idle(usize),
    /// One request of that route.
    Alone(u32),
    Other,
}

/// Samples by what they found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time<'a>(&'a [f32]);

impl Time<'_> {
    /// Nothing in flight, at that lag.
    pub fn idle(self, lag: usize) -> f64 {
        number(self.0, lag)
    }

    /// One request in flight.
    pub fn alone(self) -> f64 {
        number(self.0, ALONE)
    }

    /// Anything, or nothing.
    pub fn all(self) -> f64 {
        number(self.0, ALL)
    }

    pub fn all_idle(self) -> f64 {
        (0..LAGS).map(|lag| self.idle(lag)).sum()
    }
}

/// A callee, and its calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Callee<'a> {
    pub id: u32,
    row: &'a [f32],
}

impl<'a> Callee<'a> {
    /// The time before it counts: what was not called yet was not left alone.
    pub fn before(self) -> Time<'a> {
        Time(self.row)
    }

    /// Calls with nothing in flight, at that lag.
    pub fn idle(self, lag: usize) -> f64 {
        number(self.row, CALLEE_IDLE.saturating_add(lag))
    }

    pub fn all_idle(self) -> f64 {
        (0..LAGS).map(|lag| self.idle(lag)).sum()
    }

    pub fn all(self) -> f64 {
        number(self.row, CALLEE_ALL)
    }

    /// How far the calls with nothing in flight have lately been ahead of what is tolerated (a one-sided CUSUM: Page 1954).
    pub fn ahead(self) -> f64 {
        number(self.row, CALLEE_AHEAD)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    time: [f32; TIMES],
    routes: Table,
    callees: Table,
    /// By callee, then route.
    pairs: Table,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            time: [0.0; TIMES],
            routes: Table::new(ROUTE, MOST_CLASSES),
            callees: Table::new(CALLEE, MOST_CLASSES),
            pairs: Table::new(1, MOST_PAIRS),
        }
    }
}

impl Counts {
    pub fn time(&self) -> Time<'_> {
        Time(&self.time)
    }

    pub fn callee(&self, id: u32) -> Option<Callee<'_>> {
        let row = self.callees.get(id.into())?;
        Some(Callee { id, row })
    }

    pub fn callees(&self) -> impl Iterator<Item = Callee<'_>> {
        self.callees
            .rows()
            .map(|(id, row)| Callee { id: low(id), row })
    }

    /// The calls to the callee while one request of that route was in flight.
    pub fn calls(&self, route: u32, callee: u32) -> f64 {
        let row = self.pairs.get(pair(route, callee));
        row.map_or(0.0, |row| number(row, 0))
    }

    /// The routes that call the callee.
    pub fn callers(&self, callee: u32) -> impl Iterator<Item = u32> {
        let rows = self.pairs.between(pair(0, callee), pair(u32::MAX, callee));
        rows.map(|(key, _)| low(key))
    }

    /// Samples that found the route alone, since the callee was first called.
    pub fn alone(&self, route: u32, callee: Callee<'_>) -> f64 {
        let Some(row) = self.routes.get(route.into()) else {
            return 0.0;
        };
        let (before, alone) = (number(row, 0), number(row, 1));
        let all = self.time().alone();
        if all > before {
            // Of its time before that, nobody keeps account for each callee: it is taken to have been spread evenly.
            let since = all - before.max(callee.before().alone());
            alone * (since / (all - before)).clamp(0.0, 1.0)
        } else {
            alone
        }
    }

    /// Adds a sample, for that share of what all workers see.
    pub fn sample(&mut self, state: State, share: f32) {
        add(&mut self.time, ALL, share);
        match state {
            State::Idle(lag) => add(&mut self.time, lag, share),
            State::Alone(route) => {
                add(&mut self.time, ALONE, share);
                self.add_route(route, share);
            }
            State::Other => {}
        }
    }

    /// Adds a call.
    pub fn call(&mut self, state: State, callee: u32) {
        let Some(row) = self.callees.row_mut(callee.into(), &self.time) else {
            return;
        };
        add(row, CALLEE_ALL, 1.0);
        match state {
            State::Idle(lag) => {
                add(row, CALLEE_IDLE.saturating_add(lag), 1.0);
                add(row, CALLEE_AHEAD, 1.0);
            }
            State::Alone(route) => {
                if self.add_route(route, 0.0) {
                    self.add_calls(pair(route, callee), 1.0);
                }
            }
            State::Other => {}
        }
    }

    /// Moves how far a callee is ahead.
    pub fn advance(&mut self, callee: u32, by: f32) {
        if let Some(row) = self.callees.row_mut(callee.into(), &self.time) {
            add(row, CALLEE_AHEAD, by);
        }
    }

    /// Adds what another has counted.
    pub fn add(&mut self, other: &Self) {
        sum(&mut self.time, &other.time);
        for (route, row) in other.routes.rows() {
            self.add_route(low(route), row.get(1).copied().unwrap_or(0.0));
        }
        for (callee, more) in other.callees.rows() {
            if let Some(row) = self.callees.row_mut(callee, &self.time) {
                let calls = row.get_mut(CALLEE_IDLE..).unwrap_or_default();
                sum(calls, more.get(CALLEE_IDLE..).unwrap_or_default());
                if let Some(ahead) = row.get_mut(CALLEE_AHEAD) {
                    *ahead = ahead.max(0.0);
                }
            }
        }
        for (key, row) in other.pairs.rows() {
            if self.has(key) {
                self.add_calls(key, row.first().copied().unwrap_or(0.0));
            }
        }
    }

    /// Begins anew with a callee, as if it had been seen for the first time.
    pub fn forget(&mut self, callee: u32) {
        let id = u64::from(callee);
        self.callees.retain(&|key, _| key != id);
        self.pairs.retain(&|key, _| key >> 32 != id);
        self.callees.row_mut(id, &self.time);
    }

    /// Lets old counts fade, and makes room where there is none.
    pub fn settle(&mut self) {
        if self.time().all() > MEMORY.into() {
            self.time.iter_mut().for_each(|number| *number *= 0.5);
            self.routes.halve();
            self.callees.halve();
            self.pairs.halve();
        }
        let has_room = !self.routes.is_full() && !self.callees.is_full() && !self.pairs.is_full();
        if has_room {
            return;
        }
        let is_enough = |row: &[f32], place| number(row, place) >= LITTLE.into();
        if self.callees.is_full() {
            self.callees.retain(&|_, row| is_enough(row, CALLEE_ALL));
        } else {
            self.routes.retain(&|_, row| is_enough(row, 1));
        }
        let mut pairs = Table::new(1, MOST_PAIRS);
        core::mem::swap(&mut pairs, &mut self.pairs);
        pairs.retain(&|key, _| self.has(key));
        self.pairs = pairs;
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        table::encode(&self.time, &mut bytes);
        self.routes.encode(&mut bytes);
        self.callees.encode(&mut bytes);
        self.pairs.encode(&mut bytes);
        bytes
    }

    /// `None` for bytes that hold no counts.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (layout, rest) = bytes.split_first()?;
        let mut counts = Self::default();
        let rest = table::decode(&mut counts.time, rest)?;
        let rest = counts.routes.decode(rest)?;
        let rest = counts.callees.decode(rest)?;
        let rest = counts.pairs.decode(rest)?;
        (*layout == LAYOUT && rest.is_empty()).then_some(counts)
    }

    /// Whether both sides of a pair have their rows.
    fn has(&self, pair: u64) -> bool {
        self.routes.get(low(pair).into()).is_some() && self.callees.get(pair >> 32).is_some()
    }

    /// Whether the route has a row.
    fn add_route(&mut self, route: u32, alone: f32) -> bool {
        let first = [self.time[ALONE], 0.0];
        let row = self.routes.row_mut(route.into(), &first);
        let has_row = row.is_some();
        add(row.unwrap_or_default(), 1, alone);
        has_row
    }

    /// Without the row of a pair its route would seem not to call: the route is given up then.
    fn add_calls(&mut self, pair: u64, calls: f32) {
        match self.pairs.row_mut(pair, &[]) {
            Some(row) => add(row, 0, calls),
            None => {
                let route = low(pair);
                self.routes.retain(&|key, _| key != u64::from(route));
                self.pairs.retain(&|key, _| low(key) != route);
            }
        }
    }
}

fn pair(route: u32, callee: u32) -> u64 {
    u64::from(callee) << 32 | u64::from(route)
}

/// The route of a pair, and the id of what has one.
fn low(key: u64) -> u32 {
    u32::try_from(key & u64::from(u32::MAX)).unwrap_or(0)
}

fn number(row: &[f32], place: usize) -> f64 {
    row.get(place).copied().unwrap_or(0.0).into()
}

fn add(row: &mut [f32], place: usize, more: f32) {
    if let Some(number) = row.get_mut(place) {
        *number += more;
    }
}

fn sum(row: &mut [f32], more: &[f32]) {
    row.iter_mut()
        .zip(more)
        .for_each(|(sum, more)| *sum += more);
}
