//! An exporter, the collector at its other end, and a book of every span, kept without looking into the exporter.

use std::collections::{BTreeMap, BTreeSet};

use throughline::{
    export::{Answer, Batch, Envelope, Exporter, Limits, Loss, Protocol, SpanWriter, Verdict},
    span::{Attributes, End, Kind, Start},
    trace::{Sampling, SpanId, TraceId},
};

use crate::history::Event;

pub const MILLISECOND: u64 = 1_000_000;
pub const SECOND: u64 = 1_000 * MILLISECOND;
pub const TIMEOUT: u64 = 10 * SECOND;
/// The collector may ask for more, and does not get it.
const LONGEST_ASKED: u64 = 300 * SECOND;
const ROOT: u32 = 1;
/// What may stand behind the last span.
const CLOSING: usize = 6;

pub struct World {
    exporter: Exporter,
    protocol: Protocol,
    limits: Limits,
    now: u64,
    /// Whether the clock was ever set back: then a sleeper may look too early.
    was_set_back: bool,
    is_closing: bool,
    /// Spans by number: those that wait, and those of each call.
    waiting: BTreeSet<u64>,
    in_flight: BTreeMap<u32, BTreeSet<u64>>,
    is_failing: bool,
    /// Nothing may leave before.
    asked_until: u64,
    finished: u64,
    exported: usize,
    lost: BTreeMap<&'static str, usize>,
    tokens: u32,
    jitter: u32,
    largest: usize,
}

impl World {
    pub fn new(protocol: Protocol, limits: Limits) -> Self {
        Self {
            exporter: Exporter::new(limits, TIMEOUT, Self::envelope(protocol)),
            protocol,
            limits,
            now: 1_700_000_000 * SECOND,
            was_set_back: false,
            is_closing: false,
            waiting: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            is_failing: false,
            asked_until: 0,
            finished: 0,
            exported: 0,
            lost: BTreeMap::new(),
            tokens: 0,
            jitter: 0,
            largest: 0,
        }
    }

    pub fn envelope(protocol: Protocol) -> Envelope {
        let resource = [("service.name".to_owned(), "test".to_owned())];
        Envelope::new(protocol, &resource, "1")
    }

    pub fn meet(&mut self, event: &Event) {
        match event {
            Event::Offer { padding } => self.offer(*padding),
            Event::Send => {
                self.overdue();
                self.send();
            }
            Event::Refuse => {
                self.overdue();
                self.refuse();
            }
            Event::Answer { which, answer } => {
                if !self.in_flight.is_empty() {
                    self.answer(which.index(self.in_flight.len()), *answer);
                }
            }
            Event::Stray(token) => {
                if !self.in_flight.contains_key(token) {
                    let verdict = self
                        .exporter
                        .answered(*token, Answer::Accepted, self.now, 0);
                    assert_eq!(verdict, None, "a stray answer");
                }
            }
            Event::Pass(time) => self.pass(*time),
            Event::Back(time) => {
                self.now = self.now.saturating_sub(*time);
                self.was_set_back = true;
            }
            Event::Sleep => self.sleep(),
        }
        self.check();
    }

    /// A finished span, whose name holds its number.
    fn offer(&mut self, padding: usize) {
        self.finished += 1;
        let number = self.finished;
        let name = format!("<{number}>");
        let start = Start {
            trace_id: TraceId::new(1).expect("an id"),
            span_id: SpanId::new(number).expect("an id"),
            parent: None,
            kind: Kind::Server,
            name: &name,
            at: 0,
            sampling: Sampling::Accept,
            random: false,
            trace_state: "",
            links: &[],
        };
        let mut writer = SpanWriter::begin(self.protocol.encoding(), &start, "test");
        writer.text("padding", &"x".repeat(padding));
        let span = writer.end(&End::default());
        let is_full = self.waiting.len() >= self.limits.max_queue_size;
        let most = self.exporter.bytes()
            + span.len()
            + Envelope::OVERHEAD
            + Self::envelope(self.protocol).headroom()
            + CLOSING;
        match self.exporter.offer(&span, self.now) {
            Ok(()) => {
                assert!(!is_full, "taken although {} wait", self.waiting.len());
                self.waiting.insert(number);
            }
            Err(Loss::QueueFull) => {
                assert!(is_full, "dropped although only {} wait", self.waiting.len());
                self.lose(Loss::QueueFull, 1);
            }
            Err(Loss::QueueBytes) => {
                assert!(
                    most > self.limits.max_queue_bytes,
                    "dropped although {most} bytes fit"
                );
                self.lose(Loss::QueueBytes, 1);
            }
            Err(other) => panic!("{other:?} before it was ever sent"),
        }
    }

