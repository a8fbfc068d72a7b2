//! The middle of several rounds, and how far they lie apart.

/// Several measurements of one thing: their median, and the quartiles that half of them lie between.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rounds {
    pub median: f64,
    pub lower: f64,
    pub upper: f64,
}

impl Rounds {
    /// `None` of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Some(Self {
            median: quantile(&values, 2)?,
            lower: quantile(&values, 1)?,
            upper: quantile(&values, 3)?,
        })
    }
}

/// So many quarters up the sorted values, between two of them where none is just there.
fn quantile(sorted: &[f64], quarters: usize) -> Option<f64> {
    let position = sorted.len().checked_sub(1)? * quarters;
    let (below, above) = (position / 4, position.div_ceil(4));
    let part = (position % 4) as f64 / 4.0;
    Some(sorted.get(below)? * (1.0 - part) + sorted.get(above)? * part)
}

#[cfg(test)]
mod tests {
    use super::Rounds;

    #[test]
    fn quarters_of_few_and_many() {
        let of = |values: &[f64]| {
            Rounds::of(values.iter().copied())
                .map(|rounds| (rounds.lower, rounds.median, rounds.upper))
        };
        assert_eq!(of(&[9.0, 1.0, 3.0, 2.0, 4.0]), Some((2.0, 3.0, 4.0)));
        assert_eq!(of(&[4.0, 1.0, 2.0, 8.0]), Some((1.75, 3.0, 5.0)));
        assert_eq!(of(&[5.0]), Some((5.0, 5.0, 5.0)));
        assert_eq!(of(&[]), None);
    }
}
