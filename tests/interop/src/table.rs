//! The table of docs/interop.md, made from the answers.

use crate::cells::Cell;
use crate::play::Answers;
use crate::verdict::Verdict;
use anyhow::{Context, Result, ensure};

const HEAD: &str = "\
| SDK | set as | reads the filter's: sampled | random flag | not sampled \
| the filter reads its: sampled | not sampled | why not, and what makes it a yes |\n|---|---|---|---|---|---|---|---|\n";

/// A cell with its answers.
#[derive(Clone, Debug)]
pub struct Row {
    /// What traces the application, with its version.
    pub sdk: String,
    /// The cell.
    pub cell: Cell,
    /// What was seen.
    pub answers: Answers,
}

/// The table. Fails where a no is not explained, an explanation explains nothing, or does not lead to a yes.
pub fn render(rows: &[Row]) -> Result<String> {
    let mut table = HEAD.to_owned();
    for row in rows {
        let answers = row
            .answers
            .columns()
            .map(|verdict| verdict.to_string())
            .join(" | ");
        let why = why(row, rows).with_context(|| format!("{}, {}", row.sdk, row.cell.settings))?;
        table += &format!(
            "| {} | {} | {answers} | {why} |\n",
            row.sdk, row.cell.settings
        );
    }
    Ok(table)
}

fn why(row: &Row, rows: &[Row]) -> Result<String> {
    let answers = row.answers.columns();
    let Some(no) = &row.cell.no else {
        ensure!(
            !answers.iter().any(|answer| answer.is_no()),
            "a no without a reason: {answers:?}"
        );
        return Ok(String::new());
    };
    let is_instead = |other: &&Row| {
        other.cell.application == row.cell.application && other.cell.settings == no.instead
    };
    let instead = rows.iter().find(is_instead);
    let instead = instead.with_context(|| format!("no row is set as {}", no.instead))?;
    ensure!(
        answers.iter().any(|answer| answer.is_no()),
        "a reason without a no"
    );
    for (answer, instead) in answers.into_iter().zip(instead.answers.columns()) {
        ensure!(
            !answer.is_no() || instead == Verdict::Yes,
            "{} is no remedy",
            no.instead
        );
    }
    Ok(format!("{}. Yes with {}", no.why, no.instead))
}

/// The lines of `one` that `two` has not.
pub fn missing(one: &str, two: &str) -> String {
    let lines = one
        .lines()
        .filter(|line| !two.lines().any(|other| other == *line));
    lines.map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells;

    const YES: Answers = Answers {
        in_sampled: Verdict::Yes,
        in_random: Verdict::Yes,
        in_unsampled: Verdict::Yes,
        out_sampled: Verdict::Yes,
        out_unsampled: Verdict::Yes,
    };

    const NO: Answers = Answers {
        in_random: Verdict::NewTrace,
        ..YES
    };

    /// The two rows of one application: a cell that explains a no, and the one that it leads to.
    fn rows(explained: Answers, instead: Answers) -> Vec<Row> {
        let cells = cells::all();
        let cell = cells.iter().find(|cell| cell.no.is_some());
        let cell = cell.expect("no cell explains a no").clone();
        let settings = cell.no.as_ref().map(|no| no.instead.clone());
        let is_other = |other: &&Cell| {
            other.application == cell.application && Some(&other.settings) == settings.as_ref()
        };
        let other = cells.iter().find(is_other);
        let other = other.expect("the cell that it leads to").clone();
        let row = |cell, answers| Row {
            sdk: String::new(),
            cell,
            answers,
        };
        vec![row(cell, explained), row(other, instead)]
    }

    #[test]
    fn a_no_has_a_reason_and_a_setting_that_makes_it_a_yes() -> Result<()> {
        let table = render(&rows(NO, YES))?;
        assert!(
            table.contains("| yes | **no**: new trace | yes | yes | yes | Takes no"),
            "{table}"
        );
        Ok(())
    }

    #[test]
    fn what_is_not_so_is_refused() {
        assert!(render(&rows(YES, YES)).is_err(), "a reason without a no");
        assert!(render(&rows(NO, NO)).is_err(), "a no that leads to a no");
        assert!(render(&rows(NO, YES)[..1]).is_err(), "it leads nowhere");
        let mut other_way_round = rows(YES, NO);
        other_way_round.remove(0);
        assert!(render(&other_way_round).is_err(), "a no without a reason");
    }
}
