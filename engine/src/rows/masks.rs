//! What kinds of bytes a block of 64 has, a bit for each byte.
//!
//! The first byte's bit is the lowest. One block is classified by a handful of vector instructions where the
//! machine has AVX2, and eight bytes at a time in 64-bit words everywhere else; the tests hold the two against
//! each other. Finding out which it is, and calling it, is left to the index.

/// Bytes that are classified at once.
pub(super) const BLOCK_BYTES: usize = 64;

/// What bytes are classified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    /// AVX2 and its contemporaries.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Nothing that not every machine has.
    Any,
    /// Nothing at all: the index stays empty, and every row is left to the plain readers.
    #[cfg(test)]
    None,
}

impl Machine {
    /// What this machine has.
    pub(super) fn here() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
        {
            return Machine::Avx2;
        }
        Machine::Any
    }
}

/// The bytes that structure CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CsvMasks {
    pub(super) commas: u64,
    pub(super) line_ends: u64,
    pub(super) quotes: u64,
}

/// The bytes that structure rows of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JsonMasks {
    pub(super) commas: u64,
    pub(super) opening: u64,
    pub(super) closing: u64,
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// Letters, digits, signs and points: what numbers and `null` are made of. Commas may be among them.
    pub(super) words: u64,
}

/// For each bit, whether an odd number of bits is set up to and with it.
#[inline(always)]
pub(super) fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Eight bytes at a time, on any machine.
pub(super) mod portable {
    use super::{BLOCK_BYTES, CsvMasks, JsonMasks};

    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW_BITS: u64 = 0x7f * ONES;
    const HIGH_BITS: u64 = 0x80 * ONES;

    #[inline]
    pub(in super::super) fn quotes(block: &[u8; BLOCK_BYTES]) -> u64 {
        gather(block, |word| is(word, b'"'))
    }

    #[inline]
    pub(in super::super) fn csv(block: &[u8; BLOCK_BYTES]) -> CsvMasks {
        CsvMasks {
            commas: gather(block, |word| is(word, b',')),
            line_ends: gather(block, |word| is(word, b'\n')),
            quotes: gather(block, |word| is(word, b'"')),
        }
    }

    #[inline]
    pub(in super::super) fn json(block: &[u8; BLOCK_BYTES]) -> JsonMasks {
        let is_word = |word| {
            let letter = word | (0x20 * ONES);
            is_in(letter, b'a', b'z') | is_in(word, b'0', b'9') | is_in(word, b'+', b'.')
        };
        JsonMasks {
            commas: gather(block, |word| is(word, b',')),
            opening: gather(block, |word| is(word, b'[')),
            closing: gather(block, |word| is(word, b']')),
            quotes: gather(block, |word| is(word, b'"')),
            backslashes: gather(block, |word| is(word, b'\\')),
            words: gather(block, is_word),
        }
    }

