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

/// What bodies are called. Questions disregard the case of ASCII letters.
pub(super) struct Names {
    /// Where they are: each of them in one of these.
    pub(super) indexes: &'static [NameIndex],
    /// The order in which people expect them: of a shared name, numbers come by their value.
    order: &'static str,
}

/// An index of names.
///
/// SQLite sorts texts twice as fast byte by byte as without regard to case. So the large ones have names in one case,
/// and what is asked for is put in that case.
pub(super) struct NameIndex {
    pub(super) name: &'static str,
    /// What is indexed.
    expression: &'static str,
    /// Which bodies are to be found in it.
    condition: &'static str,
    /// What puts a name in the case of those in the index, where they are in one.
    fold: &'static str,
}

/// How a name is to match what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// It is `?1`.
    Exact,
    /// It is between `?1` and `?2`, and neither.
    Between,
}

/// The key, which nearly always is written without small letters.
pub(super) const DESIGNATION: Names = Names {
    indexes: &[
        NameIndex {
            name: "bodies_designation",
            expression: "designation",
            condition: "designation = upper(designation)",
            fold: "upper",
        },
        SMALL_LETTERS,
    ],
    order: "length(designation), designation",
};

/// Keys with small letters, such as the planets' of a star.
const SMALL_LETTERS: NameIndex = NameIndex {
    name: "bodies_small_letters",
    expression: "designation COLLATE NOCASE",
    condition: "designation <> upper(designation)",
    fold: "",
};

/// Names, which some bodies have and several may share.
pub(super) const NAME: Names = Names {
    indexes: &[NameIndex {
        name: "bodies_name",
        expression: "name",
        condition: "name IS NOT NULL",
        fold: "",
    }],
    order: "name, length(designation), designation",
};

/// The provisional designation of a numbered asteroid: what its full name has in parentheses.
///
/// `25143 Itokawa (1998 SF36)`, but not `(2006 RH120)`, whose designation it is already.
pub(super) const PROVISIONAL: Names = Names {
    indexes: &[NameIndex {
        name: "bodies_provisional",
        expression: IN_PARENTHESES,
        condition: "kind = 'asteroid' AND instr(full_name, ' (') > 0",
        fold: "lower",
    }],
    order: IN_PARENTHESES,
};

const IN_PARENTHESES: &str =
    "lower(rtrim(substr(full_name, instr(full_name, ' (') + 2), ')')) COLLATE BINARY";

impl Names {
    /// Selects the numbers of the rows whose name matches, in order.
    pub(super) fn select(&self, how: Match) -> String {
        let order = self.order;
        let selects: Vec<String> = self.indexes.iter().map(|index| index.select(how)).collect();
        match selects.as_slice() {
            [one] => format!("SELECT rowid {one} ORDER BY {order}"),
            several => {
                let parts: Vec<String> = several
                    .iter()
                    .map(|part| format!("SELECT rowid AS row, designation {part}"))
                    .collect();
                let all = parts.join(" UNION ALL ");
                format!("SELECT row FROM ({all}) ORDER BY {order}")
            }
        }
    }
}

impl NameIndex {
    fn select(&self, how: Match) -> String {
        let NameIndex {
            name,
            expression,
            condition,
            fold,
        } = self;
        let wanted = match how {
            Match::Exact => format!("{expression} = {fold}(?1)"),
            Match::Between => {
                format!("{expression} > {fold}(?1) AND {expression} < {fold}(?2)")
            }
        };
        format!("FROM bodies INDEXED BY {name} WHERE {condition} AND {wanted}")
    }

    fn create(&self) -> String {
        let NameIndex {
            name,
            expression,
            condition,
            ..
        } = self;
        format!("CREATE INDEX {name} ON bodies ({expression}) WHERE {condition}")
    }
}

/// Makes the tables. But for the key, texts compare without regard to ASCII case unless a query says otherwise.
pub(super) fn tables() -> String {
    let columns = ATTRIBUTES.iter().map(|attribute| {
        let kind = match (attribute.name, attribute.kind) {
            ("designation", _) => "TEXT NOT NULL",
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

/// Makes the key.
pub(super) const KEY: &str = "CREATE UNIQUE INDEX bodies_designation ON bodies (designation)";

/// Makes the indexes that few bodies are in. They are made before there are rows, as to put these few in is quicker
/// than to look for them in the whole table afterwards, for one index after the other.
pub(super) fn small_indexes() -> Vec<String> {
    let mut indexes = vec![SMALL_LETTERS.create()];
    indexes.extend(NAME.indexes.iter().map(NameIndex::create));
    indexes.extend(COMMON_VALUES.map(|(column, common)| {
        format!("CREATE INDEX bodies_{column} ON bodies ({column}) WHERE {column} <> '{common}'")
    }));
    indexes.extend(Ranking::ALL.map(|ranking| {
        format!(
            "CREATE INDEX bodies_{} ON bodies ({}) WHERE {}",
            ranking.attribute(),
            order_by(ranking),
            is_best(ranking)
        )
    }));
    indexes
}

/// Makes the others, one each, which are quicker made by a sort than row by row.
pub(super) fn large_indexes() -> Vec<String> {
    let mut indexes = vec!["CREATE INDEX bodies_spkid ON bodies (spkid)".to_owned()];
    indexes.extend(PROVISIONAL.indexes.iter().map(NameIndex::create));
    indexes
}

/// The condition of being among the best of a ranking, which its index has: some thousands of bodies, before all others.
///
/// What has a price at all; what comes as near as what JPL calls potentially hazardous; and round figures where the
/// catalogue has 5,000 to 12,000 bodies ahead of them. Whichever they are, answers are the same.
pub(super) fn is_best(ranking: Ranking) -> &'static str {
    match ranking {
        Ranking::Price => "price > 0",
        Ranking::Profit => "profit > 0",
        Ranking::Score => "score > 0",
        Ranking::Closeness => "closeness > 3000",
        Ranking::Smallest => "diameter_km < 0.1",
        Ranking::Moid => "moid < 0.05",
        Ranking::Dv => "dv_kms < 6.5",
    }
}

/// The terms by which a ranking orders. Many bodies share a diameter or a price: the key breaks the tie.
pub(super) fn order_by(ranking: Ranking) -> String {
    let direction = if ranking.is_descending() { " DESC" } else { "" };
    format!("{}{direction}, designation", ranking.attribute())
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
    let sql = tables() + KEY + &small_indexes().join("\n") + &large_indexes().join("\n");
    let hash = sql.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash | 1).cast_signed()
}
