//! `get-latest-asteroids`: JPL's catalogue, streamed into the store and checked on its way.
//!
//! ```text
//! source ──▶ decompress ──┬──▶ check (the synchronous core, on a thread of its own)
//!                         └──▶ frames of 256 KiB ──▶ compress (2 side by side) ──▶ hash ──▶ store
//! ```
//!
//! The last byte goes to the store only when the check has passed, so that a catalogue that is not whole is
//! never an object. Bounds: the check's few pieces, two frames, and the store's parts; nothing grows with
//! the catalogue. Nothing is written to a temporary file.

use std::fs::File;
use std::time::Duration;

use bytes::Bytes;
use futures::channel::mpsc;
use futures::stream::{self, BoxStream};
use futures::{SinkExt, StreamExt, TryStreamExt, pin_mut};
use sha2::{Digest, Sha256};

use super::check::{Check, Checked};
use super::open::{Opened, open};
use super::{Context, StageError};
use crate::catalogue::{Catalogue, CatalogueError, ReadOptions, find_fields};
use crate::compression::Compression;
use crate::content::Content;
use crate::cpu::on_cpu;
use crate::crash;
use crate::frames::{self, Frame};
use crate::inputs::{CatalogueEntry, Entry, SetName, hexadecimal, key_of};
use crate::sources::{Source, asked_of_sbdb};
use crate::store::{BodyError, StoreError};
use crate::upstream::Origin;

/// What people call the catalogue.
const WHAT: &str = "small-body catalogue";
/// The most content that is taken: five times what all columns of today's 1.57 million bodies are.
const MAX_CONTENT_BYTES: u64 = 4 << 30;
/// The longest that a download may take. At JPL's usual pace the whole catalogue takes some 80 s.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// Frames that are compressed side by side.
const MAX_FRAMES_IN_FLIGHT: usize = 2;
/// Bytes of content that its format is told by.
const START_BYTES: usize = 512;

/// What is wanted of a catalogue.
#[derive(Debug, Clone)]
pub struct CatalogueRequest {
    /// The input set that it becomes part of.
    pub set: SetName,
    /// Where it is taken from.
    pub source: Source,
    /// The least rows that it must have.
    pub min_rows: u64,
    /// The rows of the last good set, which it is measured by.
    pub previous: Option<PreviousRows>,
    /// The most that it may have shrunk since, in per cent.
    pub max_shrink_percent: f64,
    /// The most rows that may be unreadable, in per cent.
    pub max_rejects_percent: f64,
}

/// How many rows an earlier set has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousRows {
    /// The set.
    pub set: SetName,
    /// Its rows.
    pub rows: u64,
}

/// Brings the catalogue into the input set that `request` names.
///
/// A download that breaks where it cannot be resumed is begun again, as often as the client's options say.
///
/// # Errors
/// [`StageError`]. Nothing of the catalogue is in the store then.
pub async fn get_latest_asteroids(
    context: &Context,
    request: &CatalogueRequest,
) -> Result<CatalogueEntry, StageError> {
    let fields = fields_asked_for(&request.source).await?;
    context
        .client
        .retry(WHAT, async || {
            // Boxed once a download, so that the type of what awaits it stays small.
            Box::pin(attempt(context, request, fields.as_deref())).await
        })
        .await
}

/// The columns that are known before the catalogue is read: those of the query, or a file's own, for a document
/// may give its rows first.
async fn fields_asked_for(source: &Source) -> Result<Option<Vec<String>>, StageError> {
    let path = match source {
        Source::Url(url) => return Ok(asked_of_sbdb(url).0),
        Source::File(path) => path.clone(),
    };
    let find = move || {
        // Of a pipe, what is read now would be missing later.
        if !path.is_file() {
            return Ok(None);
        }
        match File::open(&path).map(|file| Catalogue::open(file, &ReadOptions::default())) {
            Ok(Err(CatalogueError::FieldsBehindData)) => File::open(&path)
                .map_err(CatalogueError::Read)
                .and_then(find_fields)
                .map(Some),
            // Whatever else is wrong with it shows when it is read.
            _ => Ok(None),
        }
    };
    on_cpu(find).await.map_err(|error| StageError::Catalogue {
        from: source.place(),
        source: error.into(),
    })
}

