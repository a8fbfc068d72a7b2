//! Random choices that can be made again: `SEED=… cargo test --test e2e`.

use anyhow::{Context, Result};

const SEED: u64 = 0x7468_726f_7567_686c;

/// The seed of this run: the same every time, unless the environment has another.
pub fn seed() -> Result<u64> {
    match std::env::var("SEED") {
        Ok(text) => text.parse().with_context(|| format!("SEED={text}")),
        Err(_) => Ok(SEED),
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The choices for one request of a run, whoever sends it.
    pub fn of(seed: u64, request: usize) -> Self {
        let mut random = Self(seed ^ (request as u64).wrapping_mul(0x2545_f491_4f6c_dd1d));
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `bound` - 1.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub fn bytes(&mut self, length: usize, mut byte: impl FnMut(&mut Self) -> u8) -> Vec<u8> {
        (0..length).map(|_| byte(self)).collect()
    }

    pub fn hex(&mut self, digits: usize) -> String {
        let digit = |random: &mut Self| b"0123456789abcdef"[random.below(16)];
        String::from_utf8_lossy(&self.bytes(digits, digit)).into_owned()
    }
}
