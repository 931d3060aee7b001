//! The published table checked against the equations, and the document that carries both.

use serde::{Deserialize, Serialize};

use super::benner::rendezvous_delta_v;
use super::row::TableRow;
use super::table::DeltaVTable;
use crate::reject::Reject;

/// How far a computed value may be from the published one, in km/s.
///
/// The table gives its values to 0.001 km/s, so 0.0005 is rounding, and its elements to as few places as it
/// was computed with. All but the rows at a perihelion of 1 au, where rounding decides between Apollo and
/// Amor, keep within this.
pub const TOLERANCE_KMS: f64 = 0.0006;

/// The most deviations that a comparison lists.
pub const MAX_DEVIATIONS: usize = 20;

/// How well the published values agree with the computed ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The table's rows.
    pub num_rows: usize,
    /// The rows with a computed value.
    pub num_computed: usize,
    /// The rows whose orbit has no value by the equations.
    pub num_without_value: usize,
    /// The rows whose values agree to [`TOLERANCE_KMS`].
    pub num_within: usize,
    /// That tolerance, in km/s.
    pub tolerance_kms: f64,
    /// The median of the absolute deviations, in km/s. Absent where nothing was computed.
    pub median_kms: Option<f64>,
    /// The largest absolute deviation, in km/s. Absent where nothing was computed.
    pub max_kms: Option<f64>,
    /// The row with the largest. Absent where nothing was computed.
    pub max_row: Option<Deviation>,
    /// The rows beyond the tolerance, the worst first, at most [`MAX_DEVIATIONS`] of them.
    pub beyond: Vec<Deviation>,
}

/// A row's two values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// The row's place in the table.
    pub rank: u32,
    /// The body's number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u32>,
    /// The body's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The body's provisional designation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub designation: Option<String>,
    /// The table's value, in km/s.
    pub published_kms: f64,
    /// The equations' value, in km/s.
    pub computed_kms: f64,
    /// How far they are apart, in km/s.
    pub deviation_kms: f64,
}

/// The table as `delta-v.json` keeps it. [`DeltaVTable::parse`] reads it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeltaVDocument {
    /// How well the table agrees with the equations.
    pub comparison: Comparison,
    /// The table's rows, in its order.
    pub rows: Vec<DocumentRow>,
    /// The rows that are left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rejects: Vec<Reject>,
}

/// A row of the table with the value that the equations give for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// The row, its fields beside the computed value.
    #[serde(flatten)]
    pub row: TableRow,
    /// The equations' value, in km/s. Absent where the orbit has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub computed_kms: Option<f64>,
}

impl DeltaVDocument {
    /// Makes the document of a table, and compares it on the way.
    #[must_use]
    pub fn new(table: &DeltaVTable) -> DeltaVDocument {
        let rows = table.rows.iter().map(|row| DocumentRow {
            computed_kms: rendezvous_delta_v(row.a, row.e, row.i),
            row: row.clone(),
        });
        DeltaVDocument {
            comparison: compare(table),
            rows: rows.collect(),
            rejects: table.rejects.clone(),
        }
    }
}

/// Compares every row of a table with the value computed from the row's elements.
#[must_use]
pub fn compare(table: &DeltaVTable) -> Comparison {
    let mut deviations: Vec<(f64, &TableRow)> = table
        .rows
        .iter()
        .filter_map(|row| {
            let computed_kms = rendezvous_delta_v(row.a, row.e, row.i)?;
            Some((computed_kms, row))
        })
        .collect();
    // The worst first; equally bad ones in the table's order, as the sort is stable.
    let deviation_kms = |(computed_kms, row): &(f64, &TableRow)| (computed_kms - row.dv_kms).abs();
    deviations.sort_by(|a, b| deviation_kms(b).total_cmp(&deviation_kms(a)));

    let num_computed = deviations.len();
    let num_beyond = deviations.partition_point(|pair| deviation_kms(pair) > TOLERANCE_KMS);
    let listed = |pair: &(f64, &TableRow)| Deviation::new(pair.1, pair.0);
    let middle = |place: usize| deviations.get(place).map(deviation_kms);
    let median_kms = match (
        middle(num_computed.saturating_sub(1) / 2),
        middle(num_computed / 2),
    ) {
        (Some(upper), Some(lower)) => Some(f64::midpoint(upper, lower)),
        _ => None,
    };
    Comparison {
        num_rows: table.rows.len(),
        num_computed,
        num_without_value: table.rows.len() - num_computed,
        num_within: num_computed - num_beyond,
        tolerance_kms: TOLERANCE_KMS,
        median_kms,
        max_kms: deviations.first().map(deviation_kms),
        max_row: deviations.first().map(listed),
        beyond: deviations
            .iter()
            .take(num_beyond.min(MAX_DEVIATIONS))
            .map(listed)
            .collect(),
    }
}

