//! What kinds of bytes a block of 64 has, a bit for each byte.
//!
//! The first byte's bit is the lowest. One block is classified by a handful of vector instructions where the
//! machine has AVX2 or AVX-512, and eight bytes at a time in 64-bit words everywhere else; the tests hold them
//! against each other. Which it is, the `machine` module finds out.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
pub(super) mod portable;

/// Bytes that are classified at once.
pub(super) const BLOCK_BYTES: usize = 64;

/// The bytes that structure CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CsvMasks {
    pub(super) commas: u64,
    pub(super) line_ends: u64,
    pub(super) quotes: u64,
    /// The [parity] of the quotes.
    pub(super) parity: u64,
}

impl CsvMasks {
    /// The masks of a block of which `is` says where a byte stands. Inlined, so that it is compiled for the machine
    /// that its caller is compiled for.
    #[inline(always)]
    fn of(is: impl Fn(u8) -> u64, parity: impl Fn(u64) -> u64) -> Self {
        let quotes = is(b'"');
        CsvMasks {
            commas: is(b','),
            line_ends: is(b'\n'),
            quotes,
            parity: parity(quotes),
        }
    }
}

/// The bytes that structure rows of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JsonMasks {
    pub(super) commas: u64,
    pub(super) opening: u64,
    pub(super) closing: u64,
    pub(super) quotes: u64,
    /// The [parity] of the quotes.
    pub(super) parity: u64,
    pub(super) backslashes: u64,
    /// Letters, digits, signs and points: what numbers and `null` are made of. Commas may be among them.
    pub(super) words: u64,
}

impl JsonMasks {
    /// Like [`CsvMasks::of`]; `is_in` says where bytes from one to another stand, and `letters` where letters do.
    #[inline(always)]
    fn of(
        is: impl Fn(u8) -> u64,
        is_in: impl Fn(u8, u8) -> u64,
        letters: u64,
        parity: impl Fn(u64) -> u64,
    ) -> Self {
        let quotes = is(b'"');
        JsonMasks {
            commas: is(b','),
            opening: is(b'['),
            closing: is(b']'),
            quotes,
            parity: parity(quotes),
            backslashes: is(b'\\'),
            words: letters | is_in(b'0', b'9') | is_in(b'+', b'.'),
        }
    }
}

/// The bytes that tell where rows of JSON end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BracketMasks {
    /// Brackets and braces.
    pub(super) opening: u64,
    pub(super) closing: u64,
    /// The [parity] of the quotes.
    pub(super) parity: u64,
    pub(super) backslashes: u64,
}

impl BracketMasks {
    /// Like [`CsvMasks::of`]; `is_small` says where a byte stands once the bit is set by which braces differ from
    /// brackets.
    #[inline(always)]
    fn of(
        is: impl Fn(u8) -> u64,
        is_small: impl Fn(u8) -> u64,
        parity: impl Fn(u64) -> u64,
    ) -> Self {
        BracketMasks {
            opening: is_small(b'{'),
            closing: is_small(b'}'),
            parity: parity(is(b'"')),
            backslashes: is(b'\\'),
        }
    }
}

/// The bit by which small letters differ from large ones, and braces from brackets.
const SMALL: u8 = 0x20;

/// For each bit, whether an odd number of bits is set up to and with it.
#[inline(always)]
pub(super) fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rows::machine::Machine;

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
            parity: parity(mask(block, |byte| byte == b'"')),
        }
    }

    fn json(block: &[u8; BLOCK_BYTES]) -> JsonMasks {
        JsonMasks {
            commas: mask(block, |byte| byte == b','),
            opening: mask(block, |byte| byte == b'['),
            closing: mask(block, |byte| byte == b']'),
            quotes: mask(block, |byte| byte == b'"'),
            parity: parity(mask(block, |byte| byte == b'"')),
            backslashes: mask(block, |byte| byte == b'\\'),
            words: mask(block, |byte| {
                byte.is_ascii_alphanumeric() || b"+,-.".contains(&byte)
            }),
        }
    }

    fn brackets(block: &[u8; BLOCK_BYTES]) -> BracketMasks {
        BracketMasks {
            opening: mask(block, |byte| matches!(byte, b'[' | b'{')),
            closing: mask(block, |byte| matches!(byte, b']' | b'}')),
            parity: parity(mask(block, |byte| byte == b'"')),
            backslashes: mask(block, |byte| byte == b'\\'),
        }
    }

    fn check(block: &[u8; BLOCK_BYTES]) {
        for machine in Machine::all() {
            // SAFETY: a machine is only among those that there are where it has the instructions.
            #[allow(
                unsafe_code,
                reason = "calls what needs vector instructions where they are there"
            )]
            let found = match machine {
                #[cfg(target_arch = "x86_64")]
                Machine::Avx512 => unsafe {
                    (
                        avx512::quotes(block),
                        avx512::csv(block),
                        avx512::json(block),
                        avx512::brackets(block),
                    )
                },
                #[cfg(target_arch = "x86_64")]
                Machine::Avx2 => unsafe {
                    (
                        avx2::quotes(block),
                        avx2::csv(block),
                        avx2::json(block),
                        avx2::brackets(block),
                    )
                },
                Machine::Any => (
                    portable::quotes(block),
                    portable::csv(block),
                    portable::json(block),
                    portable::brackets(block),
                ),
            };
            let expected = (csv(block).quotes, csv(block), json(block), brackets(block));
            assert_eq!(found, expected, "{machine:?}");
        }
    }

    fn check_positions(bits: u64) {
        let expected: Vec<u32> = (0..64)
            .filter(|bit| bits >> bit & 1 == 1)
            .map(|bit| bit + 1_000)
            .collect();
        for machine in Machine::all() {
            let mut found = [0; BLOCK_BYTES];
            // SAFETY: as above.
            #[allow(
                unsafe_code,
                reason = "calls what needs vector instructions where they are there"
            )]
            match machine {
                #[cfg(target_arch = "x86_64")]
                Machine::Avx512 => unsafe { avx512::positions(bits, 1_000, &mut found) },
                _ => portable::positions(bits, 1_000, &mut found),
            }
            assert_eq!(found[..expected.len()], expected, "{machine:?}");
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

    #[test]
    fn all_bits_or_none_have_their_positions() {
        for bits in [0, 1, u64::MAX, 1 << 63, 0xffff_ffff, 0x1_ffff_ffff] {
            check_positions(bits);
        }
    }

    proptest! {
        #[test]
        fn every_bit_has_its_position(bits in any::<u64>(), others in any::<u64>()) {
            check_positions(bits);
            check_positions(bits & others);
        }

        #[test]
        fn any_block_is_classified_as_the_plain_reference_does(block in any::<[[u8; 32]; 2]>()) {
            let block: [u8; BLOCK_BYTES] = block.concat().try_into().unwrap();
            check(&block);
        }
    }
}
