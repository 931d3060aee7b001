//! Zstandard in frames that stand alone: several are decoded side by side, ahead of the reader.
//!
//! A frame is taken whole where its header says how much it holds and that is not much, as in our own input
//! sets: its end is found by its block headers, without decoding it. From the first frame on that is another,
//! the input is decoded as one stream, which is one thread's work.
//!
//! The bound: one frame more than the machine has cores, each with at most [`MAX_CONTENT_BYTES`] of content.

use std::collections::VecDeque;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};

/// The most content of a frame that is decoded whole: twice that of our own input sets.
const MAX_CONTENT_BYTES: u64 = 8 << 20;

/// The most bytes that a block takes (RFC 8878, 3.1.1.2.4).
const MAX_BLOCK_BYTES: usize = 128 << 10;

/// What was read of an input that goes on as a stream, and the rest of it.
type Rest<R> = Chain<Cursor<Vec<u8>>, R>;

/// A frame on its way: as it was read, and what it holds.
#[derive(Default)]
struct Frame {
    compressed: Vec<u8>,
    content: Vec<u8>,
}

/// The content of an input of Zstandard frames.
pub(super) struct Frames<R: Read> {
    /// The frames that are still to be read; `None` at their end.
    input: Option<R>,
    /// Frames being decoded, in order.
    ahead: VecDeque<JoinHandle<io::Result<Frame>>>,
    max_ahead: usize,
    spare: Vec<Frame>,
    current: Frame,
    /// How much of the current frame's content was handed out.
    num_read: usize,
    /// What ended the reading ahead; it is told behind the frames before it.
    failure: Option<io::Error>,
    stream: Option<zstd::Decoder<'static, BufReader<Rest<R>>>>,
}

/// What stands at an input's next bytes.
enum Next {
    Frame,
    Skippable,
    /// Bytes that only a stream decoder can tell anything of.
    Stream,
    End,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(input: R) -> Self {
        let num_cores = thread::available_parallelism().map_or(1, usize::from);
        Frames {
            input: Some(input),
            ahead: VecDeque::new(),
            max_ahead: num_cores + 1,
            spare: Vec::new(),
            current: Frame::default(),
            num_read: 0,
            failure: None,
            stream: None,
        }
    }

    /// Reads frames, as many as may be decoded at once, and has them decoded.
    fn look_ahead(&mut self) {
        while self.ahead.len() < self.max_ahead
            && let Some(input) = &mut self.input
        {
            let mut frame = self.spare.pop().unwrap_or_default();
            frame.compressed.clear();
            match read_frame(input, &mut frame.compressed) {
                Ok(Next::Frame) => self.ahead.push_back(thread::spawn(move || decode(frame))),
                Ok(Next::Skippable) => self.spare.push(frame),
                Ok(Next::End) => self.input = None,
                Ok(Next::Stream) => {
                    let rest = self.input.take().map(|rest| {
                        let read = Cursor::new(std::mem::take(&mut frame.compressed));
                        zstd::Decoder::new(read.chain(rest))
                    });
                    match rest.transpose() {
                        Ok(stream) => self.stream = stream,
                        Err(error) => self.failure = Some(error),
                    }
                }
                Err(error) => {
                    self.input = None;
                    self.failure = Some(error);
                }
            }
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = &self.current.content[self.num_read..];
            if !left.is_empty() || buffer.is_empty() {
                let num_copied = left.len().min(buffer.len());
                buffer[..num_copied].copy_from_slice(&left[..num_copied]);
                self.num_read += num_copied;
                return Ok(num_copied);
            }
            self.look_ahead();
            if let Some(decoding) = self.ahead.pop_front() {
                let decoded = decoding.join().unwrap_or_else(|panic| resume_unwind(panic));
                let passed = std::mem::replace(&mut self.current, decoded?);
                self.spare.push(passed);
                self.num_read = 0;
                continue;
            }
            return match (self.failure.take(), &mut self.stream) {
                (Some(error), _) => Err(error),
                (None, Some(stream)) => stream.read(buffer),
                (None, None) => Ok(0),
            };
        }
    }
}

