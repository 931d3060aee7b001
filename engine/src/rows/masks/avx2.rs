//! 32 bytes at a time, on x86-64 machines that have AVX2.

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8, _mm256_sub_epi8,
};

use super::{BLOCK_BYTES, BracketMasks, CsvMasks, JsonMasks, SMALL};

#[inline]
#[target_feature(enable = "avx2,pclmulqdq")]
pub(in super::super) fn quotes(block: &[u8; BLOCK_BYTES]) -> u64 {
    gather(load(block), |half| is(half, b'"'))
}

#[inline]
#[target_feature(enable = "avx2,pclmulqdq")]
pub(in super::super) fn csv(block: &[u8; BLOCK_BYTES]) -> CsvMasks {
    let halves = load(block);
    CsvMasks::of(
        |byte| gather(halves, |half| is(half, byte)),
        |bits| parity(bits),
    )
}

#[inline]
#[target_feature(enable = "avx2,pclmulqdq")]
pub(in super::super) fn json(block: &[u8; BLOCK_BYTES]) -> JsonMasks {
    let halves = load(block);
    let small = small(halves);
    JsonMasks::of(
        |byte| gather(halves, |half| is(half, byte)),
        |first, last| gather(halves, |half| is_in(half, first, last)),
        gather(small, |half| is_in(half, b'a', b'z')),
        |bits| parity(bits),
    )
}

#[inline]
#[target_feature(enable = "avx2,pclmulqdq")]
pub(in super::super) fn brackets(block: &[u8; BLOCK_BYTES]) -> BracketMasks {
    let halves = load(block);
    let small = small(halves);
    BracketMasks::of(
        |byte| gather(halves, |half| is(half, byte)),
        |byte| gather(small, |half| is(half, byte)),
        |bits| parity(bits),
    )
}

#[inline]
#[target_feature(enable = "avx2")]
fn small(halves: [__m256i; 2]) -> [__m256i; 2] {
    halves.map(|half| _mm256_or_si256(half, _mm256_set1_epi8(SMALL.cast_signed())))
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

/// For each bit, whether an odd number of bits is set up to and with it: a product without carries by all ones.
#[inline]
#[target_feature(enable = "pclmulqdq")]
pub(super) fn parity(bits: u64) -> u64 {
    let bits = _mm_set_epi64x(0, bits.cast_signed());
    _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, _mm_set1_epi8(-1))).cast_unsigned()
}
