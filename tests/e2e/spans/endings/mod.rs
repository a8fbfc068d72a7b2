//! How requests end, and what their spans say of it.

pub mod bodies;
pub mod clients;
pub mod denied;
pub mod malformed;
pub mod redirects;
pub mod streams;
pub mod table;
