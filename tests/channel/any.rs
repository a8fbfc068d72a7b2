//! Any order of requests, ticks, answers, and root contexts that come and go: every span is counted once, and nobody
//! stays behind.

use proptest::{collection::vec, prelude::*, sample::Index, sample::select};

use crate::{
    DEFAULT, TWOS,
    worker::{Worker, status},
};

#[derive(Clone, Debug)]
enum Event {
    Requests(Index, usize),
    Tick(Index),
    Answer(Index, Option<u16>),
    /// The host loses an answer.
    Lose(Index),
    Leave(Index),
    Join(&'static str),
    Clusters(bool),
}

fn event() -> impl Strategy<Value = Event> {
    let answer = prop_oneof![
        6 => Just(Some(200)),
        2 => select(vec![Some(400), Some(429), Some(503), Some(302)]),
        1 => Just(None),
    ];
    prop_oneof![
        10 => (any::<Index>(), 1_usize..6).prop_map(|(root, count)| Event::Requests(root, count)),
        10 => any::<Index>().prop_map(Event::Tick),
        8 => (any::<Index>(), answer).prop_map(|(call, answer)| Event::Answer(call, answer)),
        1 => any::<Index>().prop_map(Event::Lose),
        2 => any::<Index>().prop_map(Event::Leave),
        3 => select(vec![DEFAULT, TWOS]).prop_map(Event::Join),
        1 => any::<bool>().prop_map(Event::Clusters),
    ]
}

struct Run {
    worker: Worker,
    last: u32,
    finished: u64,
    /// Those that were to go and could not yet.
    withheld: Vec<u32>,
}

impl Run {
    fn meet(&mut self, event: Event) {
        let roots = self.worker.roots();
        match event {
            Event::Requests(root, count) if !roots.is_empty() => {
                self.worker.requests(*root.get(&roots), count);
                self.finished += count as u64;
            }
            Event::Tick(which) => self.tick(|count| which.index(count)),
            Event::Answer(call, answer) if !self.worker.in_flight.is_empty() => {
                let place = call.index(self.worker.in_flight.len());
                self.worker.hand_over(place, answer.map(status));
            }
            Event::Lose(call) if !self.worker.in_flight.is_empty() => {
                let place = call.index(self.worker.in_flight.len());
                self.worker.in_flight.remove(place);
            }
            Event::Leave(root) if !roots.is_empty() => self.leave(*root.get(&roots)),
            Event::Join(config) => {
                self.last += 1;
                self.worker.join(self.last, config);
            }
            Event::Clusters(are_there) => self.worker.host.without_clusters = !are_there,
            _ => {}
        }
        let [finished, exported, lost] = self.worker.counted();
        assert!(exported + lost <= self.finished && finished <= self.finished);
    }

    fn tick(&mut self, place: impl FnOnce(usize) -> usize) {
        let ticks = self.worker.ticks();
        if !ticks.is_empty() {
            let (root, period) = ticks[place(ticks.len())];
            self.worker.pass(u64::from(period));
            self.worker.tick_of(root);
        }
    }

    fn leave(&mut self, root: u32) {
        if !self.worker.leave(root) {
            self.withheld.push(root);
        }
    }

    /// Everybody goes; half of the answers that are still out never come.
    fn end(mut self) {
        for root in self.worker.roots() {
            self.leave(root);
        }
        let mut is_lost = false;
        for ticks in 0.. {
            if !self.worker.in_flight.is_empty() {
                is_lost = !is_lost;
                if is_lost {
                    self.worker.in_flight.remove(0);
                } else {
                    self.worker.answer(status(200));
                }
            } else if self.worker.ticks().is_empty() {
                break;
            } else {
                self.tick(|_| 0);
            }
            assert!(ticks < 1_000, "it never ends: {:?}", self.worker.ticks());
        }
        let mut done = self.worker.host.done.clone();
        done.sort_unstable();
        self.withheld.sort_unstable();
        assert_eq!(done, self.withheld, "who was told to stay may go, once");
        let [finished, exported, lost] = self.worker.counted();
        assert_eq!((finished, exported + lost), (self.finished, self.finished));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(500),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_every_span_is_counted_and_everybody_goes(events in vec(event(), 0..60)) {
        let mut run = Run {
            worker: Worker::new(TWOS),
            last: 1,
            finished: 0,
            withheld: Vec::new(),
        };
        for event in events {
            run.meet(event);
        }
        run.end();
    }
}
