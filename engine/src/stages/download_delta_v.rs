//! `download-delta-v`: the published tables of how hard bodies are to reach, Benner's and JPL's NHATS.
//!
//! Neither is needed: what no source has is taken from the last set, and what that has not either is left
//! out. Both are said in the notes.

use serde::{Deserialize, Serialize};

use super::keep::{Rows, keep, put_small};
use super::open::fetch;
use super::{Context, StageError};
use crate::delta_v::{DeltaVDocument, DeltaVTable};
use crate::inputs::{self, Entry, InputsError, Manifest, SetName};
use crate::nhats::NhatsTable;
use crate::observer::chain;
use crate::sources::Source;
use crate::store::StoreError;

/// The delta-v table's object.
const DELTA_V: &str = "delta-v.json";
/// The NHATS table's object.
const NHATS: &str = "nhats.json";
/// A table fewer of whose rows agree with the equations than this share is another table than it seems: of
/// that of 2013 all rows agree but for one in a thousand.
const MIN_SHARE_WITHIN: f64 = 0.9;

/// A table that a set may do without.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
            Err(error) => forgive(context, &mut notes, source, error)?,
        }
    }
    let entry = reuse(
        context,
        set,
        DELTA_V,
        |old| old.delta_v.as_ref(),
        &mut notes,
    )
    .await?;
    if entry.is_none() {
        let text = "no published delta-v: every value is computed".to_owned();
        note(context, &mut notes, text);
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
        Err(error) => forgive(context, &mut notes, source, error)?,
    }
    let entry = reuse(context, set, NHATS, |old| old.nhats.as_ref(), &mut notes).await?;
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
    let min_within = MIN_SHARE_WITHIN * comparison.num_computed as f64;
    if comparison.num_within == 0 || (comparison.num_within as f64) < min_within {
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

/// Makes a note of an error of a server. One of the store, or of a file that somebody named, is none that can be
/// forgiven.
fn forgive(
    context: &Context,
    notes: &mut Vec<String>,
    source: &Source,
    error: StageError,
) -> Result<(), StageError> {
    let is_own = matches!(error, StageError::Store(_) | StageError::Inputs(_));
    if is_own || matches!(source, Source::File(_)) {
        return Err(error);
    }
    note(context, notes, chain(&error));
    Ok(())
}

fn note(context: &Context, notes: &mut Vec<String>, text: String) {
    context.observer.note(&text);
    notes.push(text);
}

/// Copies an object of the latest set that has it, and has it whole, into `set`.
async fn reuse(
    context: &Context,
    set: &SetName,
    name: &'static str,
    entry_of: fn(&Manifest) -> Option<&Entry>,
    notes: &mut Vec<String>,
) -> Result<Option<Entry>, StageError> {
    let store = &*context.store;
    let latest = inputs::latest_that(store, |manifest| entry_of(manifest).is_some()).await?;
    let Some((manifest, entry)) = latest
        .as_ref()
        .and_then(|manifest| Some((manifest, entry_of(manifest)?)))
    else {
        return Ok(None);
    };
    let bytes = match inputs::read(store, manifest, entry).await {
        Ok(bytes) => bytes,
        // One that has expired is as good as one that is damaged: the run can do without.
        Err(
            error @ (InputsError::Damaged { .. } | InputsError::Store(StoreError::NotFound { .. })),
        ) => {
            note(context, notes, chain(&error));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    put_small(context, set, name, bytes).await?;
    let text = format!(
        "{name} is that of input set {}, fetched at {}",
        manifest.set, entry.fetched_at
    );
    note(context, notes, text);
    Ok(Some(entry.clone()))
}
