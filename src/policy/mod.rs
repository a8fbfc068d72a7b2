//! What to do: trust, sampling, the service's name, the resource, tags, what is hidden, what a response tells, tracers of the
//! host's. No wire format, no host.

pub mod cidr;
pub mod pattern;
pub mod place;
pub mod redaction;
pub mod requests;
pub mod resource;
pub mod response;
pub mod sampling;
pub mod service;
pub mod tags;
pub mod tracer;
pub mod trust;
