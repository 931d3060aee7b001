//! Input sets: every download is kept, whole and with its origin, so that a run can be repeated without
//! touching an upstream.
//!
//! ```text
//! inputs/<set>/asteroids.json.zst (or .csv.zst), delta-v.json, nhats.json, exoplanets.json, masses.json
//! inputs/<set>/manifest.json      written last: a set without it does not exist
//! ```
//!
//! A set is named by the time at which it was begun, so names sort by age and no two attempts share one.
//! Nothing in a published set is ever changed.

mod manifest;
mod verify;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use manifest::{CatalogueEntry, Entry, Manifest};
pub(crate) use verify::hexadecimal;
pub use verify::{Fault, object, read, verify};

use crate::crash;
use crate::store::{BadKey, Key, Object, ObjectStore, StoreError, read_all};

/// Where input sets are kept in a store.
pub const PREFIX: &str = "inputs/";
/// The object that makes a set exist.
const MANIFEST: &str = "manifest.json";
/// The object that reserves a name. A set that has it and no manifest is being made, or its attempt died.
const BEGUN: &str = "begun";
/// The largest manifest that is read: a catalogue of 100 GB has one of 1.5 MB.
const MAX_MANIFEST_BYTES: u64 = 16 << 20;

/// An input set that cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputsError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no set of that name.
    #[error(
        "there is no input set {name} in {location}: `prospector inputs` lists those that are there"
    )]
    NoSuchSet {
        /// What was asked for.
        name: String,
        /// Where.
        location: String,
    },
    /// There is no set at all.
    #[error("there is no input set in {location} yet: `--inputs fresh` downloads one")]
    NoSet {
        /// Where.
        location: String,
    },
    /// An object of a set is not what its manifest says.
    #[error(
        "{object} of input set {set} {fault}: `prospector inputs verify {set}` checks the others"
    )]
    Damaged {
        /// The set.
        set: SetName,
        /// The object's name in it.
        object: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A manifest is that of another set.
    #[error(
        "the manifest of input set {set} is that of {says}: the folder is a copy, which can be deleted"
    )]
    OtherSet {
        /// The set.
        set: SetName,
        /// The set that the manifest names.
        says: SetName,
    },
    /// A manifest cannot be read.
    #[error(
        "the manifest of input set {set} cannot be read: name another set, or delete the folder of this one"
    )]
    Manifest {
        /// The set.
        set: SetName,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Which inputs a run uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// New ones, downloaded.
    Fresh,
    /// The latest set.
    Latest,
    /// The set of this name, or the latest whose name begins so: `2026-11-25` is the latest of that day.
    Named(SetName),
}

impl FromStr for Which {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        Ok(match text {
            "fresh" => Which::Fresh,
            "latest" => Which::Latest,
            name => Which::Named(name.parse()?),
        })
    }
}

/// The name of an input set: when it was begun, `2026-11-25T101500Z`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SetName(String);

impl SetName {
    /// The key of one of the set's objects.
    ///
    /// # Errors
    /// [`BadKey`] where `object` is no name of an object.
    pub fn key(&self, object: &str) -> Result<Key, BadKey> {
        Key::new(format!("{}{object}", self.prefix()))
    }

    /// Whether the name is one that [`reserve`] gives: a time, and perhaps a number behind it. No other is a set's.
    #[must_use]
    pub fn is_time(&self) -> bool {
        const PATTERN: &[u8] = b"0000-00-00T000000Z";
        let (time, rest) = match self.0.split_at_checked(PATTERN.len()) {
            Some(parts) => parts,
            None => return false,
        };
        let fits = |(byte, pattern): (u8, &u8)| match pattern {
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        };
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        time.bytes().zip(PATTERN).all(fits)
            && (rest.is_empty() || rest.strip_prefix('-').is_some_and(is_number))
    }

    /// What the keys of the set's objects begin with.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{PREFIX}{}/", self.0)
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for SetName {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        // A name is one segment of a key, so that it leads nowhere else.
        if text.contains('/') {
            return Err(BadKey::of(text));
        }
        Key::new(text).map(|key| SetName(key.into()))
    }
}

impl TryFrom<String> for SetName {
    type Error = BadKey;

    fn try_from(text: String) -> Result<Self, BadKey> {
        text.parse()
    }
}

impl From<SetName> for String {
    fn from(name: SetName) -> String {
        name.0
    }
}

/// Reserves a name made of the time `now` below `prefix`: `2026-11-25T101500Z`, and with `-2` behind it where
/// another began in the same second. Of several who ask at once, each gets another name.
///
/// The reservation is an object; whoever has it [releases](release) it when the name's own objects stand.
///
/// # Errors
/// [`StoreError`].
pub async fn reserve(
    store: &dyn ObjectStore,
    prefix: &str,
    now: Timestamp,
) -> Result<SetName, StoreError> {
    let time = now.strftime("%Y-%m-%dT%H%M%SZ").to_string();
    let taken = store.list(&format!("{prefix}{time}")).await?;
    let is_taken = |name: &str| {
        let folder = format!("{prefix}{name}/");
        taken
            .iter()
            .any(|object| object.key.as_str().starts_with(&folder))
    };
    let later = (2..).map(|number| format!("{time}-{number}"));
    for name in std::iter::once(time.clone()).chain(later) {
        if is_taken(&name) {
            continue;
        }
        let name = SetName(name);
        match store.publish(&mark_of(prefix, &name), mark()).await {
            Err(StoreError::AlreadyExists { .. }) => {}
            reserved => {
                crash::point("name-reserved");
                return reserved.map(|_| name);
            }
        }
    }
    unreachable!("there is always a later name")
}

