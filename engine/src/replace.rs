//! Replacing a file in one step: its successor is made beside it and renamed over it.
//!
//! The successor of `x` is `x.new` in the same directory, one fixed name, locked (advisory) while it is
//! made: a second writer is told so, and what a crash leaves behind is overwritten by the next. Whoever
//! opens `x` gets the old content or the new, and after [`ReplacedFile::commit`] the new one survives a
//! loss of power.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::crash;

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 1 << 18;

/// A file that could not be replaced. The old one is as it was, unless only the directory's sync failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplaceError {
    /// The successor is locked.
    #[error("another run is writing {}", path.display())]
    Busy {
        /// The file to be replaced.
        path: PathBuf,
    },
    /// What is to be replaced is a directory, a device or a pipe.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// What it is called.
        path: PathBuf,
    },
    /// The successor or its directory could not be made.
    #[error("{} cannot be created", path.display())]
    Create {
        /// What could not be made.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The successor could not be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The successor.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The successor could not be renamed.
    #[error("{} cannot be replaced", path.display())]
    Rename {
        /// The file to be replaced.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A file being written that takes an older one's place when it is [committed](Self::commit).
///
/// Dropped before that, it is removed and the older file stays.
#[derive(Debug)]
pub struct ReplacedFile {
    buffer: BufWriter<Successor>,
}

impl ReplacedFile {
    pub(crate) fn new(successor: Successor) -> Self {
        let buffer = BufWriter::with_capacity(BUFFER_BYTES, successor);
        ReplacedFile { buffer }
    }

    /// Begins the successor of `path`, which need not exist; parent directories are created.
    ///
    /// Where `path` is a symbolic link, the file that it leads to is replaced.
    ///
    /// # Errors
    /// [`ReplaceError::Busy`] where another writer is at it, [`ReplaceError::NotAFile`] where `path` is
    /// something else than a file, [`ReplaceError::Create`].
    pub fn create(path: &Path) -> Result<Self, ReplaceError> {
        Ok(ReplacedFile::new(Successor::create(path)?))
    }

    /// Writes what is buffered and puts the file in the older one's place.
    ///
    /// # Errors
    /// [`ReplaceError::Write`] and [`ReplaceError::Rename`]; the successor is removed.
    pub fn commit(self) -> Result<(), ReplaceError> {
        self.into_successor()?.commit()
    }

    /// Writes what is buffered.
    pub(crate) fn into_successor(self) -> Result<Successor, ReplaceError> {
        self.buffer.into_inner().map_err(|failed| {
            let (source, buffer) = failed.into_parts();
            let (successor, _) = buffer.into_parts();
            successor.write_error(source)
        })
    }
}

impl Write for ReplacedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.buffer.flush()
    }
}

/// The locked file `<target>.new`, empty at first. Removed when dropped.
#[derive(Debug)]
pub(crate) struct Successor {
    target: PathBuf,
    path: PathBuf,
    /// Holds the lock until it is closed, after the rename or the removal.
    file: File,
    is_renamed: bool,
}

impl Successor {
    pub(crate) fn create(target: &Path) -> Result<Self, ReplaceError> {
        let target = resolve(target)?;
        let directory = directory_of(&target);
        create_folder(directory).map_err(|source| ReplaceError::Create {
            path: directory.to_owned(),
            source,
        })?;
        let path = with_suffix(&target, ".new");
        Successor::create_at(target, path)
    }

    /// Begins the successor of the file `target` under a name of its own in the same directory.
    pub(crate) fn create_at(target: PathBuf, path: PathBuf) -> Result<Self, ReplaceError> {
        match lock(&path) {
            Ok(Some(file)) => {
                crash::point("file-begun");
                Ok(Successor {
                    target,
                    path,
                    file,
                    is_renamed: false,
                })
            }
            Ok(None) => Err(ReplaceError::Busy { path: target }),
            Err(source) => Err(ReplaceError::Create { path, source }),
        }
    }

