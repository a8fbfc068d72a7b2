//! What to do: sampling, the service's name, tags. No wire format, no host.

pub mod place;
pub mod sampling;
pub mod service;
pub mod tags;
