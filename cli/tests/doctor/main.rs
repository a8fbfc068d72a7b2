//! `throughline doctor`: the built program, on real Envoys in each state that users report.

mod any;
mod docs;
mod dumps;
mod hostile;
mod live;
mod mended;
mod program;
mod shape;
mod spelling;
mod stage;
mod states;
mod tracer;
mod trap;
mod twice;
