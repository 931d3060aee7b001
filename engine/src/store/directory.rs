//! The object store as a directory: an object is a file, its key the file's path.
//!
//! What is being put stands beside its target under a name with a leading dot, which no key has, and is
//! locked while its process lives: so it is never listed, and the dead are told from the living. The file
//! system works on tokio's blocking threads, one a put; a put holds [`MAX_PIECES`] pieces of its body and a
//! write buffer.
//!
//! Where S3 lets the last of several puts win, a second put of a key that is being put is refused here, as
//! busy and retryable. A key cannot be an object and the folder of another at once. Symbolic links below the
//! root are not followed and not listed.

mod root;
mod walk;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use self::root::Root;
use super::{Body, BodyError, Key, Object, ObjectStore, StoreError};

/// The pieces of a body that wait for the disk.
const MAX_PIECES: usize = 2;

/// A directory that keeps objects.
#[derive(Debug)]
pub struct Directory {
    root: Arc<Root>,
    /// What works on blocking threads, also for futures that were dropped.
    tasks: TaskTracker,
}

impl Directory {
    /// Opens the directory at `path`, which is created when something is put.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where something else than a directory is there.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        if path.metadata().is_ok_and(|found| !found.is_dir()) {
            let source = io::Error::from(io::ErrorKind::NotADirectory);
            return Err(StoreError::failed(path.display(), "opened", false, source));
        }
        let tasks = TaskTracker::new();
        tasks.close();
        Ok(Directory {
            root: Arc::new(Root::new(path)),
            tasks,
        })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Does `work` on a blocking thread, to its end even if the caller goes away.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let root = Arc::clone(&self.root);
        match self.tasks.spawn_blocking(move || work(&root)).await {
            Ok(result) => result,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(ended) => Err(StoreError::failed(self.location(), "used", false, ended)),
            },
        }
    }
}

#[async_trait]
impl ObjectStore for Directory {
    fn location(&self) -> String {
        self.root.path().display().to_string()
    }

    async fn put(&self, key: &Key, body: Body) -> Result<Object, StoreError> {
        let (sender, pieces) = mpsc::channel(MAX_PIECES);
        let owned_key = key.clone();
        let written = self.blocking(move |root| root.write(&owned_key, pieces));
        let (fed, written) = futures::join!(feed(body, sender), written);
        if let Err(source) = fed {
            let key = key.clone();
            return Err(StoreError::Body { key, source });
        }
        written
    }

    async fn publish(&self, key: &Key, bytes: Bytes) -> Result<Object, StoreError> {
        let key = key.clone();
        self.blocking(move |root| root.write_new(&key, &bytes))
            .await
    }

    async fn head(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        let key = key.clone();
        self.blocking(move |root| root.describe(&key)).await
    }

    async fn read_range(&self, object: &Object, range: Range<u64>) -> Result<Bytes, StoreError> {
        let object = object.clone();
        self.blocking(move |root| root.read(&object, range)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Object>, StoreError> {
        let prefix = prefix.to_owned();
        self.blocking(move |root| walk::list(root, &prefix)).await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let key = key.clone();
        self.blocking(move |root| root.delete(&key)).await
    }

    /// Removes what is not locked, however young it is: its process is dead.
    async fn remove_abandoned(&self, prefix: &str, _: Duration) -> Result<u64, StoreError> {
        let prefix = prefix.to_owned();
        self.blocking(move |root| walk::remove_abandoned(root, &prefix))
            .await
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.tasks.wait().await;
        Ok(())
    }
}

/// Hands the pieces of `body` to the thread that writes them, and `None` behind the last one. Where that
/// thread has failed, the rest of the body is left.
async fn feed(mut body: Body, pieces: mpsc::Sender<Option<Bytes>>) -> Result<(), BodyError> {
    while let Some(piece) = body.next().await {
        if pieces.send(Some(piece?)).await.is_err() {
            return Ok(());
        }
    }
    let _ = pieces.send(None).await;
    Ok(())
}
