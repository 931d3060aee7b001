//! `download-delta-v`: the published tables of how hard bodies are to reach, Benner's and JPL's NHATS.
//!
//! Neither is needed: what no source has is taken from the last set, and what that has not either is left
//! out. Both are said in the notes.

use bytes::Bytes;

use super::keep::{Rows, keep, put_small};
use super::open::{MAX_SMALL_BYTES, fetch};
use super::{Context, StageError};
use crate::delta_v::{DeltaVDocument, DeltaVTable};
use crate::inputs::{self, Entry, Manifest, SetName, key_of};
use crate::nhats::NhatsTable;
use crate::observer::chain;
use crate::sources::Source;
use crate::store::read_all;

/// The delta-v table's object.
const DELTA_V: &str = "delta-v.json";
/// The NHATS table's object.
const NHATS: &str = "nhats.json";
/// A table fewer of whose rows agree with the equations than this share is another table than it seems: of
/// that of 2013 all rows agree but for one in a thousand.
const MIN_SHARE_WITHIN: f64 = 0.9;

/// A table that a set may do without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Downloaded {
    /// The table, if it was to be had.
    pub entry: Option<Entry>,
    /// Why it is missing or old.
    pub notes: Vec<String>,
}

/// Brings Benner's table into `set` from the first of `sources` that has it, else from the latest set.
///
/// A table is taken only if its values agree with the equations (see [`crate::delta_v`]).
///
/// # Errors
/// [`StageError`] where the store fails; that no source has the table is no error.
pub async fn download_delta_v(
    context: &Context,
    set: &SetName,
    sources: &[Source],
) -> Result<Downloaded, StageError> {
    let mut notes = Vec::new();
    for source in sources {
        match delta_v(context, set, source).await {
            Ok(entry) => {
                return Ok(Downloaded {
                    entry: Some(entry),
                    notes,
                });
            }
            Err(error) => forgive(&mut notes, error)?,
        }
    }
    let previous = |manifest: Manifest| manifest.delta_v;
    let entry = reuse(context, set, DELTA_V, previous, &mut notes).await?;
    if entry.is_none() {
        notes.push("no published delta-v: every value is computed".to_owned());
    }
    Ok(Downloaded { entry, notes })
}

/// Brings JPL's NHATS table into `set` from `source`, else from the latest set.
///
/// # Errors
/// [`StageError`] where the store fails; that the table cannot be had is no error.
pub async fn download_nhats(
    context: &Context,
    set: &SetName,
    source: &Source,
) -> Result<Downloaded, StageError> {
    let mut notes = Vec::new();
    match nhats(context, set, source).await {
        Ok(entry) => {
            return Ok(Downloaded {
                entry: Some(entry),
                notes,
            });
        }
        Err(error) => forgive(&mut notes, error)?,
    }
    let previous = |manifest: Manifest| manifest.nhats;
    let entry = reuse(context, set, NHATS, previous, &mut notes).await?;
    Ok(Downloaded { entry, notes })
}

async fn delta_v(context: &Context, set: &SetName, source: &Source) -> Result<Entry, StageError> {
    let (origin, bytes) = fetch(context, source, "delta-v table").await?;
    let unusable = |error| StageError::Document {
        from: source.place(),
        source: error,
    };
    let table = DeltaVTable::parse(&bytes).map_err(|error| unusable(error.into()))?;
    let document = DeltaVDocument::new(&table);
    let comparison = &document.comparison;
    if (comparison.num_within as f64) < MIN_SHARE_WITHIN * comparison.num_computed as f64 {
        let message = format!(
            "only {} of {} values agree with Benner's equations: it is another table",
            comparison.num_within, comparison.num_computed
        );
        return Err(unusable(message.into()));
    }
    let rejected = document.rejects.len() as u64;
    let rows = Rows {
        read: document.rows.len() as u64 + rejected,
        rejected,
    };
    keep(context, set, DELTA_V, &document, origin, rows).await
}

async fn nhats(context: &Context, set: &SetName, source: &Source) -> Result<Entry, StageError> {
    let (origin, bytes) = fetch(context, source, "NHATS table").await?;
    let table = NhatsTable::parse(&bytes).map_err(|error| StageError::Document {
        from: source.place(),
        source: error.into(),
    })?;
    let rejected = table.rejects.len() as u64;
    let rows = Rows {
        read: table.rows.len() as u64 + rejected,
        rejected,
    };
    keep(context, set, NHATS, &table, origin, rows).await
}

/// Makes a note of an error of a source. One of the store is none that can be forgiven.
fn forgive(notes: &mut Vec<String>, error: StageError) -> Result<(), StageError> {
    if matches!(error, StageError::Store(_) | StageError::Inputs(_)) {
        return Err(error);
    }
    notes.push(chain(&error));
    Ok(())
}

/// Copies an object of the latest set into `set`, if that has it.
async fn reuse(
    context: &Context,
    set: &SetName,
    name: &'static str,
    entry_of: impl FnOnce(Manifest) -> Option<Entry>,
    notes: &mut Vec<String>,
) -> Result<Option<Entry>, StageError> {
    let Some(manifest) = inputs::latest(&*context.store).await? else {
        return Ok(None);
    };
    let previous_set = manifest.set.clone();
    let Some(entry) = entry_of(manifest) else {
        return Ok(None);
    };
    let key = key_of(&previous_set, name);
    let bytes: Bytes = read_all(&*context.store, &key, MAX_SMALL_BYTES).await?;
    put_small(context, set, name, bytes).await?;
    notes.push(format!(
        "{name} is that of input set {previous_set}, fetched at {}",
        entry.fetched_at
    ));
    Ok(Some(entry))
}
