//! The subcommands that read configurations: check, explain, schema, what shells and `man` know of them, and their help.

mod check;
mod explain;
mod help;
mod program;
mod schema;
mod shells;
