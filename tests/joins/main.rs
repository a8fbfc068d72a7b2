//! Joins: what is listed, what is unique, and that nothing is said where it is not known.

mod evidence;
mod keys;
mod ladder;
mod model;
mod properties;
mod shared;
mod support;
mod tokens;
mod workers;
