//! Opening a source, an address or a file alike: a small document whole, or a large one as a stream of its
//! content, whatever it is compressed with.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::time::Duration;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};
use tokio_util::io::{ReaderStream, StreamReader};

use super::{Context, StageError};
use crate::compression::{Compression, Decompressed};
use crate::cpu::on_cpu;
use crate::sources::Source;
use crate::upstream::{Origin, Request};

/// Bytes that are read from a file, and decoded, at once.
const STEP_BYTES: usize = 256 << 10;
/// The largest small document; the largest that there is, JPL's NHATS table, has some 3 MB.
const MAX_SMALL_BYTES: u64 = 64 << 20;
/// The longest that a small document may take.
const SMALL_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// A large document on its way.
pub(super) struct Opened {
    pub(super) origin: Origin,
    /// Its content, decompressed.
    pub(super) content: BoxStream<'static, Result<Bytes, StageError>>,
}

/// Reads a small document whole, decompressed, and known to people as `what`.
pub(super) async fn fetch(
    context: &Context,
    source: &Source,
    what: &str,
) -> Result<(Origin, Bytes), StageError> {
    let too_large = || StageError::TooLarge {
        from: source.place(),
        max_bytes: MAX_SMALL_BYTES,
    };
    let (origin, bytes) = match source {
        Source::Url(url) => {
            let request = Request {
                url: url.clone(),
                what: what.to_owned(),
                max_bytes: MAX_SMALL_BYTES,
                total_timeout: SMALL_TIMEOUT,
            };
            context.client.fetch(&request).await?
        }
        Source::File(path) => {
            let fail = |source| file_error(path, source);
            let (origin, file) = open_file(path).await?;
            let mut bytes = Vec::new();
            file.take(MAX_SMALL_BYTES + 1)
                .read_to_end(&mut bytes)
                .await
                .map_err(fail)?;
            if bytes.len() as u64 > MAX_SMALL_BYTES {
                return Err(too_large());
            }
            (origin, Bytes::from(bytes))
        }
    };
    if Compression::of(&bytes) == Compression::None {
        return Ok((origin, bytes));
    }
    let decompress = move || {
        let mut content = Vec::new();
        Decompressed::new(Cursor::new(bytes))
            .and_then(|input| input.take(MAX_SMALL_BYTES + 1).read_to_end(&mut content))
            .map(|_| content)
    };
    let content = on_cpu(decompress)
        .await
        .map_err(|error| StageError::Document {
            from: source.place(),
            source: error.into(),
        })?;
    if content.len() as u64 > MAX_SMALL_BYTES {
        return Err(too_large());
    }
    Ok((origin, content.into()))
}

/// Opens a large document, known to people as `what`, whose content has at most `max_bytes`.
pub(super) async fn open(
    context: &Context,
    source: &Source,
    what: &str,
    max_bytes: u64,
    total_timeout: Duration,
) -> Result<Opened, StageError> {
    let (origin, bytes) = match source {
        Source::Url(url) => {
            let request = Request {
                url: url.clone(),
                what: what.to_owned(),
                max_bytes,
                total_timeout,
            };
            let download = context.client.open(&request).await?;
            let origin = download.origin.clone();
            (origin, download.map_err(StageError::from).boxed())
        }
        Source::File(path) => {
            let (origin, file) = open_file(path).await?;
            let observer = context.observer.clone();
            let (path, what, total) = (path.clone(), what.to_owned(), origin.content_length);
            let bytes = ReaderStream::with_capacity(file, STEP_BYTES)
                .inspect_ok(move |bytes| observer.received(&what, bytes.len() as u64, total))
                .map_err(move |source| file_error(&path, source));
            (origin, bytes.boxed())
        }
    };
    let content = decompressed(bytes, source.place()).await?;
    let from = source.place();
    let mut num_bytes = 0;
    let content = content.and_then(move |bytes| {
        num_bytes += bytes.len() as u64;
        let too_large = StageError::TooLarge {
            from: from.clone(),
            max_bytes,
        };
        std::future::ready(if num_bytes > max_bytes {
            Err(too_large)
        } else {
            Ok(bytes)
        })
    });
    Ok(Opened {
        origin,
        content: content.boxed(),
    })
}

async fn open_file(path: &Path) -> Result<(Origin, File), StageError> {
    let fail = |source| file_error(path, source);
    let file = File::open(path).await.map_err(fail)?;
    let metadata = file.metadata().await.map_err(fail)?;
    if metadata.is_dir() {
        return Err(fail(io::ErrorKind::IsADirectory.into()));
    }
    let origin = Origin {
        url: path.display().to_string(),
        etag: None,
        last_modified: None,
        content_length: metadata.is_file().then_some(metadata.len()),
        fetched_at: Timestamp::now(),
    };
    Ok((origin, file))
}

fn file_error(path: &Path, source: io::Error) -> StageError {
    StageError::File {
        path: path.to_owned(),
        source,
    }
}

/// The content of a stream that may be a gzip or zstd file, as its first bytes show.
async fn decompressed(
    bytes: BoxStream<'static, Result<Bytes, StageError>>,
    from: String,
) -> Result<BoxStream<'static, Result<Bytes, StageError>>, StageError> {
    // An error of the stream passes through the decoder inside an io::Error and comes out again.
    let unwrap = move |error: io::Error| match error.downcast::<StageError>() {
        Ok(error) => error,
        Err(error) => StageError::Document {
            from: from.clone(),
            source: error.into(),
        },
    };
    let mut reader = StreamReader::new(bytes.map_err(io::Error::other));
    let mut start = Vec::with_capacity(4);
    let read = (&mut reader).take(4).read_to_end(&mut start).await;
    read.map_err(&unwrap)?;
    let compression = Compression::of(&start);
    let reader =
        BufReader::with_capacity(STEP_BYTES, AsyncReadExt::chain(Cursor::new(start), reader));
    let decoder: Box<dyn AsyncRead + Send + Unpin> = match compression {
        Compression::None => Box::new(reader),
        Compression::Gzip => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            Box::new(decoder)
        }
        Compression::Zstd => {
            let mut decoder = ZstdDecoder::new(reader);
            decoder.multiple_members(true);
            Box::new(decoder)
        }
    };
    let content = ReaderStream::with_capacity(decoder, STEP_BYTES).map_err(unwrap);
    Ok(content.boxed())
}
