//! Where rows of JSON end, by brackets and quotes alone: what cutting a document needs, 64 bytes at a time.

use super::machine::Machine;
use super::masks::{BLOCK_BYTES, BracketMasks, portable};
#[cfg(target_arch = "x86_64")]
use super::masks::{avx2, avx512};

/// The position behind the last row end that is reached from the beginning of `bytes`, where there is no row, up to
/// the first byte that takes more to understand: a backslash, or a bracket within another one or without one.
pub(super) fn last_row_end(bytes: &[u8]) -> Option<usize> {
    last_row_end_on(Machine::here(), bytes)
}

fn last_row_end_on(machine: Machine, bytes: &[u8]) -> Option<usize> {
    // SAFETY: as in `Index::fill`.
    #[allow(
        unsafe_code,
        reason = "vector instructions, chosen where the machine has them"
    )]
    match machine {
        #[cfg(target_arch = "x86_64")]
        Machine::Avx512 => unsafe { last_row_end_avx512(bytes) },
        #[cfg(target_arch = "x86_64")]
        Machine::Avx2 => unsafe { last_row_end_avx2(bytes) },
        Machine::Any => last_row_end_by(bytes, portable::brackets),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
fn last_row_end_avx2(bytes: &[u8]) -> Option<usize> {
    last_row_end_by(bytes, |block| avx2::brackets(block))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
fn last_row_end_avx512(bytes: &[u8]) -> Option<usize> {
    last_row_end_by(bytes, |block| avx512::brackets(block))
}

/// Inlined, so that it is compiled for the machine that its caller is compiled for.
#[inline(always)]
fn last_row_end_by(
    bytes: &[u8],
    classify: impl Fn(&[u8; BLOCK_BYTES]) -> BracketMasks,
) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    let mut scan = Scan::default();
    let mut last = None;
    let mut at = 0;
    for block in blocks {
        let (row_ends, irregular) = scan.step(classify(block));
        last = last_of(row_ends, irregular).map_or(last, |end| Some(at + end));
        if irregular != 0 {
            return last;
        }
        at += BLOCK_BYTES;
    }
    let mut block = [0; BLOCK_BYTES];
    block[..rest.len()].copy_from_slice(rest);
    let (row_ends, irregular) = scan.step(classify(&block));
    last_of(row_ends, irregular).map_or(last, |end| Some(at + end))
}

/// The place behind the last row end before anything irregular.
#[inline(always)]
fn last_of(row_ends: u64, irregular: u64) -> Option<usize> {
    let regular = !irregular & irregular.wrapping_sub(1);
    let last = (row_ends & regular).checked_ilog2()?;
    Some(last as usize + 1)
}

/// Carries between blocks.
#[derive(Default)]
struct Scan {
    /// All bits where the block before ends in a string, or none.
    in_string: u64,
    /// One where it ends in a row, or zero.
    in_row: u64,
}

impl Scan {
    /// Where rows end in a block, and what is irregular. From the lowest bit of that on, nothing is known.
    #[inline(always)]
    fn step(&mut self, masks: BracketMasks) -> (u64, u64) {
        let in_string = masks.parity ^ self.in_string;
        self.in_string = (in_string.cast_signed() >> 63).cast_unsigned();
        let opening = masks.opening & !in_string;
        let closing = masks.closing & !in_string;
        // Subtracting borrows from each closing bracket down to its opening one: those bits are set that are
        // in a row, and that there is something to borrow is carried on.
        let in_row = closing.wrapping_sub(opening).wrapping_sub(self.in_row);
        self.in_row = in_row >> 63;
        let irregular = masks.backslashes | (opening & !in_row) | (closing & in_row);
        (closing, irregular)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, byte by byte.
    fn plain(bytes: &[u8]) -> Option<usize> {
        let (mut in_string, mut in_row, mut last) = (false, false, None);
        for (byte, at) in bytes.iter().zip(1..) {
            match byte {
                b'\\' => return last,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'[' | b'{' if !in_row => in_row = true,
                b']' | b'}' if in_row => (in_row, last) = (false, Some(at)),
                b'[' | b'{' | b']' | b'}' => return last,
                _ => {}
            }
        }
        last
    }

    proptest! {
        #[test]
        fn the_last_row_end_is_the_plain_references(
            pieces in prop::collection::vec(
                prop_oneof![
                    20 => Just(r#"[1,"a]b",null,"[{"],"#.to_owned()),
                    8 => "[a-z0-9, ]{0,80}",
                    2 => r#"[\[\]{}",]{1,3}"#,
                    1 => Just(r"\".to_owned()),
                ],
                0..60,
            )
        ) {
            let text = pieces.concat();
            for machine in Machine::all() {
                prop_assert_eq!(last_row_end_on(machine, text.as_bytes()), plain(text.as_bytes()), "{:?}", machine);
            }
        }
    }
}
