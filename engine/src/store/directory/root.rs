//! The files of a directory store, one at a time. Everything here blocks.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::crash;
use crate::replace::{ReplaceError, ReplacedFile, Successor, create_folder, sync_directory};
use crate::store::{BodyError, Key, Object, StoreError};

/// How often the folder of a new file is made, where others remove it as empty at the same time.
const MAX_FOLDER_ATTEMPTS: usize = 100;

/// What is behind the name of a file that is not finished; a dot is before it.
const UNFINISHED_SUFFIX: &str = ".new";

/// A put whose body did not come to its end.
#[derive(Debug, thiserror::Error)]
#[error("its body was not written to the end")]
struct Unfinished;

/// What is refused in place of a file or folder.
#[derive(Debug, thiserror::Error)]
#[error("{} is a symbolic link", .0.display())]
struct SymbolicLink(PathBuf);

/// The directory below which everything stands.
#[derive(Debug)]
pub(super) struct Root(PathBuf);

impl Root {
    pub(super) fn new(path: PathBuf) -> Self {
        Root(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes `pieces` as the object `key`, if they end in `None`.
    pub(super) fn write(
        &self,
        key: &Key,
        mut pieces: mpsc::Receiver<Option<Bytes>>,
    ) -> Result<Object, StoreError> {
        let mut file = ReplacedFile::new(self.begin(key, "")?);
        let written = loop {
            match pieces.blocking_recv() {
                Some(Some(bytes)) => {
                    if let Err(error) = file.write_all(&bytes) {
                        break Err(error);
                    }
                }
                Some(None) => break Ok(()),
                None => break Err(io::Error::other(Unfinished)),
            }
        };
        self.finish(key, file, written, Successor::commit)
            .map_err(|error| self.replace_error(key, error))
    }

    /// Writes the object `key` unless there is one.
    pub(super) fn write_new(&self, key: &Key, bytes: &[u8]) -> Result<Object, StoreError> {
        // Those who try at once each write a file of their own.
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let infix = format!(".{}-{number}", std::process::id());
        let mut file = ReplacedFile::new(self.begin(key, &infix)?);
        let written = file.write_all(bytes);
        self.finish(key, file, written, Successor::commit_new)
            .map_err(|error| match error {
                ReplaceError::Rename { source, .. }
                    if source.kind() == io::ErrorKind::AlreadyExists =>
                {
                    StoreError::AlreadyExists { key: key.clone() }
                }
                error => self.replace_error(key, error),
            })
    }

    pub(super) fn describe(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        let found = self.file(key).and_then(fs::symlink_metadata);
        match found {
            Ok(found) if found.is_file() => Ok(Some(object(key.clone(), &found))),
            Ok(_) => Ok(None),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(self.error(key, "looked up", error)),
        }
    }

    pub(super) fn read(&self, wanted: &Object, range: Range<u64>) -> Result<Bytes, StoreError> {
        let key = &wanted.key;
        let read_error = |error| match error {
            error if is_absence(&error) => StoreError::NotFound { key: key.clone() },
            error => self.error(key, "read", error),
        };
        let mut file = self.file(key).and_then(File::open).map_err(read_error)?;
        // An open file stays what it is: others replace it by another one.
        if etag(&file.metadata().map_err(read_error)?) != wanted.etag {
            return Err(StoreError::Replaced { key: key.clone() });
        }
        let range = wanted.clamp(range);
        let num_bytes = usize::try_from(range.end - range.start)
            .map_err(|error| self.error(key, "read", error))?;
        let mut bytes = vec![0; num_bytes];
        file.seek(SeekFrom::Start(range.start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(read_error)?;
        Ok(bytes.into())
    }

    pub(super) fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let deleted = self.file(key).and_then(|path| {
            fs::remove_file(&path)?;
            crash::point("file-deleted");
            path.parent().map_or(Ok(()), sync_directory)
        });
        match deleted {
            Err(error) if !is_absence(&error) => Err(self.error(key, "deleted", error)),
            _ => {
                self.remove_empty_folders(key);
                Ok(())
            }
        }
    }

    /// Removes the folders of `key`, from the innermost outwards, as long as they are empty.
    pub(super) fn remove_empty_folders(&self, key: &Key) {
        let mut folder = key.as_str();
        while let Some((outer, _)) = folder.rsplit_once('/') {
            folder = outer;
            if fs::remove_dir(self.0.join(folder)).is_err() {
                return;
            }
        }
    }

    /// Begins the file that is to become `key`. Another one with the same `infix` is refused meanwhile.
    fn begin(&self, key: &Key, infix: &str) -> Result<Successor, StoreError> {
        let store_error = |error| self.error(key, "stored", error);
        let path = self.file(key).map_err(store_error)?;
        if path.is_dir() {
            return Err(store_error(io::ErrorKind::IsADirectory.into()));
        }
        let (folder, name) = match key.as_str().rsplit_once('/') {
            Some((folder, name)) => (self.0.join(folder), name),
            None => (self.0.clone(), key.as_str()),
        };
        let unfinished = folder.join(format!(".{name}{infix}{UNFINISHED_SUFFIX}"));
        let mut num_attempts = 0;
        loop {
            num_attempts += 1;
            let begun = match create_folder(&folder) {
                Ok(()) => Successor::create_at(path.clone(), unfinished.clone()),
                Err(source) => Err(ReplaceError::Create {
                    path: folder.clone(),
                    source,
                }),
            };
            match begun {
                Err(ReplaceError::Create { source, .. })
                    if source.kind() == io::ErrorKind::NotFound
                        && num_attempts < MAX_FOLDER_ATTEMPTS => {}
                begun => return begun.map_err(|error| self.replace_error(key, error)),
            }
        }
    }

    /// Makes the file an object by `commit`, if it was `written`. Otherwise nothing of it remains.
    fn finish(
        &self,
        key: &Key,
        file: ReplacedFile,
        written: io::Result<()>,
        commit: impl FnOnce(Successor) -> Result<(), ReplaceError>,
    ) -> Result<Object, ReplaceError> {
        let finish = || {
            let successor = file.into_successor()?;
            let found = written.and_then(|()| successor.metadata());
            let found = found.map_err(|source| successor.write_error(source))?;
            commit(successor)?;
            Ok(object(key.clone(), &found))
        };
        finish().inspect_err(|_| self.remove_empty_folders(key))
    }

    /// The path of the object `key`, on which there must be no symbolic link.
    pub(super) fn file(&self, key: &Key) -> io::Result<PathBuf> {
        let mut path = self.0.clone();
        for segment in key.as_str().split('/') {
            path.push(segment);
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => {
                    return Err(io::Error::other(SymbolicLink(path)));
                }
                Err(error) if !is_absence(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(path)
    }

    pub(super) fn error(
        &self,
        key: impl fmt::Display,
        doing: &'static str,
        source: impl Into<BodyError>,
    ) -> StoreError {
        let what = self.0.join(key.to_string());
        StoreError::failed(what.display(), doing, false, source)
    }

    fn replace_error(&self, key: &Key, error: ReplaceError) -> StoreError {
        let is_busy = matches!(error, ReplaceError::Busy { .. });
        let what = self.0.join(key.as_str());
        StoreError::failed(what.display(), "stored", is_busy, error)
    }
}

/// The key whose unfinished file is called `name` in `folder`, and behind it what tells it from others.
pub(super) fn unfinished_key(folder: &str, name: &str) -> Option<Key> {
    let name = name.strip_prefix('.')?.strip_suffix(UNFINISHED_SUFFIX)?;
    Key::new(format!("{folder}{name}")).ok()
}

pub(super) fn object(key: Key, found: &Metadata) -> Object {
    let modified = found.modified().unwrap_or(UNIX_EPOCH);
    Object {
        key,
        bytes: found.len(),
        etag: etag(found),
        modified: Timestamp::try_from(modified).unwrap_or_default(),
    }
}

/// Whether the error says that nothing is there. Where a file stands in place of a key's folder, nothing is.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Files are replaced by others: a new one has another inode or, where that is used again, another time.
fn etag(found: &Metadata) -> String {
    let (inode, bytes) = (found.ino(), found.len());
    let (secs, nanos) = (found.mtime(), found.mtime_nsec());
    format!("{inode:x}-{secs:x}.{nanos:x}-{bytes:x}")
}
