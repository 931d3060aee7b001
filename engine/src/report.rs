//! The report of a run: what was read, what became of it, and how long it took. It reconciles, or the run
//! has failed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Header, Trailer};
use crate::delta_v::Comparison;
use crate::exoplanets::{ArchiveTable, ExoplanetList};
use crate::inputs::SetName;
use crate::masses::MassList;
use crate::memory;
use crate::nhats::NhatsTable;
use crate::pipeline::Summary;
use crate::reject::Reason;

/// What a run did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The run's id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<String>,
    /// What the inputs were.
    pub inputs: Inputs,
    /// Rows by what became of them.
    pub rows: RowCounts,
    /// Bytes that went in and out.
    pub bytes: ByteCounts,
    /// What each stage took.
    pub stages: Vec<Stage>,
}

/// What the inputs of a run were.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Inputs {
    /// The input set that they were kept in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub set: Option<SetName>,
    /// What people should know of how that set came about.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// The catalogue.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asteroids: Option<CatalogueInput>,
    /// The published delta-v table against the equations.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delta_v: Option<DeltaVInput>,
    /// JPL's NHATS table.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nhats: Option<NhatsInput>,
    /// The mass list.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub masses: Option<MassInput>,
    /// The exoplanets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exoplanets: Option<ExoplanetInput>,
}

/// The catalogue as an input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CatalogueInput {
    /// Where it was read from.
    pub from: String,
    /// What it said before its rows.
    #[serde(flatten)]
    pub header: Header,
    /// What it said behind them.
    #[serde(flatten)]
    pub trailer: Trailer,
}

/// The delta-v table as an input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeltaVInput {
    /// Where it was read from.
    pub from: String,
    /// Rows that could not be read.
    pub rejected: usize,
    /// Its values against the equations'.
    pub comparison: Comparison,
}

/// The NHATS table as an input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NhatsInput {
    /// Where it was read from.
    pub from: String,
    /// Bodies that it lists.
    pub rows: usize,
    /// Rows that could not be read.
    pub rejected: usize,
}

impl NhatsInput {
    /// Describes a table that was read `from` somewhere.
    #[must_use]
    pub fn new(from: String, table: &NhatsTable) -> Self {
        NhatsInput {
            from,
            rows: table.rows.len(),
            rejected: table.rejects.len(),
        }
    }
}

/// The mass list as an input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MassInput {
    /// Where it was read from.
    pub from: String,
    /// Bodies with a mass.
    pub bodies: usize,
    /// Estimates that the masses are made of.
    pub estimates: u64,
    /// Estimates that were dropped as too uncertain.
    pub dropped: u64,
    /// Lines that could not be read.
    pub rejected: usize,
}

impl MassInput {
    /// Describes a list that was read `from` somewhere.
    #[must_use]
    pub fn new(from: String, list: &MassList) -> Self {
        MassInput {
            from,
            bodies: list.bodies.len(),
            estimates: list.num_estimates,
            dropped: list.num_dropped,
            rejected: list.rejects.len(),
        }
    }
}

/// The exoplanets as an input: rows = planets + candidates left out + false positives + rejected.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExoplanetInput {
    /// Where they were read from.
    pub from: String,
    /// Which of the archive's tables it is.
    pub table: Option<ArchiveTable>,
    /// Rows read.
    pub rows: u64,
    /// Planets among them.
    pub planets: usize,
    /// Candidates that were left out.
    pub candidates_left_out: u64,
    /// False positives, left out too.
    pub false_positives: u64,
    /// Rows that could not be read.
    pub rejected: usize,
}

impl ExoplanetInput {
    /// Describes a list that was read `from` somewhere.
    #[must_use]
    pub fn new(from: String, list: &ExoplanetList) -> Self {
        ExoplanetInput {
            from,
            table: list.table,
            rows: list.num_rows,
            planets: list.planets.len(),
            candidates_left_out: list.num_candidates_left_out,
            false_positives: list.num_false_positives,
            rejected: list.rejects.len(),
        }
    }
}

/// Rows by what became of them, the exoplanets' among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows of the catalogue and planets that were read.
    pub read: u64,
    /// Those that became items.
    pub valued: u64,
    /// Those that did not.
    pub rejected: u64,
    /// The same by reason.
    pub rejected_by_reason: BTreeMap<Reason, u64>,
    /// Items that have reached their end; absent until they have been counted there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub written: Option<u64>,
    /// Items by kind.
    pub kinds: Kinds,
    /// Items by lookup that they matched.
    pub merged: Merged,
}

