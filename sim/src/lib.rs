//! Applications behind a sidecar, as discrete events: requests arrive, are worked on, make calls, end. The joins are those of the
//! filter, `throughline::join`; whose a call is, the simulation knows.

pub mod app;
pub mod cell;
pub mod random;
pub mod shared;
pub mod tally;
pub mod world;
