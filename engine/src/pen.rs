//! Lines, and the pen that writes them into memory that is there already.
//!
//! A vector asks at every piece whether there is room, and keeps its length in memory, so that each piece
//! waits for the one before. A pen asks for the room once and keeps its place in a register, as long as
//! everything that it is handed to is inlined; [`Pen::aside`] is for what is not.

use std::fmt;
use std::io;

/// The widest piece that is copied for a part of it.
const MAX_WIDE: usize = 32;

/// Lines one behind the other, and room for more, which is kept when they are cleared.
#[derive(Default)]
pub struct Lines {
    /// The lines, and behind them bytes that are none.
    bytes: Vec<u8>,
    len: usize,
}

impl Lines {
    /// The lines.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Removes the lines and keeps the memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// A pen that writes at most `max_bytes` behind the lines. What it has written is [taken](Self::take)
    /// afterwards.
    #[inline]
    pub(crate) fn pen(&mut self, max_bytes: usize) -> Pen<'_> {
        let needed = self.len + max_bytes + MAX_WIDE;
        if self.bytes.len() < needed {
            self.bytes.resize(needed.next_power_of_two(), 0);
        }
        Pen {
            room: &mut self.bytes[self.len..],
            at: 0,
        }
    }

    /// Makes the first `num_written` bytes of what a pen has written part of the lines.
    #[inline]
    pub(crate) fn take(&mut self, num_written: usize) {
        self.len += num_written;
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self.as_bytes()).fmt(f)
    }
}

/// Writes behind lines.
pub(crate) struct Pen<'l> {
    room: &'l mut [u8],
    at: usize,
}

impl Pen<'_> {
    /// How many bytes it has written.
    #[inline(always)]
    pub(crate) fn num_written(&self) -> usize {
        self.at
    }

    /// Writes the first `len` bytes of `wide`: a copy of a fixed length is two instructions, one of a varying
    /// length a call. What is copied too much is written over by the next piece.
    ///
    /// # Panics
    /// Where there is no room for `N` bytes.
    #[inline(always)]
    pub(crate) fn put<const N: usize>(&mut self, wide: &[u8; N], len: usize) {
        const { assert!(N <= MAX_WIDE) };
        debug_assert!(len <= N);
        let room = self.room[self.at..].first_chunk_mut::<N>();
        *room.expect("there is room for a line") = *wide;
        self.at += len;
    }

    /// Writes `bytes`, however many there are.
    ///
    /// # Panics
    /// Where there is no room for them.
    #[inline(always)]
    pub(crate) fn put_slice(&mut self, bytes: &[u8]) {
        self.room[self.at..][..bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Writes bytes that are few as a rule, by copies of a fixed length that overlap.
    ///
    /// # Panics
    /// Where there is no room for them.
    #[inline(always)]
    pub(crate) fn put_short(&mut self, bytes: &[u8]) {
        match bytes {
            [] => {}
            [one] => self.put(&[*one], 1),
            [first, .., last] if bytes.len() < 4 => {
                let middle = bytes[bytes.len() / 2];
                self.put(&[*first, middle, *last, *last], bytes.len());
            }
            _ => match bytes.len() {
                4..8 => self.put_overlapping::<4>(bytes),
                8..=24 => self.put_overlapping::<8>(bytes),
                25..=32 => self.put_overlapping::<16>(bytes),
                _ => self.aside(|pen| pen.put_slice(bytes)),
            },
        }
    }

    /// Writes `N` to 3·`N` bytes.
    #[inline(always)]
    fn put_overlapping<const N: usize>(&mut self, bytes: &[u8]) {
        let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
            return;
        };
        let half = (bytes.len() - N) / 2;
        let Some(middle) = bytes[half..].first_chunk::<N>() else {
            return;
        };
        self.put(first, half);
        self.put(middle, bytes.len() - N - half);
        self.put(last, N);
    }

    /// Has something written by `write`, which need not be inlined.
    #[inline(always)]
    pub(crate) fn aside(&mut self, write: impl FnOnce(&mut Pen<'_>)) {
        // A pen of its own, so that this one's place is not looked for in memory from now on.
        let mut pen = Pen {
            room: &mut *self.room,
            at: self.at,
        };
        write(&mut pen);
        self.at = pen.at;
    }

    /// Replaces the first bytes that it has written.
    #[inline(always)]
    pub(crate) fn replace_first<const N: usize>(&mut self, bytes: [u8; N]) {
        debug_assert!(N <= self.at);
        self.room[..N].copy_from_slice(&bytes);
    }

    /// Takes back the last byte, if there is one.
    #[inline]
    pub(crate) fn take_back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }
}

impl io::Write for Pen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `write` writes, as text.
#[cfg(test)]
pub(crate) fn written(write: impl FnOnce(&mut Pen<'_>)) -> String {
    let mut lines = Lines::default();
    let mut pen = lines.pen(4_096);
    write(&mut pen);
    let num_written = pen.num_written();
    lines.take(num_written);
    String::from_utf8(lines.as_bytes().to_vec()).unwrap()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_come_one_behind_the_other(
            before in prop::collection::vec(any::<u8>(), 0..40),
            pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..70), 0..4), 0..20),
        ) {
            let mut lines = Lines::default();
            for pieces in [&vec![(before.clone(), 0)], &pieces] {
                let max_bytes = pieces.iter().map(|(piece, _)| piece.len()).sum();
                let mut pen = lines.pen(max_bytes);
                for (piece, way) in pieces {
                    match (way, piece.first_chunk::<32>()) {
                        (0, _) => pen.put_slice(piece),
                        (1, Some(wide)) => {
                            pen.put(wide, 32);
                            pen.put_short(&piece[32..]);
                        }
                        (2, _) => pen.aside(|pen| pen.put_short(piece)),
                        _ => pen.put_short(piece),
                    }
                }
                let num_written = pen.num_written();
                lines.take(num_written);
            }
            let plain = pieces.iter().flat_map(|(piece, _)| piece);
            let expected: Vec<u8> = before.iter().chain(plain).copied().collect();
            prop_assert_eq!(lines.as_bytes(), expected);
        }
    }

    #[test]
    #[should_panic(expected = "room")]
    fn more_than_was_asked_for_is_refused() {
        let mut lines = Lines::default();
        let mut pen = lines.pen(0);
        for _ in 0..1_000 {
            pen.put(b"12345678", 8);
        }
    }
}