    /// Collects the high bits of the bytes that `classify` leaves of each word.
    #[inline]
    fn gather(block: &[u8; BLOCK_BYTES], classify: impl Fn(u64) -> u64) -> u64 {
        let (words, _) = block.as_chunks::<8>();
        let mut mask = 0;
        for (index, word) in words.iter().enumerate() {
            let high_bits = classify(u64::from_le_bytes(*word)) & HIGH_BITS;
            let bits = (high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            mask |= bits << (8 * index);
        }
        mask
    }

    /// The high bit of each byte that is `byte`.
    #[inline]
    fn is(word: u64, byte: u8) -> u64 {
        let different = word ^ (u64::from(byte) * ONES);
        !(((different & LOW_BITS) + LOW_BITS) | different)
    }

    /// The high bit of each byte from `first` to `last`, which are ASCII.
    #[inline]
    fn is_in(word: u64, first: u8, last: u8) -> u64 {
        let low = word & LOW_BITS;
        let from_first = low + u64::from(0x80 - first) * ONES;
        let behind_last = low + u64::from(0x7f - last) * ONES;
        from_first & !behind_last & !word
    }
}

/// 32 bytes at a time, on x86-64 machines that have AVX2.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8, _mm256_sub_epi8,
    };

    use super::{BLOCK_BYTES, CsvMasks, JsonMasks};

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn quotes(block: &[u8; BLOCK_BYTES]) -> u64 {
        gather(load(block), |half| is(half, b'"'))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn csv(block: &[u8; BLOCK_BYTES]) -> CsvMasks {
        let halves = load(block);
        CsvMasks {
            commas: gather(halves, |half| is(half, b',')),
            line_ends: gather(halves, |half| is(half, b'\n')),
            quotes: gather(halves, |half| is(half, b'"')),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn json(block: &[u8; BLOCK_BYTES]) -> JsonMasks {
        let halves = load(block);
        let is_word = |half| {
            let letter = _mm256_or_si256(half, _mm256_set1_epi8(0x20));
            let word = _mm256_or_si256(is_in(letter, b'a', b'z'), is_in(half, b'0', b'9'));
            _mm256_or_si256(word, is_in(half, b'+', b'.'))
        };
        JsonMasks {
            commas: gather(halves, |half| is(half, b',')),
            opening: gather(halves, |half| is(half, b'[')),
            closing: gather(halves, |half| is(half, b']')),
            quotes: gather(halves, |half| is(half, b'"')),
            backslashes: gather(halves, |half| is(half, b'\\')),
            words: gather(halves, is_word),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(block: &[u8; BLOCK_BYTES]) -> [__m256i; 2] {
        let halves: *const __m256i = block.as_ptr().cast();
        // SAFETY: the block's 64 bytes are two halves of 32, and these loads want no alignment. (Without a
        // pointer the halves are put together from words, which takes three times as many instructions.)
        #[allow(unsafe_code, reason = "there is no load without a pointer")]
        unsafe {
            [
                _mm256_loadu_si256(halves),
                _mm256_loadu_si256(halves.add(1)),
            ]
        }
    }

    /// Collects the high bits of the bytes that `classify` makes of each half.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn gather(halves: [__m256i; 2], classify: impl Fn(__m256i) -> __m256i) -> u64 {
        let [low, high] =
            halves.map(|half| u64::from(_mm256_movemask_epi8(classify(half)).cast_unsigned()));
        low | (high << 32)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn is(half: __m256i, byte: u8) -> __m256i {
        _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte.cast_signed()))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn is_in(half: __m256i, first: u8, last: u8) -> __m256i {
        let offset = _mm256_sub_epi8(half, _mm256_set1_epi8(first.cast_signed()));
        let limit = _mm256_set1_epi8((last - first).cast_signed());
        _mm256_cmpeq_epi8(_mm256_min_epu8(offset, limit), offset)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The plain reference: byte by byte.
    fn mask(block: &[u8; BLOCK_BYTES], is_one: impl Fn(u8) -> bool) -> u64 {
        let bits = block.iter().enumerate();
        bits.map(|(index, byte)| u64::from(is_one(*byte)) << index)
            .sum()
    }

    fn csv(block: &[u8; BLOCK_BYTES]) -> CsvMasks {
        CsvMasks {
            commas: mask(block, |byte| byte == b','),
            line_ends: mask(block, |byte| byte == b'\n'),
            quotes: mask(block, |byte| byte == b'"'),
        }
    }

    fn json(block: &[u8; BLOCK_BYTES]) -> JsonMasks {
        JsonMasks {
            commas: mask(block, |byte| byte == b','),
            opening: mask(block, |byte| byte == b'['),
            closing: mask(block, |byte| byte == b']'),
            quotes: mask(block, |byte| byte == b'"'),
            backslashes: mask(block, |byte| byte == b'\\'),
            words: mask(block, |byte| {
                byte.is_ascii_alphanumeric() || b"+,-.".contains(&byte)
            }),
        }
    }

    fn check(block: &[u8; BLOCK_BYTES]) {
        assert_eq!(portable::quotes(block), csv(block).quotes);
        assert_eq!(portable::csv(block), csv(block));
        assert_eq!(portable::json(block), json(block));
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has AVX2, as the line above has found out.
            #[allow(unsafe_code, reason = "calls what needs AVX2 where it is there")]
            let (quotes, found_csv, found_json) =
                unsafe { (avx2::quotes(block), avx2::csv(block), avx2::json(block)) };
            assert_eq!(quotes, csv(block).quotes);
            assert_eq!(found_csv, csv(block));
            assert_eq!(found_json, json(block));
        }
    }

    #[test]
    fn every_byte_is_classified_in_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK_BYTES {
                let mut block = [b' '; BLOCK_BYTES];
                block[place] = byte;
                check(&block);
            }
        }
    }

    #[test]
    fn parity_counts_up_to_each_bit() {
        assert_eq!(parity(0b1000_1010), !0 << 7 | 0b0000_0110);
        assert_eq!(parity(0), 0);
    }

    proptest! {
        #[test]
        fn any_block_is_classified_as_the_plain_reference_does(block in any::<[[u8; 32]; 2]>()) {
            let block: [u8; BLOCK_BYTES] = block.concat().try_into().unwrap();
            check(&block);
        }
    }
}
