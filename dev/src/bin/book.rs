//! `book OUT`: what `make book` runs once mdBook has made OUT/docs. See [`throughline_dev::documentation::book`].

use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use throughline_dev::documentation::book;

fn main() -> Result<()> {
    let out = std::env::args_os().nth(1).map(PathBuf::from);
    let out = out.context("usage: book OUT")?;
    ensure!(
        out.join("docs/index.html").is_file(),
        "no book in {}",
        out.display()
    );
    book::complete(&out)?;
    let dead = book::dead(&out)?;
    ensure!(
        dead.is_empty(),
        "links that lead nowhere in the book:\n{}",
        dead.join("\n")
    );
    println!("{}", out.join("index.html").display());
    Ok(())
}
