//! Random numbers whose sequence never changes: no crate's update may change the pictures of a seed.

use super::arithmetic::{TURN, sin_cos};

/// SplitMix64.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The sequence of picture `index` of `seed`: neighbours share nothing.
    pub(super) fn of(seed: u64, index: u64) -> Self {
        let mut start = Self(seed);
        let seeded = start.bits();
        let mut start = Self(seeded ^ index.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        Self(start.bits())
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// From 0 up to, not including, 1.
    pub(super) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// From 0 up to, not including, `count`.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        ((u64::from(count) * (self.bits() >> 32)) >> 32) as u32
    }

    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Sine and cosine of a random angle.
    pub(super) fn direction(&mut self) -> (f32, f32) {
        sin_cos(self.between(0.0, TURN))
    }

    pub(super) fn colour(&mut self) -> [f32; 3] {
        [self.unit(), self.unit(), self.unit()]
    }

    /// Nearly normal, mean 0, deviation 1: the sum of four uniform numbers.
    pub(super) fn normal(&mut self) -> f32 {
        let bits = self.bits();
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xFFFF).sum();
        (sum as f32 / 65536.0 - 2.0) * 1.732_050_8
    }
}
