//! The bytes of Zstandard frames, shown to the decoder so that small frames are there whole.
//!
//! A decoder that sees a frame from its header to its end, and has room for all that the header says is in it, decodes it
//! straight into that room; otherwise what it decodes goes through a window of its own and is copied out of there
//! (Zstandard's `ZSTD_decompressStream`). The frames of our input sets are that small, and chunks have the room.

use std::io::{self, BufRead, Read};

/// Bytes that are shown at least, unless the input ends with them: what a frame of our input sets takes, and half as much
/// again. One that takes more is decoded all the same.
const MIN_SHOWN_BYTES: usize = crate::frames::CONTENT_BYTES / 4 * 3;
/// Twice that, so that not all that is read is moved to the front.
const BUFFER_BYTES: usize = 2 * MIN_SHOWN_BYTES;

/// An input of frames, of which small ones are shown whole.
pub(super) struct Frames<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of `buffer` was read and is not consumed: `start..end`.
    start: usize,
    end: usize,
    is_at_end: bool,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(input: R) -> Self {
        Frames {
            input,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            is_at_end: false,
        }
    }
}

impl<R: Read> BufRead for Frames<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.end - self.start < MIN_SHOWN_BYTES && !self.is_at_end {
            if self.end == self.buffer.len() {
                self.buffer.copy_within(self.start.., 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.is_at_end = true,
                Ok(more) => self.end += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, num_bytes: usize) {
        self.start += num_bytes;
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let num_read = self.fill_buf()?.read(buffer)?;
        self.consume(num_read);
        Ok(num_read)
    }
}
