//! 64 bytes at a time, on x86-64 machines that have AVX-512.

use std::arch::x86_64::{
    __m128i, __m512i, _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask,
    _mm512_cmple_epu8_mask, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32, _mm512_loadu_si512,
    _mm512_maskz_compress_epi8, _mm512_or_si512, _mm512_set1_epi8, _mm512_set1_epi32,
    _mm512_storeu_si512, _mm512_sub_epi8,
};

use super::avx2::parity;
use super::{BLOCK_BYTES, BracketMasks, CsvMasks, JsonMasks, SMALL};

#[inline]
#[target_feature(enable = "avx512bw")]
pub(in super::super) fn quotes(block: &[u8; BLOCK_BYTES]) -> u64 {
    is(load(block), b'"')
}

#[inline]
#[target_feature(enable = "avx512bw,pclmulqdq")]
pub(in super::super) fn csv(block: &[u8; BLOCK_BYTES]) -> CsvMasks {
    let block = load(block);
    CsvMasks::of(|byte| is(block, byte), |bits| parity(bits))
}

#[inline]
#[target_feature(enable = "avx512bw,pclmulqdq")]
pub(in super::super) fn json(block: &[u8; BLOCK_BYTES]) -> JsonMasks {
    let block = load(block);
    let small = small(block);
    JsonMasks::of(
        |byte| is(block, byte),
        |first, last| is_in(block, first, last),
        is_in(small, b'a', b'z'),
        |bits| parity(bits),
    )
}

#[inline]
#[target_feature(enable = "avx512bw,pclmulqdq")]
pub(in super::super) fn brackets(block: &[u8; BLOCK_BYTES]) -> BracketMasks {
    let block = load(block);
    let small = small(block);
    BracketMasks::of(
        |byte| is(block, byte),
        |byte| is(small, byte),
        |bits| parity(bits),
    )
}

/// Writes the positions of the bits that are set, the lowest bit's being `at`; what stands behind them is nothing
/// to go by.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
pub(in super::super) fn positions(bits: u64, at: u32, to: &mut [u32; BLOCK_BYTES]) {
    const PLACES: [u8; BLOCK_BYTES] = {
        let mut places = [0; BLOCK_BYTES];
        let mut place = 0;
        while place < BLOCK_BYTES {
            places[place] = place as u8;
            place += 1;
        }
        places
    };
    let packed = _mm512_maskz_compress_epi8(bits, load(&PLACES));
    let at = _mm512_set1_epi32(at.cast_signed());
    let (quarters, _) = to.as_chunks_mut::<16>();
    store(&mut quarters[0], at, _mm512_castsi512_si128(packed));
    store(&mut quarters[1], at, _mm512_extracti32x4_epi32::<1>(packed));
    if bits.count_ones() > 32 {
        store(&mut quarters[2], at, _mm512_extracti32x4_epi32::<2>(packed));
        store(&mut quarters[3], at, _mm512_extracti32x4_epi32::<3>(packed));
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(to: &mut [u32; 16], at: __m512i, places: __m128i) {
    let positions = _mm512_add_epi32(_mm512_cvtepu8_epi32(places), at);
    // SAFETY: the sixteen numbers are the 64 bytes that are written, and this store wants no alignment.
    #[allow(unsafe_code, reason = "there is no store without a pointer")]
    unsafe {
        _mm512_storeu_si512(to.as_mut_ptr().cast(), positions);
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(block: &[u8; BLOCK_BYTES]) -> __m512i {
    // SAFETY: the block is of the 64 bytes that are loaded, and this load wants no alignment.
    #[allow(unsafe_code, reason = "there is no load without a pointer")]
    unsafe {
        _mm512_loadu_si512(block.as_ptr().cast())
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn small(block: __m512i) -> __m512i {
    _mm512_or_si512(block, _mm512_set1_epi8(SMALL.cast_signed()))
}

/// The bytes that are `byte`.
#[inline]
#[target_feature(enable = "avx512bw")]
fn is(block: __m512i, byte: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(byte.cast_signed()))
}

/// The bytes from `first` to `last`.
#[inline]
#[target_feature(enable = "avx512bw")]
fn is_in(block: __m512i, first: u8, last: u8) -> u64 {
    let offset = _mm512_sub_epi8(block, _mm512_set1_epi8(first.cast_signed()));
    _mm512_cmple_epu8_mask(offset, _mm512_set1_epi8((last - first).cast_signed()))
}
