//! An S3 server on loopback that takes objects and forgets them: for measuring clients, where a disk would be
//! what is measured. Prints its URL. Any bucket and key; the credentials are `test` and `test`.
#![allow(clippy::print_stdout, reason = "a program for people")]

use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use tokio::net::TcpListener;

#[derive(Default)]
struct Sink {
    num_uploads: AtomicU64,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> std::io::Result<()> {
    let mut service = s3s::service::S3ServiceBuilder::new(Sink::default());
    service.set_auth(SimpleAuth::from_single("test", "test"));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        let service = service.clone();
        tokio::spawn(async move {
            let http = Builder::new(TokioExecutor::new());
            // A client that goes away is the client's business.
            let _ = http.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

/// Reads the body to its end and returns its length.
async fn forget(body: Option<StreamingBlob>) -> S3Result<u64> {
    let mut body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
    let mut num_bytes = 0;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| s3_error!(IncompleteBody, "{error}"))?;
        num_bytes += piece.len() as u64;
    }
    Ok(num_bytes)
}

fn etag() -> Option<ETag> {
    Some(ETag::Strong("forgotten".to_owned()))
}

#[async_trait::async_trait]
impl S3 for Sink {
    async fn put_object(
        &self,
        req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        forget(req.input.body).await?;
        Ok(S3Response::new(PutObjectOutput {
            e_tag: etag(),
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let number = self.num_uploads.fetch_add(1, Ordering::Relaxed);
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(req.input.bucket),
            key: Some(req.input.key),
            upload_id: Some(number.to_string()),
            ..Default::default()
        }))
    }

    async fn upload_part(
        &self,
        req: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        forget(req.input.body).await?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: etag(),
            ..Default::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(req.input.bucket),
            key: Some(req.input.key),
            e_tag: etag(),
            ..Default::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        _: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
