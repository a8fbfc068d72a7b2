//! The way to one collector, which all root contexts of a worker with the same configuration share: Envoy gives each
//! listener a root context, and a queue each would multiply every limit.
//!
//! The log phase only queues, because Envoy never hands an answer to a stream that is over. Every call leaves from the
//! tick of one root context, the driver. An idle worker has no tick.

use core::cell::RefCell;
use std::rc::{Rc, Weak};

use super::{
    VERSION,
    health::Health,
    host::{Call, Host, NotSent},
    metrics::{RequestCounters, SpanCounters},
};
use crate::{
    export::{Envelope, ExportSettings, Exporter, Loss, Protocol, Reply, Verdict},
    propagation::Headers,
};

const MILLISECOND: u64 = 1_000_000;
/// Far more than any collector's answer; beyond it, it is none.
const MAX_ANSWER: usize = 64 * 1024;

/// One exporter and what it takes to send for it.
#[derive(Debug)]
pub struct Channel {
    exporter: Exporter,
    protocol: Protocol,
    cluster: String,
    headers: Vec<(String, String)>,
    timeout: u32,
    counters: SpanCounters,
    requests: RequestCounters,
    health: Health,
    /// Those that may send, the driver first.
    roots: Vec<u32>,
    /// Those that were to go and wait for answers.
    leaving: Vec<u32>,
    /// When the driver's tick comes, in nanoseconds since the epoch.
    wakes: Option<u64>,
    /// Counters are brought up to date within so many nanoseconds.
    count_within: u64,
    /// Not yet counted: the hot path makes no host call for a counter.
    finished: usize,
    dropped: [usize; Loss::ALL.len()],
    is_closing: bool,
}

/// A channel, as root contexts hold it.
pub type Shared = Rc<RefCell<Channel>>;

thread_local! {
    /// This VM's channels by the hash of their configuration.
    static CHANNELS: RefCell<Vec<(u64, Weak<RefCell<Channel>>)>> = const { RefCell::new(Vec::new()) };
}

/// The channel of that configuration, new or with others, with `root` among its roots.
pub fn join(key: u64, root: u32, open: impl FnOnce() -> Channel) -> Shared {
    let known = CHANNELS.try_with(|channels| {
        let channels = channels.try_borrow().ok()?;
        let (_, channel) = channels.iter().rev().find(|(known, _)| *known == key)?;
        let channel = channel.upgrade()?;
        let mut joined = channel.try_borrow_mut().ok()?;
        if joined.is_closing {
            return None;
        }
        joined.roots.push(root);
        drop(joined);
        Some(channel)
    });
    if let Ok(Some(channel)) = known {
        return channel;
    }
    let mut channel = open();
    channel.roots.push(root);
    let channel = Rc::new(RefCell::new(channel));
    let _ = CHANNELS.try_with(|channels| {
        if let Ok(mut channels) = channels.try_borrow_mut() {
            channels.retain(|(_, channel)| channel.strong_count() > 0);
            channels.push((key, Rc::downgrade(&channel)));
        }
    });
    channel
}

impl Channel {
    pub fn open(
        host: &mut impl Host,
        settings: &ExportSettings,
        resource: &[(String, String)],
    ) -> Self {
        let envelope = Envelope::new(settings.protocol, resource, VERSION);
        let timeout = u64::from(settings.timeout).saturating_mul(MILLISECOND);
        let cluster = settings.destination.cluster();
        Self {
            exporter: Exporter::new(settings.limits, timeout, envelope),
            protocol: settings.protocol,
            headers: call_headers(settings),
            timeout: settings.timeout,
            counters: SpanCounters::new(host),
            requests: RequestCounters::default(),
            health: Health::new(host, &cluster, settings),
            cluster,
            roots: Vec::new(),
            leaving: Vec::new(),
            wakes: None,
            count_within: settings.limits.schedule_delay.max(1_000 * MILLISECOND),
            finished: 0,
            dropped: [0; Loss::ALL.len()],
            is_closing: false,
        }
    }

