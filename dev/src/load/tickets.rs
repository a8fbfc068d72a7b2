//! Who may send the next request, and when it is due.

use super::{Bound, Pace};
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A ticket for each request of a load, shared by all its streams.
#[derive(Debug)]
pub struct Tickets {
    taken: Cell<u64>,
    count: u64,
    end: Option<Instant>,
    schedule: Option<Schedule>,
}

#[derive(Debug)]
struct Schedule {
    start: Instant,
    interval: Duration,
    due: Arc<Semaphore>,
}

impl Tickets {
    /// For so many streams.
    pub fn new(pace: Pace, bound: Bound, streams: usize) -> Self {
        let start = Instant::now();
        let interval = match pace {
            Pace::Closed => None,
            Pace::Open { per_second } => Some(Duration::from_secs(1) / per_second.max(1)),
        };
        let (count, end) = match (bound, interval) {
            (Bound::Requests(count), _) => (count, None),
            (Bound::Time(time), None) => (u64::MAX, Some(start + time)),
            (Bound::Time(time), Some(interval)) => {
                let count = time.as_nanos() / interval.as_nanos();
                (u64::try_from(count).unwrap_or(u64::MAX), None)
            }
        };
        Self {
            taken: Cell::new(0),
            count,
            end,
            schedule: interval.map(|interval| Schedule::begin(start, interval, count, streams)),
        }
    }

    /// Waits until the next request is due, and says since when it is; `None` when there are no more.
    pub async fn next(&self) -> Option<Instant> {
        if let Some(schedule) = &self.schedule {
            schedule.due.acquire().await.ok()?.forget();
        }
        let ticket = self.taken.get();
        if ticket >= self.count {
            return None;
        }
        self.taken.set(ticket + 1);
        match &self.schedule {
            Some(schedule) => Some(due_at(schedule.start, schedule.interval, ticket)),
            None => Some(Instant::now()).filter(|now| self.end.is_none_or(|end| *now < end)),
        }
    }
}

impl Schedule {
    /// Hands out the permits from a thread of its own: the runtime's timer counts whole milliseconds, which are longer
    /// than the answers take.
    fn begin(start: Instant, interval: Duration, count: u64, streams: usize) -> Self {
        let due = Arc::new(Semaphore::new(0));
        let permits = Arc::clone(&due);
        std::thread::spawn(move || {
            for ticket in 0..count {
                let wait = due_at(start, interval, ticket);
                std::thread::sleep(wait.saturating_duration_since(Instant::now()));
                permits.add_permits(1);
            }
            // So that every stream learns that there are no more.
            permits.add_permits(streams);
        });
        Self {
            start,
            interval,
            due,
        }
    }
}

fn due_at(start: Instant, interval: Duration, ticket: u64) -> Instant {
    let nanoseconds = interval.as_nanos() * u128::from(ticket);
    start + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}