    /// The file that is to be replaced.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The file that is to replace it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file durable and gives it the target's name, if nothing else has it.
    pub(crate) fn commit_new(self) -> Result<(), ReplaceError> {
        if let Err(source) = self.file.sync_all() {
            return Err(self.write_error(source));
        }
        crash::point("file-written");
        // Of several links to one name, one is made. The first name goes when `self` is dropped.
        let linked = fs::hard_link(&self.path, &self.target);
        crash::point("file-linked");
        linked
            .and_then(|()| sync_directory(directory_of(&self.target)))
            .map_err(|source| ReplaceError::Rename {
                path: self.target.clone(),
                source,
            })
    }

    /// What the file system says of the file so far.
    pub(crate) fn metadata(&self) -> io::Result<fs::Metadata> {
        self.file.metadata()
    }

    /// Makes the file durable and renames it.
    pub(crate) fn commit(mut self) -> Result<(), ReplaceError> {
        if let Err(source) = self
            .file
            .sync_all()
            .and_then(|()| self.take_over_permissions())
        {
            return Err(self.write_error(source));
        }
        let rename_error = |source| ReplaceError::Rename {
            path: self.target.clone(),
            source,
        };
        crash::point("file-written");
        fs::rename(&self.path, &self.target).map_err(rename_error)?;
        self.is_renamed = true;
        crash::point("file-renamed");
        sync_directory(directory_of(&self.target)).map_err(rename_error)
    }

    /// Lets those read the file who may read the old one. That is done last, as a file that its own user may not
    /// write cannot be begun anew.
    fn take_over_permissions(&self) -> io::Result<()> {
        match fs::metadata(&self.target) {
            Ok(old) => {
                self.file.set_permissions(old.permissions())?;
                self.file.sync_all()
            }
            Err(_) => Ok(()),
        }
    }

    pub(crate) fn write_error(&self, source: io::Error) -> ReplaceError {
        ReplaceError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

impl Write for Successor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        if !self.is_renamed {
            // What stays is overwritten by the next writer.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// `path` with `suffix` behind its file name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The file behind `path`, where links lead to one or to where one may be made.
fn resolve(path: &Path) -> Result<PathBuf, ReplaceError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(ReplaceError::NotAFile {
            path: path.to_owned(),
        }),
        Ok(_) => fs::canonicalize(path).map_err(|source| ReplaceError::Create {
            path: path.to_owned(),
            source,
        }),
        Err(error) => match fs::read_link(path) {
            Ok(to) if error.kind() == io::ErrorKind::NotFound => {
                resolve(&directory_of(path).join(to))
            }
            _ => Ok(path.to_owned()),
        },
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes the successor at `path` if the process that made it is dead: its lock died with it.
pub(crate) fn remove_abandoned(path: &Path) -> io::Result<bool> {
    let mut opened = OpenOptions::new().write(true).open(path);
    if is_denied(&opened) {
        // It was about to replace a file that is not to be written.
        opened = File::open(path);
    }
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // Until the lock it may have been renamed, and another writer's file may stand here now.
    if !is_at(&file, path)? {
        return Ok(false);
    }
    fs::remove_file(path).map(|()| true)
}

fn is_denied(opened: &io::Result<File>) -> bool {
    matches!(opened, Err(error) if error.kind() == io::ErrorKind::PermissionDenied)
}

/// Opens and locks the file at `path` and empties it; `None` where somebody else has the lock.
fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        // It is emptied behind the lock: until then it may be another writer's.
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        if is_denied(&opened) && matches!(remove_abandoned(path), Ok(true)) {
            continue;
        }
        let file = opened?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Between opening and locking, the other writer may have renamed or removed the file: then it is
        // the replaced file itself that was locked, or one that is gone.
        if is_at(&file, path)? {
            file.set_len(0)?;
            return Ok(Some(file));
        }
    }
}

/// Whether the open `file` is still the one at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((open.dev(), open.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Creates `folder` and those around it, so that they survive a loss of power.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = directory_of(folder);
    create_folder(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        created => created.and_then(|()| sync_directory(parent)),
    }
}

pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.csv");
        (directory, path)
    }

    fn names(directory: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_old_content_stays_until_the_commit() {
        let (directory, path) = directory();
        fs::write(&path, "old").unwrap();
        let mut file = ReplacedFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        file.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(&directory), ["x.csv"]);
    }

    #[test]
    fn what_is_not_committed_is_removed() {
        let (directory, path) = directory();
        ReplacedFile::create(&path)
            .unwrap()
            .write_all(b"new")
            .unwrap();
        assert!(names(&directory).is_empty());
    }

    #[test]
    fn a_leftover_is_overwritten() {
        let (directory, path) = directory();
        fs::write(with_suffix(&path, ".new"), "a long leftover of a crash").unwrap();
        let mut file = ReplacedFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(&directory), ["x.csv"]);
    }

    #[test]
    fn a_second_writer_is_refused_and_the_first_goes_on() {
        let (_directory, path) = directory();
        let mut first = ReplacedFile::create(&path).unwrap();
        first.write_all(b"first").unwrap();
        let second = ReplacedFile::create(&path).unwrap_err();
        assert!(matches!(second, ReplaceError::Busy { .. }), "{second}");
        first.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        ReplacedFile::create(&path).unwrap().commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn writers_that_race_each_publish_a_whole_file() {
        let (directory, path) = directory();
        let write = |text: &str| {
            for _ in 0..200 {
                let Ok(mut file) = ReplacedFile::create(&path) else {
                    continue;
                };
                file.write_all(text.as_bytes()).unwrap();
                file.commit().unwrap();
                let found = fs::read_to_string(&path).unwrap();
                assert!(matches!(&*found, "one" | "two"), "{found:?}");
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| write("one"));
            scope.spawn(|| write("two"));
        });
        assert_eq!(names(&directory), ["x.csv"]);
    }

    #[test]
    fn parent_directories_are_created() {
        let (directory, _) = directory();
        let path = directory.path().join("a/b/x.csv");
        ReplacedFile::create(&path).unwrap().commit().unwrap();
        assert!(path.is_file());
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let (directory, _) = directory();
        let error = ReplacedFile::create(directory.path()).unwrap_err();
        assert!(matches!(error, ReplaceError::NotAFile { .. }), "{error}");
        assert!(ReplacedFile::create(Path::new("/dev/null")).is_err());
    }

    #[test]
    fn a_link_to_what_is_not_there_yet_stays() {
        let (directory, path) = directory();
        let links = ["first", "second"].map(|name| directory.path().join(name));
        std::os::unix::fs::symlink("second", &links[0]).unwrap();
        std::os::unix::fs::symlink("x.csv", &links[1]).unwrap();
        let mut file = ReplacedFile::create(&links[0]).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(links.iter().all(|link| link.is_symlink()));
    }

    /// Who may do anything, such as root, may write to such a file, too.
    #[test]
    fn a_leftover_that_is_not_to_be_written_is_overwritten() {
        let (directory, path) = directory();
        let leftover = with_suffix(&path, ".new");
        for remove in [false, true] {
            fs::write(&leftover, "of a crash").unwrap();
            let mut permissions = fs::metadata(&leftover).unwrap().permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&leftover, permissions).unwrap();
            if remove {
                assert!(remove_abandoned(&leftover).unwrap());
            } else {
                let mut file = ReplacedFile::create(&path).unwrap();
                file.write_all(b"new").unwrap();
                file.commit().unwrap();
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
            assert_eq!(names(&directory), ["x.csv"]);
        }
    }

    #[test]
    fn a_link_stays_and_its_file_is_replaced() {
        let (directory, path) = directory();
        let link = directory.path().join("link");
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink("x.csv", &link).unwrap();
        let mut file = ReplacedFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(link.is_symlink());
    }
}