impl Deviation {
    fn new(row: &TableRow, computed_kms: f64) -> Deviation {
        Deviation {
            rank: row.rank,
            number: row.number,
            name: row.name.clone(),
            designation: row.designation.clone(),
            published_kms: row.dv_kms,
            computed_kms,
            deviation_kms: (computed_kms - row.dv_kms).abs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
1 99.99 2006 RH120 3.813 0.635 0.605 29.5 1.033 0.025 0.6 RADAR
2 80.46 (433) Eros 1898 DQ 6.169 1.012 0.963 11.2 1.458 0.223 10.8
3 50.00 (25143) Itokawa 1998 SF36 4.642 0.772 0.735 19.2 1.324 0.280 1.6 RADAR
";

    fn table() -> DeltaVTable {
        DeltaVTable::parse(TEXT.as_bytes()).unwrap()
    }

    #[test]
    fn counts_and_lists_the_worst_first() {
        let comparison = compare(&table());
        assert_eq!((comparison.num_rows, comparison.num_computed), (3, 3));
        assert_eq!(
            (comparison.num_without_value, comparison.num_within),
            (0, 1)
        );
        let ranks: Vec<u32> = comparison
            .beyond
            .iter()
            .map(|deviation| deviation.rank)
            .collect();
        assert_eq!(ranks, [2, 3]);
        assert_eq!(comparison.max_row.as_ref(), comparison.beyond.first());
        assert!((comparison.max_kms.unwrap() - 0.1).abs() < TOLERANCE_KMS);
        assert_eq!(
            comparison.median_kms,
            Some(comparison.beyond[1].deviation_kms)
        );
    }

    #[test]
    fn counts_a_row_whose_orbit_has_no_value() {
        let mut table = table();
        table.rows[0].e = 1.1;
        let comparison = compare(&table);
        assert_eq!(
            (comparison.num_computed, comparison.num_without_value),
            (2, 1)
        );
        let [worse, better] = &comparison.beyond[..] else {
            panic!("{comparison:?}")
        };
        let mean = f64::midpoint(worse.deviation_kms, better.deviation_kms);
        assert_eq!(comparison.median_kms, Some(mean));
    }

    #[test]
    fn bounds_the_list() {
        let mut table = table();
        table.rows = vec![table.rows[1].clone(); MAX_DEVIATIONS + 5];
        assert_eq!(compare(&table).beyond.len(), MAX_DEVIATIONS);
        assert_eq!(compare(&table).num_within, 0);
    }

    #[test]
    fn an_empty_table_compares() {
        let comparison = compare(&DeltaVTable::default());
        assert_eq!(
            (
                comparison.num_rows,
                comparison.median_kms,
                comparison.max_row
            ),
            (0, None, None)
        );
    }

    #[test]
    fn the_document_is_read_again_as_the_same_table() {
        let damaged = TEXT.replace("6.169", "6.l69");
        let table = DeltaVTable::parse(damaged.as_bytes()).unwrap();
        let json = serde_json::to_vec(&DeltaVDocument::new(&table)).unwrap();
        let again = DeltaVTable::parse(&json).unwrap();
        assert_eq!(again.rows, table.rows);
        assert_eq!(again.rejects, table.rejects);
        assert_eq!(again.find(Some(25_143), &[]).unwrap().rank, 3);

        let document: DeltaVDocument = serde_json::from_slice(&json).unwrap();
        assert_eq!(document.rows[0].row, table.rows[0]);
        assert!((document.rows[0].computed_kms.unwrap() - 3.813).abs() <= TOLERANCE_KMS);
    }

    #[test]
    fn a_changed_document_is_checked() {
        let mut document = DeltaVDocument::new(&table());
        document.rows[0].row.dv_kms = -1.0;
        document.rows[2].row.number = Some(433);
        let table = DeltaVTable::parse(&serde_json::to_vec(&document).unwrap()).unwrap();
        assert_eq!((table.rows.len(), table.rejects.len()), (1, 2));
    }
}
