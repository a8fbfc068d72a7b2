//! One application, its sidecar's workers and its clients, from event to event.

use core::{cmp::Reverse, num::NonZeroU64};
use std::collections::BinaryHeap;

use throughline::{
    join::{
        evidence::Evidence,
        ladder::{Call, Rungs, decide},
        register::Request,
        worker::{End, Ticket, Worker},
    },
    trace::{Sampling, SpanContext, SpanId, TraceId},
};

use crate::{
    app::{Act, App},
    cell::{Arrivals, Cell},
    random::Random,
    shared::Shared,
    tally::Tally,
};

const SECOND: u64 = 1_000_000;
/// Mean time of a request that waits for nobody, and of the wait for a batch to fill.
const SERVICE: f64 = 20_000.0;
const FLUSH: u64 = 50_000;
const LIMIT: f64 = 0.001;
/// The callee of a timer.
const OWN: u32 = 900;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The client that it is of, where they wait for their answers.
    Arrive(usize),
    Next(usize),
    Abort(usize, u64),
    Flush(u32, u64),
    Tick(usize),
    Timer,
    Phase,
}

/// A request, until all that it does is done.
#[derive(Debug)]
struct Served {
    number: u64,
    client: usize,
    worker: usize,
    ticket: Option<Ticket>,
    key: u64,
    script: Vec<Act>,
    at: usize,
}

#[derive(Debug, Default)]
struct Batch {
    members: Vec<usize>,
    takes: f64,
    round: u64,
}

pub struct World {
    cell: Cell,
    random: Random,
    now: u64,
    sequence: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    shared: Shared,
    workers: Vec<Worker>,
    evidence: Vec<Evidence>,
    served: Vec<Option<Served>>,
    free: Vec<usize>,
    number: u64,
    /// Threads that are taken, and who waits for one.
    threads: usize,
    waiting: std::collections::VecDeque<usize>,
    /// When an event loop is done with what it has.
    busy_until: u64,
    batches: Vec<Batch>,
    /// How much of the load there is now, and in which phase of a burst.
    load: f64,
    is_burst: bool,
    is_counted: bool,
    pub tally: Tally,
}

impl World {
    pub fn new(cell: Cell, seed: u64) -> Self {
        let start = 1_000_000 * SECOND;
        let workers = (1..=cell.workers as u64).map(|owner| {
            let owner = NonZeroU64::new(owner).unwrap_or(NonZeroU64::MIN);
            Worker::new(owner, 1, start)
        });
        let mut world = Self {
            workers: workers.collect(),
            evidence: (0..cell.workers)
                .map(|_| Evidence::new(LIMIT, Vec::new()))
                .collect(),
            random: Random::new(seed),
            now: start,
            sequence: 0,
            events: BinaryHeap::new(),
            shared: Shared::default(),
            served: Vec::new(),
            free: Vec::new(),
            number: 0,
            threads: 0,
            waiting: std::collections::VecDeque::new(),
            busy_until: 0,
            batches: (0..2000).map(|_| Batch::default()).collect(),
            load: cell.load,
            is_burst: false,
            is_counted: false,
            tally: Tally::default(),
            cell,
        };
        for worker in 0..world.workers.len() {
            world.tick_in(worker);
        }
        let clients = world.clients();
        for client in 0..clients {
            world.arrive_next(client);
        }
        if matches!(world.cell.app, App::Background(_) | App::OwnTimer) {
            world.timer_next();
        }
        world.phase_next();
        world
    }

    /// Runs for so long at another load, without counting.
    pub fn learn(&mut self, seconds: u64, load: f64) {
        self.load = load;
        self.is_counted = false;
        self.run_until(self.now + seconds * SECOND, u64::MAX);
        self.load = self.cell.load;
        // Until those of that load are gone.
        self.run_until(self.now + 5 * SECOND, u64::MAX);
    }

    /// Counts so many requests.
    pub fn measure(&mut self, requests: u64) {
        self.is_counted = true;
        self.run_until(u64::MAX, requests);
    }

    pub fn requests(&self) -> u64 {
        self.number
    }

    pub fn evidence(&self) -> &Evidence {
        &self.evidence[0]
    }

    fn run_until(&mut self, time: u64, requests: u64) {
        let first = self.tally.requests;
        while self.tally.requests - first < requests {
            let Some(Reverse((at, _, _))) = self.events.peek() else {
                return;
            };
            if *at > time {
                self.now = time;
                return;
            }
            let Some(Reverse((at, _, event))) = self.events.pop() else {
                return;
            };
            self.now = at;
            self.happen(event);
        }
    }