    /// Everything that may leave now leaves; how many batches.
    pub fn send(&mut self) -> usize {
        let mut sent = 0;
        while let Some((batch, spans)) = self.next() {
            self.tokens += 1;
            self.in_flight.insert(self.tokens, spans);
            self.exporter.sent(batch, self.tokens, ROOT, self.now);
            self.check();
            sent += 1;
        }
        sent
    }

    /// The host sends nothing.
    fn refuse(&mut self) {
        let mut tries = 0;
        while let Some((batch, spans)) = self.next() {
            tries += 1;
            assert!(
                self.is_closing || tries == 1,
                "it tries on although nothing leaves"
            );
            let jitter = self.jitter();
            let verdict = self.exporter.unsent(batch, self.now, jitter);
            self.judge(spans, Answer::Retry { after: None }, verdict);
            self.check();
        }
    }

    fn next(&mut self) -> Option<(Batch, BTreeSet<u64>)> {
        let batch = self.exporter.next(self.now)?;
        let spans = numbers(batch.body());
        assert_eq!(
            spans.len(),
            batch.spans(),
            "{:?}",
            String::from_utf8_lossy(batch.body())
        );
        assert!(batch.spans() > 0, "an empty batch");
        assert!(
            batch.spans() <= self.limits.max_export_batch_size,
            "a batch of {}",
            batch.spans()
        );
        for span in &spans {
            assert!(self.waiting.remove(span), "span {span} did not wait");
        }
        if !self.is_closing {
            assert!(
                self.in_flight.len() < self.limits.max_in_flight,
                "too many in flight"
            );
            assert!(
                !self.is_failing || self.in_flight.is_empty(),
                "one asks first"
            );
            assert!(
                self.was_set_back || self.now >= self.asked_until,
                "the collector asked for time"
            );
        }
        self.largest = self.largest.max(batch.body().len());
        Some((batch, spans))
    }

    /// The call in flight at that place is answered.
    pub fn answer(&mut self, place: usize, answer: Answer) {
        let token = *self.in_flight.keys().nth(place).expect("a call");
        let spans = self.in_flight.remove(&token).expect("a call");
        let jitter = self.jitter();
        let verdict = self.exporter.answered(token, answer, self.now, jitter);
        self.judge(
            spans,
            answer,
            verdict.expect("a verdict on a call that is known"),
        );
    }

    /// Gives up calls whose answer was lost; how many.
    pub fn overdue(&mut self) -> usize {
        let tokens = self.exporter.overdue(self.now);
        for token in &tokens {
            let place = self.in_flight.keys().position(|known| known == token);
            self.answer(
                place.expect("a call that is known"),
                Answer::Retry { after: None },
            );
        }
        tokens.len()
    }

    fn judge(&mut self, spans: BTreeSet<u64>, answer: Answer, verdict: Verdict) {
        let count = spans.len();
        let lost = match answer {
            Answer::Accepted => None,
            Answer::Partial { rejected } => Some((Loss::PartialSuccess, rejected.min(count))),
            Answer::Rejected => Some((Loss::Rejected, count)),
            Answer::Garbled => Some((Loss::BadResponse, count)),
            Answer::Retry { .. } if self.is_closing => Some((Loss::Shutdown, count)),
            Answer::Retry { .. } if verdict == Verdict::default() => {
                self.waiting.extend(spans);
                self.is_failing = true;
                self.ask(answer);
                return;
            }
            Answer::Retry { .. } => Some((Loss::RetriesExhausted, count)),
        };
        let exported = count - lost.map_or(0, |(_, count)| count);
        assert_eq!(
            verdict,
            Verdict { exported, lost },
            "{answer:?} to {count} spans"
        );
        self.exported += exported;
        if let Some((loss, count)) = lost {
            self.lose(loss, count);
        }
        self.is_failing = matches!(answer, Answer::Retry { .. });
        self.ask(answer);
    }

