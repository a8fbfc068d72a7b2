//! Whether a share that was seen can be the one that was asked for.

/// How many of `all` are expected at the least and at the most, each taken with `probability`: three standard deviations
/// of the binomial distribution around its mean, outside of which one try in 370 falls.
pub fn bounds(all: usize, probability: f64) -> (f64, f64) {
    let all = all as f64;
    let mean = all * probability;
    let deviation = (mean * (1.0 - probability)).sqrt();
    (mean - 3.0 * deviation, mean + 3.0 * deviation)
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn bounds_are_three_deviations_apart_from_the_mean() {
        // The deviation is 3.
        let (least, most) = bounds(100, 0.1);
        assert!((least - 1.0).abs() < 1e-9, "{least}");
        assert!((most - 19.0).abs() < 1e-9, "{most}");
        assert_eq!(bounds(100, 0.0), (0.0, 0.0));
    }
}
