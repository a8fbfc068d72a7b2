//! What is simulated: one row of the table each.

use crate::app::App;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    Poisson,
    /// In bursts of a second, eleven times as dense as between them.
    Bursty,
    /// A fixed number of clients that wait for their answers, and think.
    Closed,
    /// One client that asks again as soon as it has its answer.
    Tight,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    pub app: App,
    pub arrivals: Arrivals,
    /// Requests in flight, on average.
    pub load: f64,
    pub workers: usize,
    pub routes: u32,
    /// With one route, it calls all; else each calls its own.
    pub callees: u32,
    pub forwards_id: bool,
    /// Hours of learning, and at which load.
    pub learning: (f64, f64),
}

impl Cell {
    pub fn of(app: App, load: f64) -> Self {
        Self {
            app,
            arrivals: Arrivals::Poisson,
            load,
            workers: 2,
            routes: 10,
            callees: 10,
            forwards_id: false,
            learning: (24.0, load),
        }
    }

    pub fn callees_of(&self, route: u32) -> Vec<u32> {
        if self.routes == 1 {
            return (1..=self.callees).collect();
        }
        match self.app {
            App::FanOut => (0..3)
                .map(|step| 1 + (route + step * 3) % self.callees)
                .collect(),
            _ => vec![1 + route % self.callees],
        }
    }

    pub fn calls_each(&self) -> usize {
        self.callees_of(0).len()
    }

    pub fn name(&self) -> String {
        let arrivals = match self.arrivals {
            Arrivals::Poisson => "",
            Arrivals::Bursty => ", in bursts",
            Arrivals::Closed => ", clients that wait",
            Arrivals::Tight => ", one client without a pause",
        };
        let id = if self.forwards_id { ", forwards x-request-id" } else { "" };
        let shape = if self.routes == 10 {
            String::new()
        } else {
            format!(", {} route, {} callees", self.routes, self.callees)
        };
        let workers = if self.workers == 2 {
            String::new()
        } else {
            format!(", {} workers", self.workers)
        };
        let app = self.app.name();
        format!("{app}{arrivals}{id}{shape}{workers}")
    }
}