async fn attempt(
    context: &Context,
    request: &CatalogueRequest,
    fields: Option<&[String]>,
) -> Result<CatalogueEntry, StageError> {
    let source = &request.source;
    let Opened { origin, content } =
        open(context, source, WHAT, MAX_CONTENT_BYTES, TOTAL_TIMEOUT).await?;
    let (start, content) = peek(content).await?;
    // One compression was taken off, and whoever reads the input set takes off its frames' alone.
    if Compression::of(&start) != Compression::None {
        return Err(StageError::Catalogue {
            from: source.place(),
            source: CatalogueError::CompressedTwice.into(),
        });
    }
    let is_json = Content::of(&start) == Content::Json;
    let name = if is_json {
        "asteroids.json.zst"
    } else {
        "asteroids.csv.zst"
    };
    // A file may be the answer to a query that had a limit.
    let is_limited = match source {
        Source::Url(url) => asked_of_sbdb(url).1,
        Source::File(_) => true,
    };
    let options = ReadOptions {
        fields: fields.filter(|_| is_json).map(<[String]>::to_vec),
        ..ReadOptions::default()
    };
    let check = Check::start(options, request.max_rejects_percent);
    let (mut sender, body) = mpsc::channel(0);
    let packing = async {
        let packed = pack(content, check, request, is_limited, &mut sender).await;
        if packed.is_err() {
            // This side tells the reason; the store only has to know that there is to be no object.
            let _ = sender.send(Err("the catalogue is not usable".into())).await;
        }
        drop(sender);
        packed
    };
    let key = key_of(&request.set, name);
    match tokio::join!(packing, context.store.put(&key, body.boxed())) {
        (Err(error), _) => Err(error),
        (Ok(Some((packed, checked))), Ok(_)) => Ok(packed.into_entry(origin, name, checked)),
        (Ok(None), Ok(_)) => Err(StoreError::not_taken(&key).into()),
        (Ok(_), Err(error)) => Err(error.into()),
    }
}

/// Reads the first bytes of a stream, and gives them back in front of it.
async fn peek(
    mut content: BoxStream<'static, Result<Bytes, StageError>>,
) -> Result<(Vec<u8>, BoxStream<'static, Result<Bytes, StageError>>), StageError> {
    let (mut start, mut pieces) = (Vec::new(), Vec::new());
    while start.len() < START_BYTES
        && let Some(piece) = content.try_next().await?
    {
        start.extend_from_slice(&piece[..piece.len().min(START_BYTES)]);
        pieces.push(Ok(piece));
    }
    Ok((start, stream::iter(pieces).chain(content).boxed()))
}

/// Shows content to `check` and makes it the object's body. Returns nothing where the store takes no more.
async fn pack(
    content: BoxStream<'static, Result<Bytes, StageError>>,
    check: Check,
    request: &CatalogueRequest,
    is_limited: bool,
    body: &mut Body,
) -> Result<Option<(Packed, Checked)>, StageError> {
    let mut packed = Packed::default();
    let Some(last) = packed.take_all(content, &check, body).await? else {
        return Ok(None);
    };
    let checked = check.finish().await;
    let checked = checked.map_err(|source| StageError::Catalogue {
        from: request.source.place(),
        source,
    })?;
    verdict(&checked, request, is_limited)?;
    if body.send(Ok(last)).await.is_err() {
        return Ok(None);
    }
    Ok(Some((packed, checked)))
}

/// The body of the object in the making.
type Body = mpsc::Sender<Result<Bytes, BodyError>>;

/// What was packed.
#[derive(Default)]
struct Packed {
    hash: Sha256,
    bytes: u64,
    content_bytes: u64,
    frames: Vec<Frame>,
}

