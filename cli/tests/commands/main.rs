//! The subcommands that read configurations: check, explain, schema, and what shells and `man` know of them.

mod check;
mod explain;
mod program;
mod schema;
mod shells;
