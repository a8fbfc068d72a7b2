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
        // A pool is as large as its load wants, and a third more.
        let app = match app {
            App::Pool(_) => App::Pool((load * 1.3) as usize + 3),
            other => other,
        };
        Self {
            app,
            arrivals: Arrivals::Poisson,
            load,
            workers: 2,
            routes: 10,
            callees: 10,
            forwards_id: false,
            learning: (12.0, load),
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
        let id = if self.forwards_id {
            ", forwards x-request-id"
        } else {
            ""
        };
        let shape = if self.routes == 10 {
            String::new()
        } else {
            format!(", {} route, {} callees", self.routes, self.callees)
        };
        let learning = if self.learning.1 < self.load || self.load <= 1.0 {
            ""
        } else {
            ", learned at that load"
        };
        let workers = if self.workers == 2 {
            String::new()
        } else {
            format!(", {} workers", self.workers)
        };
        let app = self.app.name();
        format!("{app}{arrivals}{id}{shape}{workers}{learning}")
    }
}

/// The whole table.
pub fn all() -> Vec<Cell> {
    let apps = [
        App::Threads,
        App::Pool(0),
        App::EventLoop,
        App::FanOut,
        App::EagerRetries,
        App::Retries,
        App::Cache,
        App::RefreshingCache,
        App::Batch,
        App::Queue(1000),
        App::Queue(20_000),
        App::Queue(1_000_000),
        App::Late(1000),
        App::Late(100),
        App::Late(20),
        App::Background(100),
        App::Background(10),
        App::Background(2),
        App::OwnTimer,
        App::Aborts,
    ];
    let mut cells = Vec::new();
    for app in apps {
        for load in [0.1, 0.3, 1.0, 3.0, 10.0] {
            cells.push(learned(Cell::of(app, load)));
        }
        for (arrivals, load) in [
            (Arrivals::Bursty, 0.3),
            (Arrivals::Bursty, 1.0),
            (Arrivals::Closed, 1.0),
            (Arrivals::Closed, 10.0),
            (Arrivals::Tight, 1.0),
        ] {
            let cell = Cell::of(app, load);
            cells.push(learned(Cell { arrivals, ..cell }));
        }
        let cell = Cell::of(app, 1.0);
        cells.push(Cell {
            forwards_id: true,
            ..cell
        });
        cells.push(Cell {
            routes: 1,
            callees: 3,
            load: 0.1,
            learning: (24.0, 0.1),
            ..cell
        });
    }
    for app in [
        App::Threads,
        App::Pool(4),
        App::EventLoop,
        App::Queue(20_000),
        App::Background(100),
    ] {
        for load in [30.0, 100.0] {
            let cell = learned(Cell::of(app, load));
            cells.push(cell);
            cells.push(Cell {
                forwards_id: true,
                ..cell
            });
        }
        for workers in [1, 3, 4] {
            let cell = Cell::of(app, 1.0);
            cells.push(Cell { workers, ..cell });
        }
    }
    // A day of one load without what was learned at another.
    let cell = Cell::of(App::Threads, 3.0);
    cells.push(Cell {
        learning: (24.0, 3.0),
        ..cell
    });
    cells
}

/// A busy application is never idle: it has learned while it was not.
fn learned(cell: Cell) -> Cell {
    Cell {
        learning: (
            if cell.load < 0.3 { 24.0 } else { 12.0 },
            cell.load.min(0.5),
        ),
        ..cell
    }
}