impl Packed {
    /// Packs content into frames and passes on all but the last frame, which it returns: it waits for the
    /// check. Returns nothing where the store takes no more.
    async fn take_all(
        &mut self,
        content: BoxStream<'static, Result<Bytes, StageError>>,
        check: &Check,
        body: &mut Body,
    ) -> Result<Option<Bytes>, StageError> {
        let compressed = stream::try_unfold(Chunks::new(content, check), |mut chunks| async {
            Ok(chunks.next().await?.map(|chunk| (chunk, chunks)))
        })
        .map_ok(|chunk: Vec<u8>| async {
            let length = chunk.len() as u64;
            let frame = on_cpu(move || frames::compress(&chunk)).await;
            Ok::<_, StageError>((length, Bytes::from(frame)))
        })
        .try_buffered(MAX_FRAMES_IN_FLIGHT);
        pin_mut!(compressed);
        let mut last = Bytes::new();
        while let Some((length, frame)) = compressed.try_next().await? {
            if self.content_bytes.is_multiple_of(frames::NOTED_BYTES) {
                self.frames.push(Frame {
                    offset: self.bytes,
                    content_offset: self.content_bytes,
                });
            }
            self.bytes += frame.len() as u64;
            self.content_bytes += length;
            let (hash, hashed) = (std::mem::take(&mut self.hash), frame.clone());
            self.hash = on_cpu(move || hash.chain_update(&hashed)).await;
            let previous = std::mem::replace(&mut last, frame);
            crash::point("frame-compressed");
            if !previous.is_empty() && body.send(Ok(previous)).await.is_err() {
                return Ok(None);
            }
        }
        Ok(Some(last))
    }

    fn into_entry(self, origin: Origin, name: &str, checked: Checked) -> CatalogueEntry {
        let Checked { header, summary } = checked;
        CatalogueEntry {
            entry: Entry {
                object: name.to_owned(),
                source: origin.url,
                fetched_at: origin.fetched_at,
                etag: origin.etag,
                last_modified: origin.last_modified,
                bytes: self.bytes,
                rows: summary.counts.read,
                rejected: summary.num_rejected(),
                sha256: hexadecimal(&self.hash.finalize()),
            },
            format: header.format,
            columns: header.columns,
            count: summary.trailer.count,
            content_bytes: self.content_bytes,
            frames: self.frames,
        }
    }
}

/// Content in chunks of a frame each, shown to the check on its way.
struct Chunks<'c> {
    content: BoxStream<'static, Result<Bytes, StageError>>,
    check: &'c Check,
    /// What is left of the last piece.
    rest: Bytes,
}

impl<'c> Chunks<'c> {
    fn new(content: BoxStream<'static, Result<Bytes, StageError>>, check: &'c Check) -> Self {
        Chunks {
            content,
            check,
            rest: Bytes::new(),
        }
    }

    /// The next chunk; none behind the last one, and none where the check takes no more.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, StageError> {
        let mut chunk = Vec::with_capacity(frames::CONTENT_BYTES);
        loop {
            let missing = frames::CONTENT_BYTES - chunk.len();
            chunk.extend_from_slice(&self.rest.split_to(missing.min(self.rest.len())));
            if chunk.len() == frames::CONTENT_BYTES {
                break;
            }
            match self.content.try_next().await? {
                Some(piece) if self.check.see(piece.clone()).await.is_ok() => self.rest = piece,
                _ => break,
            }
        }
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }
}

/// Whether a catalogue that is whole in itself is the one that is wanted.
fn verdict(
    checked: &Checked,
    request: &CatalogueRequest,
    is_limited: bool,
) -> Result<(), StageError> {
    let rows = checked.summary.counts.read;
    let from = || request.source.place();
    if let Some(count) = checked.summary.trailer.count
        && count != rows
        && !is_limited
    {
        return Err(StageError::OtherCount {
            from: from(),
            rows,
            count,
        });
    }
    if rows < request.min_rows {
        return Err(StageError::TooFewRows {
            from: from(),
            rows,
            min_rows: request.min_rows,
        });
    }
    match &request.previous {
        Some(previous)
            if (rows as f64)
                < previous.rows as f64 * (1.0 - request.max_shrink_percent / 100.0) =>
        {
            Err(StageError::Shrunk {
                from: from(),
                rows,
                previous_rows: previous.rows,
                previous_set: previous.set.clone(),
                max_shrink_percent: request.max_shrink_percent,
            })
        }
        _ => Ok(()),
    }
}
