//! Digits read as vectors, on x86-64 machines that have AVX2.

use std::arch::x86_64::{
    __m128i, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_madd_epi16, _mm_maddubs_epi16,
    _mm_packus_epi32, _mm_set1_epi8, _mm_set1_epi16, _mm_set1_epi32, _mm_shuffle_epi8,
    _mm_sub_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_set1_epi8, _mm256_sub_epi8,
};

use super::{Digits, LAST_DIGITS, WIDE_BYTES};

/// A machine that has AVX2. There is a value of it only where the machine was found to have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// This machine, if it has AVX2.
    pub(crate) fn here() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Avx2(()))
    }
}

#[allow(
    unsafe_code,
    reason = "vector instructions, where the machine has them"
)]
impl Digits for Avx2 {
    #[inline(always)]
    fn others(self, wide: &[u8; WIDE_BYTES]) -> u32 {
        // SAFETY: the function is safe but for its instructions, which the machine has, as there is an `Avx2`.
        unsafe { others(wide) }
    }

    #[inline(always)]
    fn whole(self, bytes: &[u8; LAST_DIGITS], num: usize) -> u64 {
        // SAFETY: as above.
        unsafe { whole(bytes, num) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn others(wide: &[u8; WIDE_BYTES]) -> u32 {
    // SAFETY: the bytes are the 32 that are loaded, and this load wants no alignment.
    #[allow(unsafe_code, reason = "there is no load without a pointer")]
    let bytes = unsafe { _mm256_loadu_si256(wide.as_ptr().cast()) };
    let digits = _mm256_sub_epi8(bytes, _mm256_set1_epi8(b'0'.cast_signed()));
    let are_digits = _mm256_cmpeq_epi8(_mm256_min_epu8(digits, _mm256_set1_epi8(9)), digits);
    !_mm256_movemask_epi8(are_digits).cast_unsigned()
}

#[inline]
#[target_feature(enable = "avx2")]
fn whole(bytes: &[u8; LAST_DIGITS], num: usize) -> u64 {
    /// From where sixteen of them begin, behind as many as there are digits: the places that the digits move from,
    /// so that they are the last ones, behind zeros.
    const PLACES: [u8; 2 * LAST_DIGITS] = {
        let mut places = [0x80; 2 * LAST_DIGITS];
        let mut place = 0;
        while place < LAST_DIGITS {
            places[LAST_DIGITS + place] = place as u8;
            place += 1;
        }
        places
    };
    let places = PLACES[num.min(LAST_DIGITS)..].first_chunk();
    let places = load(places.expect("as many places are left as there are digits"));
    let digits = _mm_sub_epi8(load(bytes), _mm_set1_epi8(b'0'.cast_signed()));
    let digits = _mm_shuffle_epi8(digits, places);
    // Neighbours are joined to numbers of two, four and eight digits.
    let pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(1 << 8 | 10));
    let quads = _mm_madd_epi16(pairs, _mm_set1_epi32(1 << 16 | 100));
    let quads = _mm_packus_epi32(quads, quads);
    let halves = _mm_madd_epi16(quads, _mm_set1_epi32(1 << 16 | 10_000));
    let halves = _mm_cvtsi128_si64(halves).cast_unsigned();
    (halves & u64::from(u32::MAX)) * 100_000_000 + (halves >> 32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; LAST_DIGITS]) -> __m128i {
    // SAFETY: the bytes are the 16 that are loaded, and this load wants no alignment.
    #[allow(unsafe_code, reason = "there is no load without a pointer")]
    unsafe {
        _mm_loadu_si128(bytes.as_ptr().cast())
    }
}
