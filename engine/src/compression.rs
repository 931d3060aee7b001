//! Compression: gzip and zstd are recognised from their first bytes, never from a name.

mod frames;

use std::io::{self, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;
use frames::Frames;
use serde::{Deserialize, Serialize};

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip (RFC 1952), one member or several.
    Gzip,
    /// Zstandard (RFC 8878), one frame or several.
    Zstd,
}

impl Compression {
    /// Recognises the compression of an input by its first four bytes.
    #[must_use]
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A Zstandard stream may begin with a skippable frame (RFC 8878, 3.1.2).
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// The word for people: `plain`, `gzip` or `zstd`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// An input and its first bytes in front of it again.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// An input with its compression taken off as it is read.
pub struct Decompressed<R: Read> {
    compression: Compression,
    inner: Decoder<R>,
    /// How much was read of the content, bytes.
    position: u64,
}

enum Decoder<R: Read> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
    Zstd(Box<zstd::Decoder<'static, Frames<Whole<R>>>>),
}

impl<R: Read> Decompressed<R> {
    /// Reads the first bytes of `input` and prepares the decoder that they call for.
    ///
    /// # Errors
    /// Whatever reading `input` fails with.
    pub fn new(mut input: R) -> io::Result<Self> {
        let mut start = Vec::with_capacity(4);
        input.by_ref().take(4).read_to_end(&mut start)?;
        let compression = Compression::of(&start);
        let whole = Cursor::new(start).chain(input);
        let inner = match compression {
            Compression::None => Decoder::Plain(whole),
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(whole))),
            Compression::Zstd => {
                let decoder = zstd::Decoder::with_buffer(Frames::new(whole))?;
                Decoder::Zstd(Box::new(decoder))
            }
        };
        Ok(Decompressed {
            compression,
            inner,
            position: 0,
        })
    }

    /// The compression that was recognised.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// How much was read of the content, bytes.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }
}

/// Reads a small input whole, with its compression taken off.
///
/// # Errors
/// Whatever reading `input` fails with, or a compressed stream that is damaged or cut off.
pub fn read_all(input: impl Read) -> io::Result<(Compression, Vec<u8>)> {
    let mut input = Decompressed::new(input)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    Ok((input.compression(), bytes))
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let num_read = match &mut self.inner {
            Decoder::Plain(reader) => reader.read(buffer),
            Decoder::Gzip(reader) => reader.read(buffer),
            Decoder::Zstd(reader) => reader.read(buffer),
        }?;
        self.position += num_read as u64;
        Ok(num_read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn takes_off_what_the_first_bytes_show() {
        let text = b"spkid,e,a\n".repeat(1_000);
        let zstd = zstd::encode_all(&text[..], 1).unwrap();
        let two_members = [gzip(&text[..5_000]), gzip(&text[5_000..])].concat();
        let two_frames = [
            zstd::encode_all(&text[..5_000], 1).unwrap(),
            zstd::encode_all(&text[5_000..], 1).unwrap(),
        ]
        .concat();
        for (bytes, compression) in [
            (text.clone(), Compression::None),
            (gzip(&text), Compression::Gzip),
            (two_members, Compression::Gzip),
            (zstd, Compression::Zstd),
            (two_frames, Compression::Zstd),
        ] {
            assert_eq!(read_all(&bytes[..]).unwrap(), (compression, text.clone()));
        }
        assert_eq!(read_all(&b""[..]).unwrap(), (Compression::None, Vec::new()));
        assert_eq!(
            read_all(&b"ab"[..]).unwrap(),
            (Compression::None, b"ab".to_vec())
        );
    }

    /// Frames that stand alone and say how much they hold, as our own input sets have them.
    fn frames(text: &[u8], frame_bytes: usize) -> Vec<u8> {
        let frames = text.chunks(frame_bytes);
        frames
            .flat_map(|frame| zstd::bulk::compress(frame, 1).unwrap())
            .collect()
    }

    fn skippable(content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [&[0x57, 0x2a, 0x4d, 0x18][..], &length, content].concat()
    }

    /// Text that does not repeat itself.
    fn text(num_lines: u32) -> Vec<u8> {
        (0..num_lines)
            .map(|line| format!("{line},{}\n", line.wrapping_mul(2_654_435_761)))
            .collect::<String>()
            .into()
    }

    #[test]
    fn frames_of_all_kinds_follow_each_other() {
        let text = text(20_000);
        let (front, back) = text.split_at(text.len() / 2);
        let stream = zstd::encode_all(back, 1).unwrap();
        let checked = {
            let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
            compressor.include_checksum(true).unwrap();
            compressor.compress(back).unwrap()
        };
        for back in [
            frames(back, 1_000),
            frames(back, usize::MAX),
            stream,
            checked,
            [skippable(b"about"), frames(back, 50_000), skippable(b"")].concat(),
        ] {
            let input = [frames(front, 10_000), back].concat();
            assert_eq!(
                read_all(&input[..]).unwrap(),
                (Compression::Zstd, text.clone())
            );
        }
    }

    /// A pipe: a few bytes at a time.
    struct Trickle<'b>(&'b [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let num_bytes = buffer.len().min(1_000);
            self.0.read(&mut buffer[..num_bytes])
        }
    }

    #[test]
    fn frames_may_be_larger_than_what_is_shown_of_them_and_arrive_little_by_little() {
        let mut noise = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005) + 1;
            (noise >> 56) as u8
        })
        .take(5_000_000)
        .collect();
        for frame_bytes in [100_000, crate::frames::CONTENT_BYTES, 2_000_000] {
            let input = frames(&noise, frame_bytes);
            assert!(input.len() > noise.len());
            let (_, content) = read_all(Trickle(&input)).unwrap();
            assert!(content == noise, "{frame_bytes}");
        }
    }

    #[test]
    fn what_is_no_frame_behind_frames_is_an_error() {
        let whole = frames(&text(2_000), 5_000);
        for rest in [
            &b"spkid"[..],
            b"\0",
            &[0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(read_all(&[&whole[..], rest].concat()[..]).is_err());
        }
        let mut damaged = whole.clone();
        // The first block, behind the magic number and a header of three bytes.
        damaged[7..30].fill(0xff);
        let mut start = Vec::new();
        let error = Decompressed::new(&damaged[..])
            .unwrap()
            .read_to_end(&mut start)
            .unwrap_err();
        assert_ne!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_truncated_stream_is_an_error_not_an_end() {
        let text = b"spkid,e,a\n".repeat(1_000);
        let frame = crate::frames::compress(&text);
        // Where one frame ends, and no other has begun, is an end.
        let two_frames = (frame.len() + 1, frame.repeat(2));
        for (first_cut, whole) in [
            (4, gzip(&text)),
            (4, zstd::encode_all(&text[..], 1).unwrap()),
            (4, zstd::bulk::compress(&text, 1).unwrap()),
            (4, frame),
            two_frames,
        ] {
            for length in first_cut..whole.len() {
                let error = read_all(&whole[..length]).unwrap_err();
                assert_eq!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof,
                    "cut at {length}: {error}"
                );
            }
        }
    }
}
