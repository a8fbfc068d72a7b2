use std::time::Instant;

use throughline_sim::{
    app::App,
    cell::{Arrivals, Cell},
    world::World,
};

fn main() {
    let hours: f64 = std::env::args().nth(1).and_then(|x| x.parse().ok()).unwrap_or(3.0);
    let only = std::env::args().nth(2).unwrap_or_default();
    let apps = [
        App::Threads, App::Pool(4), App::EventLoop, App::FanOut, App::Retries, App::EagerRetries, App::Cache,
        App::RefreshingCache, App::Batch, App::Queue(1000), App::Queue(20_000), App::Queue(1_000_000), App::Late(1000), App::Late(100), App::Late(50), App::Background(100),
        App::Background(10), App::Background(2), App::Background(1), App::OwnTimer, App::Aborts,
    ];
    for app in apps {
        for load in [0.1, 1.0, 3.0] {
            for arrivals in [Arrivals::Poisson, Arrivals::Bursty, Arrivals::Closed, Arrivals::Tight] {
            if arrivals == Arrivals::Tight && load != 1.0 { continue; }
            let mut cell = Cell::of(app, load);
            cell.arrivals = arrivals;
            if !cell.name().contains(&only) { continue; }
            let start = Instant::now();
            let mut world = World::new(cell, 1);
            world.learn((hours * 3600.0) as u64, load.min(0.5));
            let learned = world.requests();
            world.measure(100_000);
            let t = world.tally;
            let a = t.asserted();
            println!(
                "{:50} L={load} learned {learned} calls {} others {} sole {:?} route {:?} precision {:?} coverage {:.2}% {:.1}s",
                cell.name(), t.calls, t.others, t.rungs[3], t.rungs[2], a.precision(), t.coverage()*100.0, start.elapsed().as_secs_f64()
            );
            }
        }
    }
}
