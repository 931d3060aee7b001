//! What a run keeps in a store: `runs/<run>/report.json` and `runs/<run>/rejects.jsonl`; on AWS also `runs/<run>/inputs`.

use crate::store::{Key, StoreError};

/// Where runs are kept.
pub const PREFIX: &str = "runs/";
/// The report.
pub const REPORT: &str = "report.json";
/// The rejected rows, one a line.
pub const REJECTS: &str = "rejects.jsonl";

/// The name of the input set that a run values, which a repetition values again whatever the latest is by then.
pub const INPUTS: &str = "inputs";

/// The key of an object of a run.
///
/// # Errors
/// [`StoreError::Failed`] where the run has no name that fits a key.
pub fn key(run: &str, object: &str) -> Result<Key, StoreError> {
    let key = format!("{PREFIX}{run}/{object}");
    Key::new(key.clone()).map_err(|error| StoreError::failed(key, "named", false, error))
}