    fn at(&mut self, delay: f64, event: Event) {
        self.sequence += 1;
        let time = self.now + delay.max(0.0) as u64;
        self.events.push(Reverse((time, self.sequence, event)));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(client) => self.arrive(client),
            Event::Next(place) => self.next(place),
            Event::Abort(place, number) => self.abort(place, number),
            Event::Flush(callee, round) => {
                if self.batches[callee as usize].round == round {
                    self.flush(callee);
                }
            }
            Event::Tick(worker) => {
                let now = self.now;
                self.workers[worker].tick(&mut self.shared, now);
                let seen = self.workers[worker].look(&mut self.shared, now);
                let share = self.workers[worker].share(&seen);
                self.evidence[worker].sample(&seen, share);
                self.evidence[worker].merge(&mut self.shared, now);
                self.tick_in(worker);
            }
            Event::Timer => {
                let callee = match self.cell.app {
                    App::Background(_) => self.callee_of_any(),
                    _ => OWN,
                };
                self.call(&[], callee);
                self.timer_next();
            }
            Event::Phase => {
                self.is_burst = !self.is_burst;
                self.phase_next();
            }
        }
    }

    fn tick_in(&mut self, worker: usize) {
        let delay = 70_000.0 + 60_000.0 * self.random.unit();
        self.at(delay, Event::Tick(worker));
    }

    /// A tenth of the time at nine times the load of the rest.
    fn phase_next(&mut self) {
        if self.cell.arrivals == Arrivals::Bursty {
            let mean = if self.is_burst { 1.0 } else { 9.0 };
            let delay = self.random.exponential(mean * SECOND as f64);
            self.at(delay, Event::Phase);
        }
    }

    fn clients(&self) -> usize {
        match self.cell.arrivals {
            Arrivals::Closed => (self.cell.load.max(1.0) * 2.0) as usize,
            Arrivals::Tight => 1,
            Arrivals::Poisson | Arrivals::Bursty => 1,
        }
    }

    /// When the next request of that client comes.
    fn arrive_next(&mut self, client: usize) {
        let rate = self.load / SERVICE;
        let delay = match self.cell.arrivals {
            Arrivals::Poisson => self.random.exponential(1.0 / rate),
            Arrivals::Bursty => {
                // Nine tenths of the time at half of it, one at five and a half times.
                let now = if self.is_burst { 5.5 } else { 0.5 };
                self.random.exponential(1.0 / (rate * now))
            }
            // Each is at work load / clients of the time.
            Arrivals::Closed => {
                let share = self.load / self.clients() as f64;
                self.random.exponential(SERVICE * (1.0 - share) / share)
            }
            // It asks at once again, and stops for a minute now and then.
            Arrivals::Tight => {
                if self.random.chance(0.000_5) {
                    60.0 * SECOND as f64
                } else {
                    200.0
                }
            }
        };
        self.at(delay, Event::Arrive(client));
    }

    fn timer_next(&mut self) {
        let delay = match self.cell.app {
            App::Background(share) => {
                let rate = self.cell.load / SERVICE * self.cell.calls_each() as f64;
                self.random.exponential(1000.0 / f64::from(share) / rate)
            }
            _ => SECOND as f64 / 5.0,
        };
        self.at(delay, Event::Timer);
    }

    fn callee_of_any(&mut self) -> u32 {
        let route = self.random.below(self.cell.routes as usize) as u32;
        let callees = self.cell.callees_of(route);
        callees[self.random.below(callees.len())]
    }

    fn arrive(&mut self, client: usize) {
        if !matches!(self.cell.arrivals, Arrivals::Closed | Arrivals::Tight) {
            self.arrive_next(client);
        }
        self.number += 1;
        if self.is_counted {
            self.tally.requests += 1;
        }
        let number = self.number;
        let route = self.random.below(self.cell.routes as usize) as u32;
        // One caller in twenty asks twice by one id.
        let key = if self.random.chance(0.05) {
            number - 1
        } else {
            number
        };
        let key = key | 1 << 40;
        let worker = self.random.below(self.workers.len());
        let request = Request {
            context: SpanId::new(number).zip(TraceId::new(number.into())).map(
                |(span_id, trace_id)| SpanContext {
                    trace_id,
                    span_id,
                    sampling: Sampling::Accept,
                    random: false,
                },
            ),
            route: route + 1,
            hashes: &[key],
            has_more_tokens: false,
        };
        let ticket = self.workers[worker].begin(&mut self.shared, self.now, &request);
        let callees = self.cell.callees_of(route);
        let served = Served {
            number,
            client,
            worker,
            ticket: Some(ticket),
            key,
            script: self.cell.app.script(SERVICE, &callees, &mut self.random),
            at: 0,
        };
        let place = self.free.pop().unwrap_or_else(|| {
            self.served.push(None);
            self.served.len() - 1
        });
        self.served[place] = Some(served);
        if self.cell.app == App::Aborts && self.random.chance(0.02) {
            let delay = self.random.exponential(SERVICE / 2.0);
            self.at(delay, Event::Abort(place, number));
        }
        match self.cell.app {
            App::Pool(size) if self.threads >= size => self.waiting.push_back(place),
            App::Pool(_) => {
                self.threads += 1;
                self.next(place);
            }
            _ => self.next(place),
        }
    }

    fn next(&mut self, place: usize) {
        let Some(served) = &mut self.served[place] else {
            return;
        };
        let Some(act) = served.script.get(served.at).copied() else {
            self.served[place] = None;
            self.free.push(place);
            return;
        };
        served.at += 1;
        match act {
            Act::Work(takes) if self.cell.app == App::EventLoop => {
                // A tenth of it is the processor's.
                self.busy_until = self.busy_until.max(self.now) + (takes / 10.0) as u64;
                let delay = (self.busy_until - self.now) as f64 + takes * 0.9;
                self.at(delay, Event::Next(place));
            }
            Act::Work(takes) | Act::Wait(takes) => self.at(takes, Event::Next(place)),
            Act::Call { callee, takes } => {
                self.call(&[place], callee);
                self.at(takes, Event::Next(place));
            }
            Act::Send { callee } => {
                self.call(&[place], callee);
                self.next(place);
            }
            Act::Batch { callee, takes } => {
                let batch = &mut self.batches[callee as usize];
                batch.members.push(place);
                batch.takes = takes;
                let round = batch.round;
                match batch.members.len() {
                    1 => self.at(FLUSH as f64, Event::Flush(callee, round)),
                    4 => self.flush(callee),
                    _ => {}
                }
            }
            Act::Answer => {
                self.answer(place, End::Answered);
                if matches!(self.cell.app, App::Pool(_)) {
                    self.threads -= 1;
                    if let Some(waiting) = self.waiting.pop_front() {
                        self.threads += 1;
                        self.next(waiting);
                    }
                }
                self.next(place);
            }
        }
    }

    fn answer(&mut self, place: usize, how: End) {
        let Some(served) = &mut self.served[place] else {
            return;
        };
        let Some(ticket) = served.ticket.take() else {
            return;
        };
        let (worker, client) = (served.worker, served.client);
        self.workers[worker].end(&mut self.shared, self.now, ticket, how);
        if matches!(self.cell.arrivals, Arrivals::Closed | Arrivals::Tight) {
            self.arrive_next(client);
        }
    }

    fn abort(&mut self, place: usize, number: u64) {
        let is_it = |served: &&Served| served.number == number;
        if self.served[place].as_ref().filter(is_it).is_some() {
            self.answer(place, End::Aborted);
        }
    }

    fn flush(&mut self, callee: u32) {
        let batch = &mut self.batches[callee as usize];
        batch.round += 1;
        let members = core::mem::take(&mut batch.members);
        let takes = batch.takes;
        self.call(&members, callee);
        for member in members {
            self.at(takes, Event::Next(member));
        }
    }

    /// A call that each of those had a part in.
    fn call(&mut self, causes: &[usize], callee: u32) {
        let causes: Vec<&Served> = causes
            .iter()
            .filter_map(|place| self.served[*place].as_ref())
            .collect();
        // What forwards nothing has an id of its own from its proxy.
        let key = match causes.first() {
            Some(served) if self.cell.forwards_id => served.key,
            _ => self.random.bits() | 1 << 63,
        };
        let worker = self.random.below(self.workers.len());
        let seen = self.workers[worker].look(&mut self.shared, self.now);
        let call = Call {
            keys: &[key],
            tokens: &[],
            callee,
            authority: b"",
        };
        const RUNGS: Rungs = Rungs {
            key: true,
            token: false,
            route: true,
            sole: true,
        };
        let outcome = decide(RUNGS, &seen, &call, &self.evidence[worker]);
        if self.is_counted {
            let has_cause = causes.iter().any(|served| served.ticket.is_some());
            self.tally.call(has_cause, outcome, |number| {
                causes.iter().any(|served| served.number == number)
            });
        }
        self.workers[worker].notice(&mut self.shared, self.now, &seen, &[key]);
        if !outcome.is_exact() {
            self.evidence[worker].learn(&seen, callee);
        }
    }
}
