//! `calculate-masses`: one best mass a body, from the list that comes with the program or a newer one.

use jiff::Timestamp;

use super::keep::{Rows, keep};
use super::open::fetch;
use super::{Context, StageError};
use crate::inputs::{Entry, SetName};
use crate::masses::{Average, MassList, builtin};
use crate::sources::Source;
use crate::upstream::Origin;

/// Where masses are taken from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MassSource {
    /// The list that comes with the program.
    #[default]
    BuiltIn,
    /// Another list: estimates, or one mass a body.
    Other(Source),
}

/// Brings one best mass a body into `set`.
///
/// # Errors
/// [`StageError`].
pub async fn calculate_masses(
    context: &Context,
    set: &SetName,
    source: &MassSource,
) -> Result<Entry, StageError> {
    match source {
        MassSource::BuiltIn => {
            let origin = Origin {
                url: "built-in".to_owned(),
                etag: None,
                last_modified: None,
                content_length: None,
                fetched_at: Timestamp::now(),
            };
            keep_list(context, set, builtin(), origin).await
        }
        MassSource::Other(source) => {
            let (origin, bytes) = fetch(context, source, "masses").await?;
            let list = MassList::parse(&bytes, Average::Weighted);
            let list = list.map_err(|error| StageError::Document {
                from: source.place(),
                source: error.into(),
            })?;
            keep_list(context, set, &list, origin).await
        }
    }
}

async fn keep_list(
    context: &Context,
    set: &SetName,
    list: &MassList,
    origin: Origin,
) -> Result<Entry, StageError> {
    let rejected = list.rejects.len() as u64;
    let rows = Rows {
        read: list.num_estimates + rejected,
        rejected,
    };
    keep(context, set, "masses.json", list, origin, rows).await
}
