//! Content codings: what is asked for, what came, and the decoders (RFC 9110, section 8.4).
//!
//! The bound: a decoder is handed 64 KiB to fill, and no more is decoded before somebody takes them.

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use tokio::io::{AsyncBufRead, AsyncRead};
use tokio_util::io::{ReaderStream, StreamReader};

use super::error::Problem;
use crate::compression::Compression;

/// The header Accept-Encoding. No coding at all is acceptable without being named.
pub(super) const ACCEPTED: &str = "zstd, gzip, deflate";

/// How much is decoded at once, bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// A decoder may need a window of 8 MiB and no more (RFC 9659).
const MAX_ZSTD_WINDOW_LOG: u32 = 23;

/// How many bytes show whether a body is what it is said to be: the signature of a Zstandard frame.
const SIGNATURE_BYTES: usize = 4;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Not at all.
    Identity,
    /// gzip (RFC 1952), one member or several.
    Gzip,
    /// zlib (RFC 1950); as some servers take the name literally, DEFLATE without its frame (RFC 1951) as well.
    Deflate,
    /// Zstandard (RFC 8878), one frame or several.
    Zstd,
}

impl Coding {
    /// The coding that an answer's headers name.
    ///
    /// # Errors
    /// [`Problem::UnknownCoding`] for any that was not asked for, several at once among them.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let values = headers.get_all(CONTENT_ENCODING).iter();
        let names: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        match names.join(", ").trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "zstd" => Ok(Self::Zstd),
            coding => Err(Problem::UnknownCoding {
                coding: coding.escape_default().take(80).collect(),
            }),
        }
    }

    /// The coding's registered name.
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }

    /// Takes the coding off a body. A body that is damaged, cut off, or not encoded like this ends in an error.
    pub(super) fn decode(
        self,
        encoded: BoxStream<'static, Result<Bytes, Problem>>,
    ) -> BoxStream<'static, Result<Bytes, Problem>> {
        if self == Self::Identity {
            return encoded;
        }
        let decoded = async move {
            let (start, rest) = peek(encoded).await?;
            self.check(&start)?;
            let is_zlib = is_zlib(&start);
            let whole = stream::iter([Ok(start)]).chain(rest);
            let reader = StreamReader::new(whole.map_err(io::Error::other));
            Ok(self.pieces(reader, is_zlib))
        };
        stream::once(decoded).try_flatten().boxed()
    }

    /// Refuses a body that does not begin like this coding. One of fewer bytes was cut off, as the decoder finds.
    fn check(self, start: &[u8]) -> Result<(), Problem> {
        let is_it = match self {
            Self::Gzip => Compression::of(start) == Compression::Gzip,
            Self::Zstd => Compression::of(start) == Compression::Zstd,
            Self::Identity | Self::Deflate => true,
        };
        if is_it || start.len() < SIGNATURE_BYTES {
            Ok(())
        } else {
            Err(Problem::FalseCoding {
                coding: self.name(),
            })
        }
    }

    /// The decoded pieces of an encoded body.
    fn pieces(
        self,
        encoded: impl AsyncBufRead + Send + 'static,
        is_zlib: bool,
    ) -> BoxStream<'static, Result<Bytes, Problem>> {
        // A problem of the encoded body comes through the decoder as it is; any other error is the decoder's own.
        let problem = move |error: io::Error| {
            error.downcast().unwrap_or_else(|source| Problem::Damaged {
                coding: self.name(),
                source,
            })
        };
        ReaderStream::with_capacity(self.decoder(encoded, is_zlib), PIECE_BYTES)
            .map_err(problem)
            .boxed()
    }

    /// The decoder, which reads on behind a member's end: by itself it would stop there and drop the rest.
    fn decoder(
        self,
        encoded: impl AsyncBufRead + Send + 'static,
        is_zlib: bool,
    ) -> Pin<Box<dyn AsyncRead + Send>> {
        match self {
            Self::Identity => Box::pin(encoded),
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(encoded);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Self::Deflate if is_zlib => {
                let mut decoder = ZlibDecoder::new(encoded);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Self::Deflate => {
                let mut decoder = DeflateDecoder::new(encoded);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Self::Zstd => {
                let window = DParameter::window_log_max(MAX_ZSTD_WINDOW_LOG);
                let mut decoder = ZstdDecoder::with_params(encoded, &[window]);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
        }
    }
}

/// Takes the first bytes off a stream, enough for a signature unless the stream is shorter.
async fn peek<S>(mut encoded: S) -> Result<(Bytes, S), Problem>
where
    S: Stream<Item = Result<Bytes, Problem>> + Unpin,
{
    let mut start = BytesMut::new();
    while start.len() < SIGNATURE_BYTES {
        match encoded.try_next().await? {
            Some(piece) => start.extend_from_slice(&piece),
            None => break,
        }
    }
    Ok((start.freeze(), encoded))
}

/// Whether bytes begin with the two of a zlib frame: method 8, and a multiple of 31 (RFC 1950, section 2.2).
fn is_zlib(start: &[u8]) -> bool {
    matches!(start, [method, flags, ..]
        if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression as Level;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use reqwest::header::HeaderValue;

    use super::*;

    fn text() -> Vec<u8> {
        let row = |number: u32| format!("{number},{}\n", number.wrapping_mul(2_654_435_761));
        (0..100).map(row).collect::<String>().into_bytes()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Level::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Level::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Every coding of the text.
    fn encoded() -> [(Coding, Vec<u8>); 4] {
        [
            (Coding::Gzip, gzip(&text())),
            (Coding::Deflate, zlib(&text())),
            (Coding::Deflate, raw_deflate(&text())),
            (Coding::Zstd, zstd(&text())),
        ]
    }

    /// Decodes what comes in pieces of `piece_bytes`.
    fn decode(coding: Coding, encoded: &[u8], piece_bytes: usize) -> Result<Vec<u8>, Problem> {
        let pieces: Vec<_> = encoded
            .chunks(piece_bytes)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let decoded = coding.decode(stream::iter(pieces).boxed());
        let pieces: Vec<Bytes> = futures::executor::block_on(decoded.try_collect())?;
        Ok(pieces.concat())
    }

    #[test]
    fn takes_off_every_coding_however_it_is_cut_into_pieces() {
        for (coding, bytes) in encoded() {
            for piece_bytes in [1, 2, 3, 1_000, 1_000_000] {
                assert_eq!(decode(coding, &bytes, piece_bytes).unwrap(), text());
            }
        }
        assert_eq!(decode(Coding::Identity, b"a", 1).unwrap(), b"a");
    }

    #[test]
    fn several_members_are_one_body() {
        let (first, second) = (&text()[..1_000], &text()[1_000..]);
        for (coding, bytes) in [
            (Coding::Gzip, [gzip(first), gzip(second)].concat()),
            (Coding::Zstd, [zstd(first), zstd(second)].concat()),
        ] {
            for piece_bytes in [1, 1_000_000] {
                assert_eq!(decode(coding, &bytes, piece_bytes).unwrap(), text());
            }
        }
    }

    #[test]
    fn a_cut_body_never_looks_like_an_end() {
        for (coding, bytes) in encoded() {
            for length in 0..bytes.len() {
                for piece_bytes in [1, 1_000_000] {
                    let problem = decode(coding, &bytes[..length], piece_bytes).unwrap_err();
                    assert!(
                        matches!(problem, Problem::Damaged { .. }) && problem.is_retryable(),
                        "{coding:?} cut at {length}: {problem}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_damaged_body_never_looks_whole() {
        for (coding, bytes) in encoded() {
            // DEFLATE without a frame has no checksum.
            if coding == Coding::Deflate && !is_zlib(&bytes) {
                continue;
            }
            for position in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[position] ^= 0x10;
                for piece_bytes in [1, 1_000_000] {
                    // Some bytes of a gzip header mean nothing for the content.
                    if let Ok(decoded) = decode(coding, &damaged, piece_bytes) {
                        assert_eq!(decoded, text(), "{coding:?} at {position}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_follows_the_end_is_damage() {
        for (coding, bytes) in encoded() {
            let longer = [&bytes[..], b"<html>rest</html>"].concat();
            for piece_bytes in [1, 1_000_000] {
                let problem = decode(coding, &longer, piece_bytes).unwrap_err();
                assert!(matches!(problem, Problem::Damaged { .. }), "{problem}");
            }
        }
    }

    #[test]
    fn a_plain_body_that_is_said_to_be_encoded_is_refused() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let problem = decode(coding, &text(), 1).unwrap_err();
            assert!(matches!(problem, Problem::FalseCoding { .. }), "{problem}");
            assert!(!problem.is_retryable());
        }
        let problem = decode(Coding::Deflate, &text(), 1).unwrap_err();
        assert!(matches!(problem, Problem::Damaged { .. }), "{problem}");
    }

    #[test]
    fn a_window_that_costs_much_memory_is_refused() {
        let encode = |window_log| {
            let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(window_log).unwrap();
            encoder.write_all(&vec![0; 20 << 20]).unwrap();
            encoder.finish().unwrap()
        };
        assert!(decode(Coding::Zstd, &encode(23), 1_000).is_ok());
        assert!(decode(Coding::Zstd, &encode(24), 1_000).is_err());
    }

    #[test]
    fn only_what_was_asked_for_is_a_coding() {
        let coding = |values: &[&'static str]| {
            let value = |value| (CONTENT_ENCODING, HeaderValue::from_static(value));
            Coding::of(&values.iter().copied().map(value).collect::<HeaderMap>())
        };
        for (values, expected) in [
            (&[][..], Coding::Identity),
            (&["identity"], Coding::Identity),
            (&["GZIP "], Coding::Gzip),
            (&["x-gzip"], Coding::Gzip),
            (&["deflate"], Coding::Deflate),
            (&["zstd"], Coding::Zstd),
        ] {
            assert_eq!(coding(values).unwrap(), expected);
        }
        for values in [&["br"][..], &["gzip, zstd"], &["gzip", "gzip"]] {
            assert!(coding(values).is_err(), "{values:?}");
        }
    }
}
