//! What to do: sampling, the service's name, the resource, tags. No wire format, no host.

pub mod place;
pub mod resource;
pub mod sampling;
pub mod service;
pub mod tags;
