//! What `throughline` can do, a module for each subcommand.
//!
//! - [`arguments`]: the command line
//! - [`doctor`]: what is wrong with the filter in an Envoy, and what to change
//! - [`source`]: where a text comes from: a file, standard input, an address

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
pub mod doctor;
mod failure;
pub mod source;

pub use failure::Failure;
