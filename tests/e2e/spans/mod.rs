//! What the filter exports, as a collector gets it.

mod protocols;
mod stage;

pub use protocols::every_protocol;
