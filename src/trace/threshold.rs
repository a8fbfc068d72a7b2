//! OpenTelemetry's rejection threshold, by which every participant decides alike on one trace.

use super::{Text, lower_hex};

/// T, below 2^56: a trace is sampled if and only if its randomness R >= T (specification,
/// trace/tracestate-probability-sampling.md, "Decision algorithm").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold(u64);

impl Threshold {
    const RANGE: u64 = 1 << 56;
    /// Hexadecimal digits of 56 bits.
    const DIGITS: u32 = 14;
    /// The digits that SDKs are recommended to use, besides the `f`s that a small probability begins with.
    const PRECISION: u32 = 4;

    /// `None` where `probability` is not from 2^-56 to 1: never is no probability.
    pub fn of(probability: f64) -> Option<Self> {
        Self::with_precision(probability, Self::PRECISION)
    }

    /// Rounded to that many digits, so that what is told and what is decided are one number.
    fn with_precision(probability: f64, precision: u32) -> Option<Self> {
        if !(probability > 0.0 && probability <= 1.0) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a power of two is exact, and the product is from 0 to 2^56 by the check above"
        )]
        let sampled = (probability * Self::RANGE as f64).round() as u64;
        // Subtracted as integers: 1 - p would lose the last bits of a small p.
        let exact = Self::RANGE
            .checked_sub(sampled)
            .filter(|exact| *exact < Self::RANGE)?;
        // As many as the logarithm of p says, not as the threshold shows.
        let all_ones = sampled
            .saturating_sub(1)
            .leading_zeros()
            .saturating_sub(8)
            .div_euclid(4);
        let digits = precision.saturating_add(all_ones).min(Self::DIGITS);
        let bits = Self::DIGITS.saturating_sub(digits).saturating_mul(4);
        let half = 1_u64.checked_shl(bits).unwrap_or(0) >> 1;
        let rounded = exact.saturating_add(half) >> bits << bits;
        // What would round to never stays the highest that there is.
        let highest = Self::RANGE.saturating_sub(1) >> bits << bits;
        Some(Self(rounded.min(highest)))
    }

    pub const fn keeps(self, randomness: u64) -> bool {
        randomness >= self.0
    }

    /// The value of `th`: 1 to 14 digits, as if zeros followed.
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let zeros = 14_usize.checked_sub(digits.len())?;
        let number = u64::try_from(lower_hex(digits)?).ok()?;
        let shift = u32::try_from(zeros.saturating_mul(4)).ok()?;
        Some(Self(number.checked_shl(shift)?))
    }

    /// As short as it can be.
    pub fn text(self) -> Text {
        let zeros = self.0.trailing_zeros().div_euclid(4);
        let digits = Self::DIGITS.saturating_sub(zeros).max(1);
        let shift = Self::DIGITS.saturating_sub(digits).saturating_mul(4);
        Text::new().push_hex(u128::from(self.0 >> shift), digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(probability: f64, precision: u32) -> String {
        let threshold = Threshold::with_precision(probability, precision).unwrap();
        String::from_utf8(threshold.text().as_bytes().to_vec()).unwrap()
    }

    /// The specification's table, "Converting floating-point probability to threshold value", whole.
    #[test]
    fn thresholds_are_those_of_the_specifications_table() {
        for (one_in, expected) in [
            (1.0, ["0", "0", "0"]),
            (2.0, ["8", "8", "8"]),
            (3.0, ["aab", "aaab", "aaaab"]),
            (4.0, ["c", "c", "c"]),
            (5.0, ["ccd", "cccd", "ccccd"]),
            (8.0, ["e", "e", "e"]),
            (10.0, ["e66", "e666", "e6666"]),
            (16.0, ["f", "f", "f"]),
            (100.0, ["fd71", "fd70a", "fd70a4"]),
            (1000.0, ["ffbe7", "ffbe77", "ffbe76d"]),
            (10000.0, ["fff972", "fff9724", "fff97247"]),
            (100_000.0, ["ffff584", "ffff583a", "ffff583a5"]),
            (1_000_000.0, ["ffffef4", "ffffef39", "ffffef391"]),
        ] {
            let got = [3, 4, 5].map(|precision| text(1.0 / one_in, precision));
            assert_eq!(got, expected, "1 in {one_in}");
        }
    }

    #[test]
    fn the_edges_are_exact() {
        const LEAST: f64 = 1.0 / (1_u64 << 56) as f64;
        for (probability, expected, why) in [
            (LEAST, "ffffffffffffff", "2^-56, the least"),
            (2.0 * LEAST, "fffffffffffffe", "the next one"),
            (0.999_999_9, "0", "not told from 1 by four digits"),
            (0.9999, "0007", "few digits near 1, as in the specification"),
        ] {
            assert_eq!(text(probability, 4), expected, "{why}");
        }
        for bad in [0.0, -0.5, 1.000_001, LEAST / 4.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Threshold::of(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for probability in [1.0, 0.75, 0.5, 0.3, 0.1, 0.01, 1e-6, 1e-12] {
            let threshold = Threshold::of(probability).unwrap();
            let written = threshold.text();
            assert_eq!(Threshold::parse(written.as_bytes()), Some(threshold));
        }
    }

    #[test]
    fn values_are_1_to_14_lower_case_digits() {
        for (digits, expected) in [
            ("0", Some(0)),
            ("00000000000000", Some(0)),
            ("c", Some(0xc0_0000_0000_0000)),
            ("fd70a4", Some(0xfd_70a4_0000_0000)),
            ("ffffffffffffff", Some(0xff_ffff_ffff_ffff)),
            ("", None),
            ("fffffffffffffff", None),
            ("C", None),
            ("0x8", None),
            ("8 ", None),
        ] {
            assert_eq!(
                Threshold::parse(digits.as_bytes()),
                expected.map(Threshold),
                "{digits:?}"
            );
        }
    }

    #[test]
    fn r_equal_to_t_is_kept() {
        for (digits, randomness, expected) in [
            ("8", 0x80_0000_0000_0000, true),
            ("8", 0x7f_ffff_ffff_ffff, false),
            ("0", 0, true),
            ("ffffffffffffff", 0xff_ffff_ffff_ffff, true),
            ("ffffffffffffff", 0xff_ffff_ffff_fffe, false),
        ] {
            let threshold = Threshold::parse(digits.as_bytes()).unwrap();
            assert_eq!(
                threshold.keeps(randomness),
                expected,
                "{digits} {randomness:x}"
            );
        }
    }
}
