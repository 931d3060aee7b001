//! An S3 server on loopback: s3s speaks the protocol and checks signatures, s3s-fs keeps the objects in a
//! directory. This layer between the two adds what S3 documents and s3s-fs leaves out (`If-Match` on GET,
//! `If-None-Match` without a race, ETags in lists, short pages, lists of open uploads, checksums of parts),
//! fails where a test wants it to, and counts.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that this serves tests only"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

pub(crate) const BUCKET: &str = "bucket";
pub(crate) const ACCESS_KEY: &str = "access";
pub(crate) const SECRET_KEY: &str = "secret";

/// The objects and the uploads on a page of a list.
const PAGE: usize = 2;

/// A running server with one empty bucket. Dropped, it ends.
pub(crate) struct S3Server {
    pub(crate) url: String,
    pub(crate) state: Arc<State>,
    /// Where its objects are.
    pub(crate) directory: tempfile::TempDir,
    _accepting: AbortOnDropHandle<()>,
}

/// What the server is to do wrong, and what it has seen.
#[derive(Default)]
pub(crate) struct State {
    faults: Mutex<Faults>,
    uploads: Mutex<BTreeMap<(String, String), SystemTime>>,
    num_parts_in_flight: AtomicUsize,
    pub(crate) peak_parts_in_flight: AtomicUsize,
    pub(crate) num_parts: AtomicUsize,
    pub(crate) num_gets: AtomicUsize,
    /// Whoever changes objects has it alone.
    objects: tokio::sync::RwLock<()>,
}

/// How often each thing goes wrong from now on.
#[derive(Default)]
pub(crate) struct Faults {
    /// By the part's number: 503.
    pub(crate) parts: HashMap<i32, usize>,
    /// 500.
    pub(crate) completions: usize,
    /// 500.
    pub(crate) aborts: usize,
    /// The connection breaks in the middle of the body, when the gate is open.
    pub(crate) gets: usize,
    pub(crate) gate: Option<Arc<Semaphore>>,
    /// The object is stored and the answer is 500.
    pub(crate) puts: usize,
    /// Everything: this error.
    pub(crate) all: Option<fn() -> S3Error>,
    /// How long a part waits before it is taken.
    pub(crate) part_delay: Duration,
}