/// Items by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kinds {
    /// Asteroids.
    pub asteroid: u64,
    /// Comets.
    pub comet: u64,
    /// Exoplanets.
    pub exoplanet: u64,
}

/// Items by lookup that they matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Listed in the delta-v table.
    pub delta_v: u64,
    /// Listed by NHATS.
    pub nhats: u64,
    /// Named in the mass list.
    pub mass: u64,
}

impl RowCounts {
    /// Counts what went through a pipeline.
    #[must_use]
    pub fn new(summary: &Summary) -> Self {
        let counts = &summary.counts;
        RowCounts {
            read: counts.read,
            valued: counts.valued,
            rejected: summary.num_rejected(),
            rejected_by_reason: summary.rejected.clone(),
            written: None,
            kinds: Kinds {
                asteroid: counts.asteroids,
                comet: counts.comets,
                exoplanet: counts.exoplanets,
            },
            merged: Merged {
                delta_v: counts.matched_delta_v,
                nhats: counts.matched_nhats,
                mass: counts.matched_mass,
            },
        }
    }

    /// Takes the number of items that were `written`, and checks that nothing was lost and nothing counted twice.
    ///
    /// # Errors
    /// [`Unreconciled`] where read is not valued + rejected, or valued is not written.
    pub fn reconcile(&mut self, written: u64) -> Result<(), Unreconciled> {
        self.written = Some(written);
        if self.read == self.valued + self.rejected && self.valued == written {
            return Ok(());
        }
        Err(Unreconciled {
            read: self.read,
            valued: self.valued,
            rejected: self.rejected,
            written,
        })
    }
}

/// Counts that do not add up: a fault of this program, and a failed run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the counts do not add up: {read} read, {valued} valued, {rejected} rejected, {written} written"
)]
pub struct Unreconciled {
    /// Rows read.
    pub read: u64,
    /// Rows valued.
    pub valued: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Items written.
    pub written: u64,
}

/// Bytes that went in and out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteCounts {
    /// Rows of the catalogue, after decompression.
    pub read: u64,
    /// Items as lines, or as values where they went into a database on this machine.
    pub written: u64,
}

/// What a stage took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Seconds from its start to its end.
    pub seconds: f64,
    /// The most memory that the process has had by its end, in bytes, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peak_memory_bytes: Option<u64>,
}

impl Stage {
    /// What a stage took that has ended just now.
    #[must_use]
    pub fn ended(name: &'static str, elapsed: Duration) -> Self {
        Stage {
            name: name.into(),
            seconds: elapsed.as_secs_f64(),
            peak_memory_bytes: memory::peak_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_reconcile_only_where_nothing_is_lost_or_doubled() {
        let counts = |read, valued, rejected| RowCounts {
            read,
            valued,
            rejected,
            ..Default::default()
        };
        assert_eq!(counts(10, 8, 2).reconcile(8), Ok(()));
        for (mut wrong, written) in [
            (counts(11, 8, 2), 8),
            (counts(10, 8, 1), 8),
            (counts(10, 8, 2), 7),
            (counts(10, 9, 1), 8),
        ] {
            assert!(wrong.reconcile(written).is_err(), "{wrong:?}, {written}");
        }
    }

    #[test]
    fn a_report_is_read_again_as_it_was_written() {
        let json = serde_json::json!({
            "run": "weekly-1",
            "inputs": {
                "set": "2026-11-25T101500Z",
                "asteroids": {
                    "from": "inputs/2026-11-25T101500Z/asteroids.json.zst",
                    "format": "json", "compression": "zstd", "columns": ["pdes"],
                    "count": 3, "made_by": null,
                },
            },
            "rows": {
                "read": 3, "valued": 2, "rejected": 1, "rejected_by_reason": {"no-key": 1},
                "kinds": {"asteroid": 2, "comet": 0, "exoplanet": 0},
                "merged": {"delta_v": 1, "nhats": 0, "mass": 0},
            },
            "bytes": {"read": 100, "written": 200},
            "stages": [{"name": "parse-horizon", "seconds": 0.5}],
        });
        let report: Report = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(report).unwrap(), json);
    }
}