/// Marks the set `name` as begun, for whoever has the name from elsewhere. Several may do so for one set: each
/// stage that puts something into it begins by this.
///
/// # Errors
/// [`StoreError::Failed`].
pub async fn begin(store: &dyn ObjectStore, name: &SetName) -> Result<(), StoreError> {
    match store.publish(&mark_of(PREFIX, name), mark()).await {
        Ok(_) | Err(StoreError::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Releases a [reserved](reserve) name: the objects that make it taken are there.
///
/// # Errors
/// [`StoreError`].
pub async fn release(
    store: &dyn ObjectStore,
    prefix: &str,
    name: &SetName,
) -> Result<(), StoreError> {
    store.delete(&mark_of(prefix, name)).await
}

fn mark() -> Bytes {
    Bytes::from_static(b"begun, and not finished yet\n")
}

fn mark_of(prefix: &str, name: &SetName) -> Key {
    Key::new(format!("{prefix}{name}/{BEGUN}")).expect("a name and words of our own make a key")
}

/// Publishes a set: its objects are all stored, and now it exists.
///
/// # Errors
/// [`StoreError::AlreadyExists`] where another has published a set of that name, or what the store fails with.
pub async fn publish(store: &dyn ObjectStore, manifest: &Manifest) -> Result<(), StoreError> {
    let key = key_of(&manifest.set, MANIFEST);
    let json = serde_json::to_vec_pretty(manifest).map_err(|source| StoreError::Failed {
        what: key.to_string(),
        doing: "written",
        is_retryable: false,
        source: source.into(),
    })?;
    store.publish(&key, Bytes::from(json)).await?;
    crash::point("set-published");
    release(store, PREFIX, &manifest.set).await
}

/// The names of the sets that exist, the oldest first. A folder of another name is somebody's own, not a set.
///
/// # Errors
/// [`StoreError`].
pub async fn names(store: &dyn ObjectStore) -> Result<Vec<SetName>, StoreError> {
    let objects = by_name(PREFIX, store.list(PREFIX).await?);
    let is_published = |objects: &[Object]| objects.iter().any(is_manifest);
    Ok(objects
        .into_iter()
        .filter(|(name, objects)| name.is_time() && is_published(objects))
        .map(|(name, _)| name)
        .collect())
}

/// The manifest of the latest set, if there is one.
///
/// # Errors
/// [`InputsError::Store`], [`InputsError::Manifest`].
pub async fn latest(store: &dyn ObjectStore) -> Result<Option<Manifest>, InputsError> {
    match names(store).await?.pop() {
        Some(name) => manifest(store, &name).await.map(Some),
        None => Ok(None),
    }
}

/// The manifest of the set that is called `name`, as [`find`] finds it, or of the latest where no name is given.
///
/// # Errors
/// [`InputsError`].
pub async fn find_or_latest(
    store: &dyn ObjectStore,
    name: Option<&SetName>,
) -> Result<Manifest, InputsError> {
    match name {
        Some(name) => find(store, name).await,
        None => latest(store).await?.ok_or_else(|| InputsError::NoSet {
            location: store.location(),
        }),
    }
}

/// The manifest of the set that is called `name`, or of the latest whose name begins so.
///
/// # Errors
/// [`InputsError`].
pub async fn find(store: &dyn ObjectStore, name: &SetName) -> Result<Manifest, InputsError> {
    let names = names(store).await?;
    let exact = names.iter().find(|candidate| *candidate == name);
    // A whole time is not taken for the beginning of another of the same second.
    let is_date = !name.0.ends_with('Z');
    let begins_so = || {
        names
            .iter()
            .rfind(|other| is_date && other.0.starts_with(&name.0))
    };
    match exact.or_else(begins_so) {
        Some(name) => manifest(store, name).await,
        None => Err(InputsError::NoSuchSet {
            name: name.to_string(),
            location: store.location(),
        }),
    }
}

/// The manifest of the set `name`.
///
/// # Errors
/// [`InputsError::Store`], [`InputsError::Manifest`].
pub async fn manifest(store: &dyn ObjectStore, name: &SetName) -> Result<Manifest, InputsError> {
    let bytes = read_all(store, &key_of(name, MANIFEST), MAX_MANIFEST_BYTES).await?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|source| InputsError::Manifest {
            set: name.clone(),
            source,
        })?;
    if manifest.set != *name {
        return Err(InputsError::OtherSet {
            set: name.clone(),
            says: manifest.set,
        });
    }
    Ok(manifest)
}

/// The latest set that `is_wanted`, passing over those whose manifest cannot be read.
///
/// # Errors
/// [`InputsError::Store`].
pub(crate) async fn latest_that(
    store: &dyn ObjectStore,
    is_wanted: impl Fn(&Manifest) -> bool,
) -> Result<Option<Manifest>, InputsError> {
    for name in names(store).await?.iter().rev() {
        match manifest(store, name).await {
            Ok(manifest) if is_wanted(&manifest) => return Ok(Some(manifest)),
            Err(error @ InputsError::Store(StoreError::Failed { .. })) => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

/// Deletes all but the `keep` latest sets and returns the names of those that are gone.
///
/// # Errors
/// [`StoreError`]. A set that is deleted in part no longer exists: its manifest goes first.
pub async fn prune(store: &dyn ObjectStore, keep: usize) -> Result<Vec<SetName>, StoreError> {
    let mut names = names(store).await?;
    names.truncate(names.len().saturating_sub(keep));
    for name in &names {
        discard(store, name).await?;
    }
    Ok(names)
}

/// Deletes a set: its manifest first, so that it does not exist while it is deleted, and last the mark that
/// tells an unfinished set, so that what a crash leaves is swept up.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn discard(store: &dyn ObjectStore, name: &SetName) -> Result<(), StoreError> {
    let mark = mark_of(PREFIX, name);
    let has_mark = store.head(&mark).await?.is_some();
    if !has_mark {
        store.publish(&mark, Bytes::new()).await?;
    }
    store.delete(&key_of(name, MANIFEST)).await?;
    for object in store.list(&name.prefix()).await? {
        if object.key != mark {
            store.delete(&object.key).await?;
        }
    }
    store.delete(&mark).await
}

/// Removes what attempts that died left behind: half-written objects, and sets that were begun and have no
/// manifest, to which nothing was added for `min_age`. Returns how many objects there were.
///
/// # Errors
/// [`StoreError`].
pub async fn sweep(store: &dyn ObjectStore, min_age: Duration) -> Result<u64, StoreError> {
    let is_published = |_: &SetName, objects: &[Object]| objects.iter().any(is_manifest);
    sweep_names(store, PREFIX, min_age, is_published).await
}

/// Removes below `prefix` half-written objects, and what is left of names that were [reserved](reserve), not
/// released, and not touched for `min_age`: whoever had them died. Of one that `is_done`, only the mark goes.
/// Returns how many objects there were.
///
/// # Errors
/// [`StoreError`].
pub async fn sweep_names(
    store: &dyn ObjectStore,
    prefix: &str,
    min_age: Duration,
    is_done: impl Fn(&SetName, &[Object]) -> bool,
) -> Result<u64, StoreError> {
    let mut num_removed = store.remove_abandoned(prefix, min_age).await?;
    for (name, objects) in begun(store, prefix, min_age).await? {
        let mark = mark_of(prefix, &name);
        if !is_done(&name, &objects) {
            for object in objects.iter().filter(|object| object.key != mark) {
                store.delete(&object.key).await?;
                num_removed += 1;
            }
        }
        // Last, so that what a crash leaves of it is still told.
        store.delete(&mark).await?;
        num_removed += 1;
    }
    Ok(num_removed)
}

/// The names below `prefix` that have the mark of a reservation and were not touched for `min_age`, each with its
/// objects.
async fn begun(
    store: &dyn ObjectStore,
    prefix: &str,
    min_age: Duration,
) -> Result<BTreeMap<SetName, Vec<Object>>, StoreError> {
    let now = Timestamp::now();
    let is_old = |object: &Object| {
        let age = Duration::try_from(now.duration_since(object.modified)).unwrap_or_default();
        age >= min_age
    };
    let mut names = by_name(prefix, store.list(prefix).await?);
    names.retain(|name, objects| {
        let mark = mark_of(prefix, name);
        objects.iter().any(|object| object.key == mark) && objects.iter().all(is_old)
    });
    Ok(names)
}

fn is_manifest(object: &Object) -> bool {
    object
        .key
        .as_str()
        .strip_prefix(PREFIX)
        .and_then(|key| key.split_once('/'))
        .is_some_and(|(_, object)| object == MANIFEST)
}

/// Objects by the name below `prefix` that they belong to.
fn by_name(prefix: &str, objects: Vec<Object>) -> BTreeMap<SetName, Vec<Object>> {
    let mut sets: BTreeMap<SetName, Vec<Object>> = BTreeMap::new();
    for object in objects {
        let name = object
            .key
            .as_str()
            .strip_prefix(prefix)
            .and_then(|key| key.split_once('/'))
            .map(|(name, _)| SetName(name.to_owned()));
        if let Some(name) = name {
            sets.entry(name).or_default().push(object);
        }
    }
    sets
}

/// The key of an object whose name is one of ours.
pub(crate) fn key_of(name: &SetName, object: &'static str) -> Key {
    name.key(object)
        .expect("a set's name and one of our own make a key")
}