/// Decodes a frame, whose header tells the size of its content.
fn decode(mut frame: Frame) -> io::Result<Frame> {
    let size = zstd::zstd_safe::get_frame_content_size(&frame.compressed);
    let size = size.ok().flatten().unwrap_or_default();
    frame.content.clear();
    // Bounded by `MAX_CONTENT_BYTES`.
    frame.content.reserve(size as usize);
    zstd::bulk::Decompressor::new()?.decompress_to_buffer(&frame.compressed, &mut frame.content)?;
    Ok(frame)
}

/// Appends the next frame of `input` to `frame`, or as much of it as shows what it is. The magic numbers are
/// those of RFC 8878, 3.1.1 and 3.1.2.
fn read_frame(input: &mut impl Read, frame: &mut Vec<u8>) -> io::Result<Next> {
    input.take(4).read_to_end(frame)?;
    match frame[..] {
        [] => return Ok(Next::End),
        [0x28, 0xb5, 0x2f, 0xfd] => {}
        [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            let length = append(input, frame, 4)?;
            let length = u64::from(u32::from_le_bytes([
                length[0], length[1], length[2], length[3],
            ]));
            let num_skipped = io::copy(&mut input.take(length), &mut io::sink())?;
            return match num_skipped == length {
                true => Ok(Next::Skippable),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
        _ => return Ok(Next::Stream),
    }
    let descriptor = append(input, frame, 1)?[0];
    let header = FrameHeader::of(descriptor);
    append(input, frame, header.num_bytes)?;
    match zstd::zstd_safe::get_frame_content_size(frame) {
        Ok(Some(size)) if size <= MAX_CONTENT_BYTES => {}
        _ => return Ok(Next::Stream),
    }
    loop {
        let block = append(input, frame, 3)?;
        let block = u32::from_le_bytes([block[0], block[1], block[2], 0]);
        // A block's kind is in two bits: repeated bytes take one, whatever the size, and the fourth kind is
        // none (RFC 8878, 3.1.1.2).
        let size = block as usize >> 3;
        let size = match block >> 1 & 3 {
            1 => 1,
            0 | 2 if size <= MAX_BLOCK_BYTES => size,
            _ => return Ok(Next::Stream),
        };
        append(input, frame, size)?;
        if block & 1 == 1 {
            append(input, frame, header.num_checksum_bytes)?;
            return Ok(Next::Frame);
        }
        if frame.len() as u64 > 2 * MAX_CONTENT_BYTES {
            // It does not compress: whatever it is, it is not ours.
            return Ok(Next::Stream);
        }
    }
}

/// What a frame header's first byte tells (RFC 8878, 3.1.1.1).
struct FrameHeader {
    /// Bytes of the header that follow.
    num_bytes: usize,
    num_checksum_bytes: usize,
}

impl FrameHeader {
    fn of(descriptor: u8) -> Self {
        let is_single_segment = descriptor & 0x20 != 0;
        let content_size = match descriptor >> 6 {
            0 => usize::from(is_single_segment),
            flag => 1 << flag,
        };
        let window = usize::from(!is_single_segment);
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        FrameHeader {
            num_bytes: window + dictionary + content_size,
            num_checksum_bytes: if descriptor & 4 != 0 { 4 } else { 0 },
        }
    }
}

/// Appends exactly `length` bytes of `input` and returns them.
fn append<'f>(
    input: &mut impl Read,
    frame: &'f mut Vec<u8>,
    length: usize,
) -> io::Result<&'f [u8]> {
    let start = frame.len();
    frame.resize(start + length, 0);
    input.read_exact(&mut frame[start..])?;
    Ok(&frame[start..])
}
