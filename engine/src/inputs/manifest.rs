//! The manifest: what an input set holds and where it came from. It is written last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SetName;
use crate::catalogue::Format;
use crate::frames::Frame;

/// What an input set holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The set's name.
    pub set: SetName,
    /// The program and its version.
    pub made_by: String,
    /// JPL's catalogue of small bodies.
    pub asteroids: CatalogueEntry,
    /// The published delta-v table. Absent where no source had one: every value is computed then.
    pub delta_v: Option<Entry>,
    /// JPL's NHATS table. Absent where it could not be had.
    pub nhats: Option<Entry>,
    /// The NASA Exoplanet Archive's planets.
    pub exoplanets: Entry,
    /// One best mass a body.
    pub masses: Entry,
    /// What people should know of how the set came about, such as a table that is an older one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One object of an input set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The object's name in the set.
    pub object: String,
    /// Where it was fetched: a URL, a path, or `built-in`.
    pub source: String,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// The server's entity tag.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub etag: Option<String>,
    /// When the server says that it changed last, in the server's words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_modified: Option<String>,
    /// The object's size, bytes.
    pub bytes: u64,
    /// Rows that were read out of the source, the unreadable ones among them.
    pub rows: u64,
    /// Rows among them that cannot be used.
    pub rejected: u64,
    /// SHA-256 of the object, hexadecimal.
    pub sha256: String,
}

/// The catalogue of an input set, kept as independent Zstandard frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// What every object has.
    #[serde(flatten)]
    pub entry: Entry,
    /// How its rows are written.
    pub format: Format,
    /// Its columns, in the order of the cells.
    pub columns: Vec<String>,
    /// The number of bodies that the server counted.
    pub count: Option<u64>,
    /// The size of the content, bytes.
    pub content_bytes: u64,
    /// Where frames begin, one in 4 MiB of content.
    pub frames: Vec<Frame>,
}

impl Manifest {
    /// The set's objects, each with what it is, for people.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &Entry)> {
        [
            Some(("asteroids", &self.asteroids.entry)),
            self.delta_v.as_ref().map(|entry| ("delta-v", entry)),
            self.nhats.as_ref().map(|entry| ("nhats", entry)),
            Some(("exoplanets", &self.exoplanets)),
            Some(("masses", &self.masses)),
        ]
        .into_iter()
        .flatten()
    }
}
