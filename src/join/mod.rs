//! Which request in flight an outbound call without a context belongs to: known, inferred with a bounded error, or not said.
//!
//! - [`store`]: the values that all workers share.
//! - [`register`]: one worker's requests in flight, as bytes. Each worker writes its own register and no other.
//! - [`worker`]: what a worker does with its register.
//! - [`seen`]: all registers, as read at a call.
//! - [`key`], [`token`]: values that an application carries along, hashed with a secret.
//! - [`class`]: routes and callees, told apart by few bits.
//! - [`counts`], [`bounds`], [`evidence`]: who calls whom, by rates, and how sure that is.
//! - [`ladder`]: the rungs, and which of them holds.
//!
//! Pure: time, randomness and shared values come from outside.

pub mod bounds;
pub mod class;
pub mod counts;
pub mod evidence;
pub mod key;
pub mod ladder;
pub mod register;
pub mod seen;
pub mod store;
mod table;
pub mod token;
pub mod worker;

/// Microseconds since the epoch.
pub type Micros = u64;

/// Workers with a register, those of an older module that still drain among them.
pub const MOST_WORKERS: u8 = 128;
