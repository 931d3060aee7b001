//! What the database is made of: two tables and their indexes, in SQL.

use std::fmt::Write;

use super::Ranking;
use crate::item::{ATTRIBUTES, Kind};

/// `PRAGMA application_id` of a table of ours: `Prsp`.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Prsp");

/// The columns that filters go by, each with the value that its index leaves out, which keeps it small:
/// nine bodies in ten are of class `MBA`, and of nearly all the spectral type is not known.
pub(super) const COMMON_VALUES: [(&str, &str); 3] =
    [("kind", "asteroid"), ("class", "MBA"), ("spec", "?")];

/// What bodies are called, as an index has it.
pub(super) struct Names {
    pub(super) index: &'static str,
    /// What is indexed.
    pub(super) expression: &'static str,
    /// Which bodies the index has.
    condition: &'static str,
    /// The order in which people expect them: of a shared name, numbers come by their value.
    order: &'static str,
}

/// The key. The second column is what makes it unique.
pub(super) const DESIGNATION: Names = Names {
    index: "bodies_designation",
    expression: "designation",
    condition: "true",
    order: "length(designation), designation COLLATE BINARY",
};

/// Names, which some bodies have and several may share.
pub(super) const NAME: Names = Names {
    index: "bodies_name",
    expression: "name",
    condition: "name IS NOT NULL",
    order: "name, length(designation), designation COLLATE BINARY",
};

/// The provisional designation of a numbered asteroid: what its full name has in parentheses.
///
/// `25143 Itokawa (1998 SF36)`, but not `(2006 RH120)`, whose designation it is already.
pub(super) const PROVISIONAL: Names = Names {
    index: "bodies_provisional",
    expression: IN_PARENTHESES,
    condition: "kind = 'asteroid' AND instr(full_name, ' (') > 0",
    order: IN_PARENTHESES,
};

const IN_PARENTHESES: &str =
    "rtrim(substr(full_name, instr(full_name, ' (') + 2), ')') COLLATE NOCASE";

impl Names {
    /// Selects the rows that meet a condition on the expression.
    pub(super) fn select(&self, wanted: &str) -> String {
        let Names {
            index,
            condition,
            order,
            ..
        } = self;
        format!(
            "SELECT rowid FROM bodies INDEXED BY {index} WHERE {condition} AND {wanted} ORDER BY {order}"
        )
    }

    fn create(&self) -> String {
        let Names {
            index,
            expression,
            condition,
            ..
        } = self;
        format!("CREATE INDEX {index} ON bodies ({expression}) WHERE {condition}")
    }
}

/// Makes the tables. Texts compare without regard to ASCII case unless a query says otherwise.
pub(super) fn tables() -> String {
    let columns = ATTRIBUTES.iter().map(|attribute| {
        let kind = match (attribute.name, attribute.kind) {
            ("designation", _) => "TEXT NOT NULL COLLATE NOCASE",
            ("spkid", _) => "INTEGER",
            (_, Kind::Text) => "TEXT COLLATE NOCASE",
            (_, Kind::Figure) => "REAL",
            (_, Kind::Flag) => "INTEGER",
        };
        format!("  {} {kind}", attribute.name)
    });
    let columns: Vec<String> = columns.collect();
    format!(
        "CREATE TABLE bodies (\n{}\n);\n\
         CREATE TABLE run (\n  run_id TEXT NOT NULL,\n  finished_at TEXT NOT NULL,\n  report TEXT NOT NULL\n);\n",
        columns.join(",\n")
    )
}

/// Makes the key. Without regard to case it also finds by a beginning; exactly, it is unique.
pub(super) const KEY: &str =
    "CREATE UNIQUE INDEX bodies_designation ON bodies (designation, designation COLLATE BINARY)";

/// Makes the other indexes, one each.
pub(super) fn indexes() -> Vec<String> {
    let mut indexes = vec![
        "CREATE INDEX bodies_spkid ON bodies (spkid)".to_owned(),
        NAME.create(),
        PROVISIONAL.create(),
    ];
    indexes.extend(COMMON_VALUES.map(|(column, common)| {
        format!("CREATE INDEX bodies_{column} ON bodies ({column}) WHERE {column} <> '{common}'")
    }));
    indexes.extend(Ranking::ALL.map(|ranking| {
        let column = ranking.attribute();
        format!(
            "CREATE INDEX bodies_{column} ON bodies ({})",
            order_by(ranking)
        )
    }));
    indexes
}

/// The terms by which a ranking orders. Many bodies share a diameter or a price: the key breaks the tie.
pub(super) fn order_by(ranking: Ranking) -> String {
    let direction = if ranking.is_descending() { " DESC" } else { "" };
    format!(
        "{}{direction}, designation COLLATE BINARY",
        ranking.attribute()
    )
}

/// Inserts a row: its number, then the attributes in order.
pub(super) fn insert() -> String {
    let mut sql = format!("INSERT INTO bodies (rowid, {}) VALUES (?1", column_list());
    for index in 0..ATTRIBUTES.len() {
        // Writing to a text cannot fail.
        let _ = write!(sql, ", ?{}", index + 2);
    }
    sql + ")"
}

/// Selects the attributes in order, of the row whose number is the parameter.
pub(super) fn select() -> String {
    format!("SELECT {} FROM bodies WHERE rowid = ?1", column_list())
}

fn column_list() -> String {
    let names: Vec<&str> = ATTRIBUTES.iter().map(|attribute| attribute.name).collect();
    names.join(", ")
}

/// `PRAGMA user_version` of a table: a checksum (FNV-1a) of the SQL that makes it, never 0, so that it
/// changes with an attribute or an index without anybody thinking of it.
pub(super) fn version() -> i32 {
    let sql = tables() + KEY + &indexes().join("\n");
    let hash = sql.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash | 1).cast_signed()
}
