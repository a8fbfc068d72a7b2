//! Text for people: lines that fit the screen, and the waterfall of a trace.

pub mod line;
mod screen;
mod waterfall;

pub use line::{Line, Paint};
pub use screen::Screen;
pub use waterfall::table;

/// What a table is indented by.
pub const INDENT: &str = "  ";

/// The lines as text for that screen.
pub fn text(lines: Vec<Line>, screen: Screen) -> String {
    let lines = lines
        .into_iter()
        .flat_map(|line| line.wrapped(screen.width));
    lines
        .map(|line| line.to_text(screen.colour) + "\n")
        .collect()
}

/// `count` things, in words.
pub fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}
