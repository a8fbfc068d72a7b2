//! What `throughline` can do, a module for each subcommand.
//!
//! - [`arguments`]: the command line
//! - [`check`]: whether the filter would take a configuration
//! - [`completion`]: what shells and `man` know of the command line
//! - [`doctor`]: what is wrong with the filter in an Envoy, and what to change
//! - [`explain`]: what the filter does with a request, and why
//! - [`schema`]: what editors know of the configuration
//! - [`source`]: where a text comes from: a file, standard input, an address
//! - [`proxy`]: which proxy it is for
//! - [`yaml`]: what manifests are written in

// What is read here comes from anywhere.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

pub mod arguments;
pub mod check;
pub mod completion;
pub mod doctor;
pub mod explain;
mod failure;
mod output;
pub mod proxy;
pub mod schema;
pub mod source;
pub mod yaml;

pub use failure::Failure;
