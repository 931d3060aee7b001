//! The store as the program uses it: opened, with the threads that its async work runs on, and locked while
//! something in it is changed.

use std::fs::{self, File, TryLockError};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use engine::observer::chain;
use engine::pipeline::PipelineError;
use engine::store::{Key, ObjectStore, StoreLocation, Writer};
use tokio::runtime::{Handle, Runtime};

use crate::{INTERRUPT, output};

/// Threads of async work, which moves bytes and computes nothing.
const NUM_THREADS: usize = 2;
/// Where nobody can tell whether an attempt is dead, it is after this time.
const MAX_ATTEMPT_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// An open store.
pub(crate) struct Store {
    runtime: Runtime,
    location: StoreLocation,
    pub(crate) objects: Arc<dyn ObjectStore>,
}

impl Drop for Store {
    /// Waits until nothing half-written is left of what failed or was interrupted.
    fn drop(&mut self) {
        if let Err(error) = self.runtime.block_on(self.objects.settle()) {
            output::warn(&chain(&error));
        }
    }
}

/// Held while a run changes the store; nobody else does meanwhile.
pub(crate) struct StoreLock {
    _file: Option<File>,
}

impl Store {
    pub(crate) fn open(location: &StoreLocation) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(NUM_THREADS)
            .enable_all()
            .build()
            .context("the threads for downloads cannot be started")?;
        let objects = runtime.block_on(location.open(None))?;
        Ok(Store {
            runtime,
            location: location.clone(),
            objects,
        })
    }

    /// Waits for `work`, or for Ctrl-C: then it is dropped.
    pub(crate) fn wait_for<T, E: Into<anyhow::Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> anyhow::Result<T> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = INTERRUPT.cancelled() => Err(PipelineError::Cancelled.into()),
                result = work => result.map_err(Into::into),
            }
        })
    }

    /// Waits for `work`, which heeds Ctrl-C itself, to its end.
    pub(crate) fn wait_to_end<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Where the store's work is done.
    pub(crate) fn runtime(&self) -> &Handle {
        self.runtime.handle()
    }

    /// A new object as a writer.
    pub(crate) fn writer(&self, key: Key) -> Writer {
        Writer::new(self.runtime.handle(), Arc::clone(&self.objects), key)
    }

    /// Sees to it that no other run changes the store meanwhile. A store on S3 cannot be locked; there every
    /// run has its own names, so that two do each other no harm.
    pub(crate) fn lock(&self) -> anyhow::Result<StoreLock> {
        let StoreLocation::Directory(folder) = &self.location else {
            return Ok(StoreLock { _file: None });
        };
        let fail = || format!("cannot lock {}", folder.display());
        fs::create_dir_all(folder).with_context(fail)?;
        // The folder itself is locked, so that no file of a lock is left in it.
        let folder_file = File::open(folder).with_context(fail)?;
        match folder_file.try_lock() {
            Ok(()) => Ok(StoreLock {
                _file: Some(folder_file),
            }),
            Err(TryLockError::WouldBlock) => bail!(
                "another run is at work in {}: wait for its end, or use another --store",
                folder.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(fail),
        }
    }

    /// The age from which an attempt that nobody finished is dead. In a locked directory every one is.
    pub(crate) fn dead_after(&self, _lock: &StoreLock) -> Duration {
        if self.is_local() {
            Duration::ZERO
        } else {
            MAX_ATTEMPT_AGE
        }
    }

    /// Whether the store is a folder of this machine.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.location, StoreLocation::Directory(_))
    }
}
