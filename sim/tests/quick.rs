//! A few rows of the table, shorter: `make sim-joins` has them all.

use throughline::join::ladder::Rung;
use throughline_sim::{
    app::App,
    cell::{Arrivals, Cell},
    tally::Tally,
    world::World,
};

fn run(cell: Cell, hours: u64) -> Tally {
    let mut world = World::new(cell, 7);
    world.learn(hours * 3600, cell.load.min(0.5));
    world.measure(10_000);
    world.tally
}

/// A joined call of another request is counted, and one in a thousand is too many.
fn is_right(tally: &Tally) {
    assert!(tally.asserted().is_proven(), "{tally:?}");
}

#[test]
fn requests_that_make_their_calls_themselves_are_joined() {
    let tally = run(Cell::of(App::Threads, 1.0), 6);
    is_right(&tally);
    // One in eleven has company of its own route: 1 - exp(-1/10).
    assert!(tally.coverage() > 0.89, "{tally:?}");
    let both = [Rung::Route, Rung::Sole].map(|rung| tally.of(rung).right > 1000);
    assert_eq!(both, [true; 2], "{tally:?}");
}

#[test]
fn work_that_an_answer_leaves_behind_is_nobodys() {
    for (app, arrivals) in [
        (App::Queue(1000), Arrivals::Poisson),
        (App::Queue(1000), Arrivals::Tight),
        (App::Queue(20_000), Arrivals::Bursty),
    ] {
        let cell = Cell {
            arrivals,
            ..Cell::of(app, 1.0)
        };
        let tally = run(cell, 1);
        assert_eq!(tally.asserted().count(), 0, "{app:?} {tally:?}");
        assert!(tally.others > 9_000, "{app:?} {tally:?}");
    }
}

#[test]
fn callees_of_a_background_job_are_left_alone_and_others_are_not() {
    let tally = run(Cell::of(App::Background(100), 1.0), 2);
    assert_eq!(tally.asserted().count(), 0, "{tally:?}");
    assert!(tally.others > 500, "{tally:?}");
    let tally = run(Cell::of(App::OwnTimer, 1.0), 6);
    is_right(&tally);
    assert!(tally.coverage() > 0.89 && tally.others > 500, "{tally:?}");
}

#[test]
fn a_key_is_never_wrong() {
    for load in [1.0, 30.0] {
        let cell = Cell {
            forwards_id: true,
            ..Cell::of(App::Threads, load)
        };
        let mut world = World::new(cell, 7);
        // Until the registers are complete.
        world.learn(70, load);
        world.measure(5_000);
        let key = world.tally.of(Rung::Key);
        assert!(key.wrong == 0 && key.right > 4_400, "{:?}", world.tally);
    }
}

#[test]
fn a_seed_is_a_run() {
    let tally = |seed| {
        let mut world = World::new(Cell::of(App::Retries, 1.0), seed);
        world.learn(100, 1.0);
        world.measure(1000);
        world.tally
    };
    assert_eq!(tally(1), tally(1));
    assert_ne!(tally(1), tally(2));
}