impl S3Server {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join(BUCKET)).unwrap();
        let state = Arc::new(State::default());
        let layer = Layer {
            inner: FileSystem::new(directory.path()).unwrap(),
            state: Arc::clone(&state),
        };
        let mut service = s3s::service::S3ServiceBuilder::new(layer);
        service.set_auth(s3s::auth::SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let accepting = tokio::spawn(async move {
            // Connections end with the server.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    // A client that goes away is the client's business.
                    let _ = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        S3Server {
            url,
            state,
            directory,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }
}

impl State {
    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    /// The keys of the uploads that are open.
    pub(crate) fn open_uploads(&self) -> Vec<String> {
        let uploads = self.uploads.lock().unwrap();
        uploads.keys().map(|(key, _)| key.clone()).collect()
    }

    /// Makes all open uploads older.
    pub(crate) fn age_uploads(&self, age: Duration) {
        for opened in self.uploads.lock().unwrap().values_mut() {
            *opened -= age;
        }
    }

    fn check(&self, bucket: &str) -> S3Result<()> {
        if bucket != BUCKET {
            return Err(s3_error!(NoSuchBucket));
        }
        self.faults().all.map_or(Ok(()), |error| Err(error()))
    }
}

struct Layer {
    inner: FileSystem,
    state: Arc<State>,
}

impl Layer {
    async fn etag(&self, bucket: &str, key: &str) -> S3Result<Option<ETag>> {
        let input = HeadObjectInput::builder()
            .bucket(bucket.to_owned())
            .key(key.to_owned())
            .build()
            .unwrap();
        let head = s3s::S3::head_object(&self.inner, request(input)).await;
        Ok(head?.output.e_tag)
    }
}

#[async_trait::async_trait]
impl s3s::S3 for Layer {
    async fn head_object(
        &self,
        req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.state.check(&req.input.bucket)?;
        let _reading = self.state.objects.read().await;
        // s3s-fs fails over a folder, which is no object.
        let found = self.inner.head_object(req).await;
        found.map_err(|error| match error.code() {
            s3s::S3ErrorCode::InternalError => s3_error!(NoSuchKey),
            _ => error,
        })
    }

    async fn get_object(
        &self,
        req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        self.state.num_gets.fetch_add(1, Ordering::SeqCst);
        self.state.check(&req.input.bucket)?;
        let _reading = self.state.objects.read().await;
        let wanted = req.input.if_match.clone();
        if let Some(ETagCondition::ETag(wanted)) = wanted {
            let found = self.etag(&req.input.bucket, &req.input.key).await?;
            if !found.is_some_and(|found| found.strong_cmp(&wanted)) {
                return Err(s3_error!(PreconditionFailed));
            }
        }
        let mut answer = self.inner.get_object(req).await?;
        let is_broken = take(&mut self.state.faults().gets);
        let gate = self.state.faults().gate.clone();
        if is_broken {
            let body = answer.output.body.take().unwrap();
            let half = answer.output.content_length.unwrap().cast_unsigned() / 2;
            answer.output.body = Some(broken_in_the_middle(body, half, gate));
        }
        Ok(answer)
    }

    async fn list_objects_v2(
        &self,
        mut req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.state.check(&req.input.bucket)?;
        let _reading = self.state.objects.read().await;
        let bucket = req.input.bucket.clone();
        req.input.max_keys = Some(i32::try_from(PAGE).unwrap());
        let mut answer = self.inner.list_objects_v2(req).await?;
        for object in answer.output.contents.iter_mut().flatten() {
            object.e_tag = self.etag(&bucket, object.key.as_deref().unwrap()).await?;
        }
        Ok(answer)
    }

    async fn put_object(
        &self,
        req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        self.state.check(&req.input.bucket)?;
        let _writing = self.state.objects.write().await;
        if req.input.checksum_crc32.is_none() {
            return Err(s3_error!(InvalidRequest, "the object has no checksum"));
        }
        let stored = self.inner.put_object(req).await?;
        if take(&mut self.state.faults().puts) {
            return Err(s3_error!(InternalError));
        }
        Ok(stored)
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.state.check(&req.input.bucket)?;
        let _writing = self.state.objects.write().await;
        self.inner.delete_object(req).await
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.state.check(&req.input.bucket)?;
        let created = self.inner.create_multipart_upload(req).await?;
        let output = &created.output;
        let key = (
            output.key.clone().unwrap(),
            output.upload_id.clone().unwrap(),
        );
        let mut uploads = self.state.uploads.lock().unwrap();
        uploads.insert(key, SystemTime::now());
        drop(uploads);
        Ok(created)
    }

    async fn upload_part(
        &self,
        mut req: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        self.state.check(&req.input.bucket)?;
        let _in_flight = InFlight::new(&self.state);
        let body = req
            .input
            .body
            .take()
            .ok_or_else(|| s3_error!(IncompleteBody))?;
        let bytes: Result<BytesMut, _> = body.try_collect().await;
        let bytes = bytes.map_err(|error| s3_error!(IncompleteBody, "{error}"))?;
        let delay = self.state.faults().part_delay;
        tokio::time::sleep(delay).await;
        if let Some(left) = self.state.faults().parts.get_mut(&req.input.part_number)
            && take(left)
        {
            return Err(s3_error!(SlowDown));
        }
        let checksum = crc32(&bytes);
        if req.input.checksum_crc32 != checksum {
            return Err(s3_error!(BadDigest));
        }
        let body = stream::once(async move { Ok::<_, std::io::Error>(bytes.freeze()) });
        req.input.body = Some(StreamingBlob::wrap(Box::pin(body)));
        let mut stored = self.inner.upload_part(req).await?;
        self.state.num_parts.fetch_add(1, Ordering::SeqCst);
        stored.output.checksum_crc32 = checksum;
        Ok(stored)
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.state.check(&req.input.bucket)?;
        if take(&mut self.state.faults().completions) {
            return Err(s3_error!(InternalError));
        }
        let parts = req.input.multipart_upload.iter();
        let mut parts = parts.flat_map(|upload| upload.parts.iter().flatten());
        if parts.any(|part| part.checksum_crc32.is_none() || part.e_tag.is_none()) {
            return Err(s3_error!(InvalidPart));
        }
        let key = (req.input.key.clone(), req.input.upload_id.clone());
        let _writing = self.state.objects.write().await;
        let completed = self.inner.complete_multipart_upload(req).await?;
        self.state.uploads.lock().unwrap().remove(&key);
        Ok(completed)
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.state.check(&req.input.bucket)?;
        if take(&mut self.state.faults().aborts) {
            return Err(s3_error!(InternalError));
        }
        let key = (req.input.key.clone(), req.input.upload_id.clone());
        if !self.state.uploads.lock().unwrap().contains_key(&key) {
            return Err(s3_error!(NoSuchUpload));
        }
        let aborted = self.inner.abort_multipart_upload(req).await?;
        self.state.uploads.lock().unwrap().remove(&key);
        Ok(aborted)
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        self.state.check(&req.input.bucket)?;
        let input = req.input;
        let prefix = input.prefix.unwrap_or_default();
        let marker = input.key_marker.zip(input.upload_id_marker);
        let uploads = self.state.uploads.lock().unwrap();
        let mut open = uploads
            .iter()
            .filter(|(upload, _)| upload.0.starts_with(&prefix))
            .filter(|(upload, _)| marker.as_ref().is_none_or(|marker| *upload > marker))
            .map(|((key, id), opened)| MultipartUpload {
                key: Some(key.clone()),
                upload_id: Some(id.clone()),
                initiated: Some((*opened).into()),
                ..Default::default()
            });
        let page: Vec<MultipartUpload> = open.by_ref().take(PAGE).collect();
        let is_truncated = open.next().is_some();
        let last = page.last().filter(|_| is_truncated);
        Ok(S3Response::new(ListMultipartUploadsOutput {
            is_truncated: Some(is_truncated),
            next_key_marker: last.and_then(|last| last.key.clone()),
            next_upload_id_marker: last.and_then(|last| last.upload_id.clone()),
            uploads: Some(page),
            ..Default::default()
        }))
    }
}

/// Counts a part as long as it is being received.
struct InFlight<'a>(&'a State);

impl<'a> InFlight<'a> {
    fn new(state: &'a State) -> Self {
        let num_in_flight = state.num_parts_in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        let peak = &state.peak_parts_in_flight;
        peak.fetch_max(num_in_flight, Ordering::SeqCst);
        InFlight(state)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.num_parts_in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether one more is left; takes it.
fn take(left: &mut usize) -> bool {
    let is_left = *left > 0;
    *left = left.saturating_sub(1);
    is_left
}

fn request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: Default::default(),
        uri: Default::default(),
        headers: Default::default(),
        extensions: Default::default(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

fn crc32(bytes: &[u8]) -> Option<String> {
    let mut hasher = s3s::checksum::ChecksumHasher {
        crc32: Some(Default::default()),
        ..Default::default()
    };
    hasher.update(bytes);
    hasher.finalize().checksum_crc32
}

/// The first `num_bytes` of `body`, and then an error, when the gate is open.
fn broken_in_the_middle(
    body: StreamingBlob,
    num_bytes: u64,
    gate: Option<Arc<Semaphore>>,
) -> StreamingBlob {
    let pieces = stream::try_unfold((body, num_bytes), move |(mut body, left)| {
        let gate = gate.clone();
        async move {
            if left == 0 {
                if let Some(gate) = gate {
                    gate.acquire().await.unwrap().forget();
                }
                return Err(std::io::Error::other("the server breaks the connection"));
            }
            let piece: Bytes = body.next().await.unwrap().map_err(std::io::Error::other)?;
            let length = left.min(piece.len() as u64);
            let piece = piece.slice(..usize::try_from(length).unwrap());
            Ok(Some((piece, (body, left - length))))
        }
    });
    StreamingBlob::wrap(Box::pin(pieces))
}
