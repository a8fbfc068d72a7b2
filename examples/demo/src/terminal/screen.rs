//! Where the text goes: how wide it may be, and whether in colour.

use std::env;
use std::io::{IsTerminal as _, stdout};

/// What is assumed where nobody says.
const WIDTH: usize = 100;

/// The place for the text.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub width: usize,
    pub colour: bool,
}

impl Screen {
    /// Standard output.
    pub fn of_stdout() -> Self {
        let terminal = stdout().is_terminal();
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok());
        let window = || {
            let size = rustix::termios::tcgetwinsize(stdout()).ok()?;
            (size.ws_col > 0).then(|| size.ws_col.into())
        };
        Self {
            width: columns.or_else(window).unwrap_or(WIDTH),
            colour: terminal && !set("NO_COLOR") && !dumb,
        }
    }
}
