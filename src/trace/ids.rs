//! Trace and span ids that cannot be zero.

use core::num::{NonZeroU64, NonZeroU128};

use super::{Text, lower_hex};

/// 128 bits, never zero (W3C §3.2.2.3). A 64-bit B3 id is held with a zero high half (W3C §2.3, left-padding).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(NonZeroU128);

/// 64 bits, never zero (W3C §3.2.2.4, its parent-id; B3's span id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(NonZeroU64);

impl TraceId {
    pub fn new(bits: u128) -> Option<Self> {
        NonZeroU128::new(bits).map(Self)
    }

    /// Reads exactly 32 lower-case digits.
    pub fn from_32_digits(digits: &[u8]) -> Option<Self> {
        (digits.len() == 32)
            .then(|| lower_hex(digits))
            .flatten()
            .and_then(Self::new)
    }

    /// Reads 16 or 32 lower-case digits, as B3 writes them.
    pub fn from_16_or_32_digits(digits: &[u8]) -> Option<Self> {
        matches!(digits.len(), 16 | 32)
            .then(|| lower_hex(digits))
            .flatten()
            .and_then(Self::new)
    }

    pub const fn bits(self) -> u128 {
        self.0.get()
    }

    /// Whether the high half is zero: an id that a 64-bit B3 tracer made.
    pub const fn is_64_bit(self) -> bool {
        self.bits() >> 64 == 0
    }

    /// Whether both name one trace: equal, or one is 64-bit and equals the low half of the other
    /// (W3C §2.3 and B3 both shorten by keeping the right-most 16 digits).
    pub const fn is_same_trace(self, other: Self) -> bool {
        self.bits() == other.bits()
            || ((self.is_64_bit() || other.is_64_bit()) && self.low() == other.low())
    }

    const fn low(self) -> u128 {
        self.bits() & 0xffff_ffff_ffff_ffff
    }

    /// The right-most 56 bits, the randomness that OpenTelemetry's samplers compare
    /// (specification, trace/tracestate-probability-sampling.md, "R").
    pub const fn randomness(self) -> u64 {
        (self.bits() & 0x00ff_ffff_ffff_ffff) as u64
    }

    /// 32 digits.
    pub fn text(self) -> Text {
        Text::new().push_hex(self.bits(), 32)
    }

    /// B3's spelling: 16 digits where the high half is zero, else 32.
    pub fn b3_text(self) -> Text {
        Text::new().push_hex(self.bits(), if self.is_64_bit() { 16 } else { 32 })
    }
}

impl SpanId {
    pub fn new(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }

    /// Reads exactly 16 lower-case digits.
    pub fn from_16_digits(digits: &[u8]) -> Option<Self> {
        (digits.len() == 16)
            .then(|| lower_hex(digits))
            .flatten()
            .and_then(|bits| u64::try_from(bits).ok())
            .and_then(Self::new)
    }

    pub const fn bits(self) -> u64 {
        self.0.get()
    }

    /// 16 digits.
    pub fn text(self) -> Text {
        Text::new().push_hex(self.bits().into(), 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(bits: u128) -> TraceId {
        TraceId::new(bits).unwrap()
    }

    #[test]
    fn a_shortened_id_is_the_same_trace() {
        let full = trace(0x463a_c35c_9f64_13ad_4848_5a39_53bb_6124);
        let short = trace(0x4848_5a39_53bb_6124);
        assert!(full.is_same_trace(short) && short.is_same_trace(full));
        assert!(!full.is_same_trace(trace(0x1_4848_5a39_53bb_6124)));
        assert!(!short.is_same_trace(trace(1)));
    }

    #[test]
    fn zero_is_no_id() {
        assert_eq!(TraceId::from_32_digits(&[b'0'; 32]), None);
        assert_eq!(SpanId::from_16_digits(&[b'0'; 16]), None);
    }

    #[test]
    fn b3_keeps_a_64_bit_id_at_16_digits() {
        assert_eq!(trace(0xabc).b3_text().as_bytes(), b"0000000000000abc");
        assert_eq!(trace(0xabc).text().as_bytes().len(), 32);
    }
}