    /// Queues a finished span, or drops it.
    pub fn offer(&mut self, host: &mut impl Host, span: &[u8], now: u64) {
        self.finished = self.finished.saturating_add(1);
        let offered = if self.is_closing {
            // A request outlived the configuration it began with, and nobody is left to send its span.
            Err(Loss::Shutdown)
        } else {
            self.exporter.offer(span, now)
        };
        if let Err(loss) = offered
            && let Some(count) = self.dropped.get_mut(loss as usize)
        {
            *count = count.saturating_add(1);
        }
        if self.is_closing {
            self.count(host);
        } else {
            self.wake(host, now);
        }
    }

    /// Sends what is due, from the driver.
    pub fn tick(&mut self, host: &mut impl Host, root: u32) {
        if self.driver() != Some(root) {
            // It drove once.
            return host.set_tick(root, 0);
        }
        let now = host.now();
        self.wakes = None;
        for token in self.exporter.overdue(now) {
            self.answered(host, token, &Reply::default(), now);
        }
        self.send(host, root, now);
        self.count(host);
        self.wake(host, now);
        if self.wakes.is_none() {
            host.set_tick(root, 0);
        }
        self.dismiss(host, now);
    }

    /// Who is woken: the first root, or while the last ones wait for answers the first of those.
    fn driver(&self) -> Option<u32> {
        self.roots.first().or(self.leaving.first()).copied()
    }

    /// Takes the answer that the host is handing over; `headers` says whether there is one.
    pub fn answer(&mut self, host: &mut impl Host, root: u32, token: u32, headers: bool) {
        let now = host.now();
        let reply = if headers {
            reply(host)
        } else {
            Reply::default()
        };
        self.answered(host, token, &reply, now);
        if self.is_closing {
            self.send(host, root, now);
            self.count(host);
        }
        self.wake(host, now);
        self.dismiss(host, now);
    }

    /// `root` is to go. Returns whether it can go now; if not, the host is told when it can.
    pub fn leave(&mut self, host: &mut impl Host, root: u32, vm_stays: bool) -> bool {
        let now = host.now();
        let drove = self.driver() == Some(root);
        self.roots.retain(|known| *known != root);
        if self.roots.is_empty() {
            self.is_closing = true;
            self.exporter.close();
            self.health.end(host);
            if vm_stays {
                self.send(host, root, now);
            } else {
                // Envoy ends the VM whatever `done` says, and cancels its calls.
                let lost = self.exporter.abandon();
                self.counters.lost(host, Loss::Shutdown, lost);
            }
            self.count(host);
        }
        let can_go = !self.exporter.awaits(root);
        if !can_go {
            self.leaving.push(root);
        }
        if drove {
            // The next one takes over, with a tick of its own.
            host.set_tick(root, 0);
            self.wakes = None;
        }
        self.wake(host, now);
        can_go
    }

    fn send(&mut self, host: &mut impl Host, root: u32, now: u64) {
        while let Some(batch) = self.exporter.next(now) {
            let sent = host.call(Call {
                cluster: &self.cluster,
                headers: &self.headers,
                body: batch.body(),
                timeout: self.timeout,
            });
            match sent {
                Ok(token) => self.exporter.sent(batch, token, root, now),
                Err(NotSent) => {
                    self.requests.count(host, "not_sent".to_owned());
                    self.health.unreachable(host);
                    let verdict = self.exporter.unsent(batch, now, jitter(host));
                    self.report(host, verdict);
                }
            }
        }
    }

    fn answered(&mut self, host: &mut impl Host, token: u32, reply: &Reply, now: u64) {
        let answer = reply.answer(self.protocol, now);
        let jitter = jitter(host);
        if let Some(verdict) = self.exporter.answered(token, answer, now, jitter) {
            self.requests.count(host, reply.code(self.protocol));
            self.health.judge(host, answer, reply);
            self.report(host, verdict);
        }
    }

