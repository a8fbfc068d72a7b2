//! How an application serves a request: what it does one after the other, before and after it answers.

use crate::random::Random;

/// What a request does next. Times are microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// Computes; an event loop does so for one request at a time.
    Work(f64),
    /// Waits for something that is not a call through the proxy.
    Wait(f64),
    /// Calls, and waits for the answer.
    Call { callee: u32, takes: f64 },
    /// Calls, and does not wait.
    Send { callee: u32 },
    /// Waits until four requests want the same call, or until the first has waited for so long; then one call is made for all.
    Batch { callee: u32, takes: f64 },
    /// Answers its client.
    Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// A thread for each request, calls one after the other.
    Threads,
    /// So many threads; more requests wait.
    Pool(usize),
    /// One thread for all; calls overlap.
    EventLoop,
    /// Three calls at once.
    FanOut,
    /// One call in ten fails and is made again, half of those after the answer.
    Retries,
    /// One call in ten fails and is made again before the answer.
    EagerRetries,
    /// Nine calls in ten are answered from memory.
    Cache,
    /// So is every call, and one in ten is made after the answer, to refresh what is kept.
    RefreshingCache,
    /// Four requests, one call.
    Batch,
    /// Answers, then works; so long after, on average, in microseconds.
    Queue(u32),
    /// Works after so many answers in a hundred thousand.
    Late(u32),
    /// Another thing calls the same callees: so often for every thousand calls of requests.
    Background(u32),
    /// A timer that calls a callee of its own.
    OwnTimer,
    /// One client in fifty goes away in the middle; the application goes on.
    Aborts,
}

impl App {
    pub fn name(self) -> String {
        match self {
            Self::Threads => "a thread per request".into(),
            Self::Pool(size) => format!("a pool of {size} threads"),
            Self::EventLoop => "an event loop".into(),
            Self::FanOut => "fan-out of 3, parallel".into(),
            Self::Retries => "retries, some after the answer".into(),
            Self::EagerRetries => "retries before the answer".into(),
            Self::Cache => "a cache".into(),
            Self::RefreshingCache => "a cache that refreshes itself".into(),
            Self::Batch => "batches of 4".into(),
            Self::Queue(delay) => format!("a work queue, {} ms", f64::from(delay) / 1000.0),
            Self::Late(share) => format!("{} % work after the answer", f64::from(share) / 1000.0),
            Self::Background(share) => {
                format!("{} % background calls", f64::from(share) / 10.0)
            }
            Self::OwnTimer => "a timer with a callee of its own".into(),
            Self::Aborts => "2 % of clients go away".into(),
        }
    }

    /// What a request does that is to take `mean`, and calls those.
    pub fn script(self, mean: f64, callees: &[u32], random: &mut Random) -> Vec<Act> {
        // Half of the time goes to calls.
        let takes = mean / 2.0 / callees.len() as f64;
        let mut acts = vec![Act::Work(random.lognormal(mean / 4.0))];
        let mut after = Vec::new();
        match self {
            Self::FanOut => {
                let slowest = callees.iter().map(|_| random.lognormal(takes));
                let slowest = slowest.fold(0.0, f64::max);
                for callee in callees {
                    acts.push(Act::Send { callee: *callee });
                    acts.push(Act::Wait(20.0));
                }
                acts.push(Act::Wait(slowest * 3.0));
            }
            _ => {
                for callee in callees {
                    let callee = *callee;
                    let takes = random.lognormal(takes);
                    let call = Act::Call { callee, takes };
                    match self {
                        Self::Cache if random.chance(0.9) => acts.push(Act::Wait(100.0)),
                        Self::RefreshingCache if random.chance(0.9) => acts.push(Act::Wait(100.0)),
                        Self::RefreshingCache => {
                            after.push(Act::Wait(random.exponential(2000.0)));
                            after.push(call);
                        }
                        Self::Batch => acts.push(Act::Batch { callee, takes }),
                        Self::Queue(delay) => {
                            after.push(Act::Wait(random.exponential(delay.into())));
                            after.push(call);
                        }
                        Self::Late(share) if random.chance(f64::from(share) / 100_000.0) => {
                            acts.push(call);
                            after.push(Act::Wait(random.exponential(5000.0)));
                            after.push(call);
                        }
                        Self::Retries | Self::EagerRetries if random.chance(0.1) => {
                            acts.push(call);
                            let retries = if self == Self::Retries && random.chance(0.5) {
                                &mut after
                            } else {
                                &mut acts
                            };
                            retries.push(Act::Wait(random.exponential(5000.0)));
                            retries.push(call);
                        }
                        _ => acts.push(call),
                    }
                }
            }
        }
        acts.push(Act::Work(random.lognormal(mean / 4.0)));
        acts.push(Act::Answer);
        acts.append(&mut after);
        acts
    }
}