    fn ask(&mut self, answer: Answer) {
        if let Answer::Retry { after: Some(asked) } = answer {
            let until = self.now.saturating_add(asked.min(LONGEST_ASKED));
            self.asked_until = self.asked_until.max(until);
        }
    }

    fn lose(&mut self, loss: Loss, count: usize) {
        *self.lost.entry(loss.reason()).or_default() += count;
    }

    pub fn pass(&mut self, time: u64) {
        self.now = self.now.saturating_add(time);
    }

    pub fn wait(&self) -> Option<u64> {
        self.exporter.wait(self.now)
    }

    /// Nothing becomes due while it sleeps, and something is due when it wakes.
    fn sleep(&mut self) {
        let until = match self.wait() {
            Some(wait) => self.now.saturating_add(wait),
            None => u64::MAX,
        };
        for before in [self.now, until / 2 + self.now / 2, until - 1] {
            if (self.now..until).contains(&before) {
                assert!(self.exporter.next(before).is_none(), "sleeps past a batch");
                assert!(
                    self.exporter.overdue(before).is_empty(),
                    "sleeps past a lost answer"
                );
            }
        }
        if until == u64::MAX {
            return;
        }
        self.now = until;
        let (given_up, sent) = (self.overdue(), self.send());
        assert!(
            given_up + sent > 0 || self.was_set_back,
            "woken for nothing"
        );
    }

    pub fn close(&mut self) {
        self.is_closing = true;
        self.exporter.close();
    }

    /// Everything leaves at once, and with the last answer nothing is left.
    pub fn close_and_drain(&mut self) {
        self.close();
        self.send();
        assert_eq!(self.waiting, BTreeSet::new(), "something stays behind");
        while !self.in_flight.is_empty() {
            let answer = match self.in_flight.len() % 3 {
                0 => Answer::Retry { after: None },
                1 => Answer::Accepted,
                _ => Answer::Partial { rejected: 1 },
            };
            self.answer(0, answer);
            self.check();
        }
        assert_eq!(self.exporter.bytes(), 0, "bytes that nobody holds");
        assert!(!self.exporter.awaits(ROOT));
        let counted = self.exported + self.lost.values().sum::<usize>();
        assert_eq!(counted as u64, self.finished, "finished = exported + lost");
    }

    /// What holds at every moment.
    fn check(&self) {
        let in_flight: usize = self.in_flight.values().map(BTreeSet::len).sum();
        let lost: usize = self.lost.values().sum();
        let counted = self.exported + lost + self.waiting.len() + in_flight;
        assert_eq!(
            counted as u64, self.finished,
            "finished = exported + lost + waiting + in flight"
        );
        let (bytes, most) = (self.exporter.bytes(), self.limits.max_queue_bytes);
        assert!(bytes <= most, "{bytes} bytes are held, {most} may be");
        assert_eq!(self.exporter.awaits(ROOT), in_flight > 0);
        assert!(!self.exporter.awaits(ROOT + 1));
    }

    /// Both ends of its range, and all between.
    fn jitter(&mut self) -> u32 {
        self.jitter = self
            .jitter
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        self.jitter
    }

    /// Spans that were lost for that.
    pub fn lost(&self, loss: Loss) -> usize {
        self.lost.get(loss.reason()).copied().unwrap_or(0)
    }

    /// Bytes of the largest body.
    pub fn largest(&self) -> usize {
        self.largest
    }
}

/// The numbers of the spans in a body: they stand in it as they were written, whatever is around them.
fn numbers(body: &[u8]) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    for part in body.split(|byte| *byte == b'<').skip(1) {
        let Some(end) = part.iter().position(|byte| *byte == b'>') else {
            continue;
        };
        let number = std::str::from_utf8(&part[..end]).ok();
        if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
            assert!(numbers.insert(number), "span {number} is there twice");
        }
    }
    numbers
}
