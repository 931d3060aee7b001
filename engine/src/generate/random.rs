//! The generator's random numbers: SplitMix64, one independent stream a row, the same on every
//! machine.
//!
//! Decisions are taken on integers. Doubles come from 53 random bits by one multiplication, and
//! everything done to them elsewhere is addition, multiplication, division and square root, which
//! IEEE 754 rounds in one way only.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
/// 2014).
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: u64,
}

/// What the state advances by: 2^64 divided by the golden ratio, as the paper has it.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// 2^-53, the distance between neighbouring values of [`Random::unit`].
const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;

impl Random {
    /// The stream that begins at `state`.
    pub(super) const fn new(state: u64) -> Self {
        Self { state }
    }

    /// The stream of one row. It depends on the seed and the row's number alone, so a catalogue is
    /// a prefix of every longer one with its seed.
    pub(super) const fn for_row(seed: u64, row: u64) -> Self {
        Self::new(scramble(scramble(seed.wrapping_add(STEP)) ^ row))
    }

    /// 64 random bits.
    pub(super) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        scramble(self.state)
    }

    /// An integer in `0..bound`. The bias is below `bound` / 2^64.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// An integer in `low..=high`.
    pub(super) fn integer(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// True `parts` times in a million.
    pub(super) fn per_million(&mut self, parts: u64) -> bool {
        self.below(1_000_000) < parts
    }

    /// One of `choices`, each equally often.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// A double in `0.0..1.0`.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * UNIT
    }

    /// A double between `low` and `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A double between `low` and `high` that prefers the middle: the mean of two.
    pub(super) fn around(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.unit() + self.unit()) * 0.5)
    }
}

/// SplitMix64's output function. It is a bijection, so distinct rows begin at distinct states.
const fn scramble(state: u64) -> u64 {
    let mut bits = state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reproduces_the_published_first_values() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
        assert_eq!(random.next(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn stays_inside_its_bounds() {
        let mut random = Random::for_row(1, 2);
        for _ in 0..10_000 {
            assert!(random.below(7) < 7);
            assert!((-3..=3).contains(&random.integer(-3, 3)));
            assert!((0.0..1.0).contains(&random.unit()));
            assert!((2.0..3.0).contains(&random.around(2.0, 3.0)));
        }
    }
}
