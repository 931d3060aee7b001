//! `download-exoplanets`: the planets of other stars, from the NASA Exoplanet Archive.

use super::keep::{Rows, keep};
use super::open::fetch;
use super::{Context, StageError};
use crate::exoplanets::{Candidates, ExoplanetList};
use crate::inputs::{Entry, SetName};
use crate::sources::Source;

/// A table more of whose rows than this share cannot be read has changed its form.
const MAX_SHARE_REJECTED: f64 = 0.1;

/// Brings the confirmed planets of `source` into `set`.
///
/// # Errors
/// [`StageError`]. TAP answers an error with a VOTable and status 200 at times; that is
/// [`StageError::Document`] with what the archive says.
pub async fn download_exoplanets(
    context: &Context,
    set: &SetName,
    source: &Source,
) -> Result<Entry, StageError> {
    let (origin, bytes) = fetch(context, source, "exoplanets").await?;
    let unusable = |error| StageError::Document {
        from: source.place(),
        source: error,
    };
    let list = ExoplanetList::parse(&bytes, Candidates::LeftOut)
        .map_err(|error| unusable(error.into()))?;
    if list.planets.is_empty() {
        return Err(unusable("there is no planet in it".into()));
    }
    if list.rejects.len() as f64 > MAX_SHARE_REJECTED * list.num_rows as f64 {
        let message = format!(
            "{} of {} rows cannot be read",
            list.rejects.len(),
            list.num_rows
        );
        return Err(unusable(message.into()));
    }
    let rows = Rows {
        read: list.num_rows,
        rejected: list.rejects.len() as u64,
    };
    keep(context, set, "exoplanets.json", &list, origin, rows).await
}
