//! Compression: gzip and zstd are recognised from their first bytes, never from a name.

use std::io::{self, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;
use serde::Serialize;

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
}

enum Decoder<R: Read> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
    Zstd(zstd::Decoder<'static, io::BufReader<Whole<R>>>),
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
            Compression::Zstd => Decoder::Zstd(zstd::Decoder::new(whole)?),
        };
        Ok(Decompressed { compression, inner })
    }

    /// The compression that was recognised.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
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
        match &mut self.inner {
            Decoder::Plain(reader) => reader.read(buffer),
            Decoder::Gzip(reader) => reader.read(buffer),
            Decoder::Zstd(reader) => reader.read(buffer),
        }
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

    #[test]
    fn a_truncated_stream_is_an_error_not_an_end() {
        let text = b"spkid,e,a\n".repeat(1_000);
        for whole in [gzip(&text), zstd::encode_all(&text[..], 1).unwrap()] {
            for length in 4..whole.len() {
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