    fn report(&self, host: &mut impl Host, verdict: Verdict) {
        self.counters.exported(host, verdict.exported);
        if let Some((loss, count)) = verdict.lost {
            self.counters.lost(host, loss, count);
        }
    }

    /// Brings the counters up to date.
    fn count(&mut self, host: &mut impl Host) {
        self.counters
            .finished(host, core::mem::take(&mut self.finished));
        for (loss, count) in Loss::ALL.into_iter().zip(&mut self.dropped) {
            let count = core::mem::take(count);
            if count > 0 {
                self.counters.lost(host, loss, count);
                self.health.dropped(host, loss);
            }
        }
    }

    /// Makes sure that the driver wakes in time.
    fn wake(&mut self, host: &mut impl Host, now: u64) {
        let wait = match self.exporter.wait(now) {
            None if self.finished > 0 => Some(0),
            // However long a collector keeps us waiting, the counters tell.
            Some(wait) if self.finished > 0 => Some(wait.min(self.count_within)),
            wait => wait,
        };
        let (Some(wait), Some(driver)) = (wait, self.driver()) else {
            return;
        };
        let milliseconds = wait.div_ceil(MILLISECOND).max(1);
        let at = now.saturating_add(milliseconds.saturating_mul(MILLISECOND));
        // A tick that comes earlier looks again. One that should have come long ago was lost, or the clock jumped.
        let is_early_enough = self
            .wakes
            .is_some_and(|wakes| wakes <= at && wakes.saturating_add(LATE) >= now);
        if !is_early_enough {
            host.set_tick(driver, u32::try_from(milliseconds).unwrap_or(u32::MAX));
            self.wakes = Some(at);
        }
    }

    /// Lets those go that have all their answers.
    fn dismiss(&mut self, host: &mut impl Host, now: u64) {
        let driver = self.driver();
        let exporter = &self.exporter;
        self.leaving.retain(|root| {
            let stays = exporter.awaits(*root);
            if !stays {
                host.done(*root);
            }
            stays
        });
        if self.driver() != driver {
            self.wakes = None;
            self.wake(host, now);
        }
    }
}

/// A worker that is busy ticks late.
const LATE: u64 = 1_000 * MILLISECOND;

/// What every call to the collector carries. `b3: 0` and no ids keep it from being traced by any proxy on its way.
fn call_headers(settings: &ExportSettings) -> Vec<(String, String)> {
    let mut headers = vec![
        (":method", "POST".to_owned()),
        (":scheme", "http".to_owned()),
        (":authority", settings.destination.authority()),
        (":path", settings.path.clone()),
        ("content-type", settings.protocol.content_type().to_owned()),
        ("user-agent", format!("throughline/{VERSION}")),
        ("b3", "0".to_owned()),
    ];
    if settings.protocol == Protocol::OtlpGrpc {
        headers.push(("te", "trailers".to_owned()));
    }
    let own = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    own.chain(settings.headers.iter().cloned()).collect()
}

fn jitter(host: &mut impl Host) -> u32 {
    let mut bytes = [0; 4];
    // Without randomness every worker backs off alike, which is no reason to lose spans.
    let _ = host.fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

fn reply(host: &mut impl Host) -> Reply {
    let headers = host.answer_headers().unwrap_or_default();
    let trailers = host.answer_trailers().unwrap_or_default();
    let either = |name: &str| {
        let first = |headers: &Headers| headers.first(name).map(<[u8]>::to_vec);
        first(&trailers).or_else(|| first(&headers))
    };
    Reply {
        status: either(":status").and_then(number).unwrap_or(0),
        grpc_status: either("grpc-status").and_then(number),
        retry_after: either("retry-after"),
        grpc_details: either("grpc-status-details-bin"),
        grpc_message: either("grpc-message"),
        body: host.answer_body(MAX_ANSWER),
    }
}

fn number<N: core::str::FromStr>(text: Vec<u8>) -> Option<N> {
    String::from_utf8(text).ok()?.trim().parse().ok()
}
