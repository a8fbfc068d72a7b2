//! Whatever comes in, the filter lives: hostile requests and hostile configurations, in an Envoy whose filter fails
//! closed, so that a panic answers with 5xx.

mod broken;
mod check;
mod configs;
mod contract;
mod corpus;
mod exported;
mod exporters;
mod headers;
mod random;
mod requests;
mod setups;

pub use broken::all as broken;
pub use configs::run as configs;
pub use requests::run as requests;
