//! Reads a table: rankings, single bodies, and names by their beginnings.
//!
//! Every query walks an index and yields row numbers, but for rankings past the best that theirs has; bodies are then
//! read one by one. An open table is one
//! file: when a new one takes its place, it goes on reading the old one.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, params};

use super::schema::{self, COMMON_VALUES, DESIGNATION, Match, NAME, Names, PROVISIONAL};
use super::{Body, Filter, Ranking, TableError};
use crate::designation::Identity;

/// Bodies of a class or a type are sorted where they are fewer than this, and else picked out of the
/// ranking.
///
/// Picking is quicker where the class stands at the top, but where it stands at the bottom, as the Trojans do
/// by MOID, it passes over all the other bodies first. Sorting so many takes about 0.1 s.
const MAX_SORTED: i64 = 50_000;

/// A table, open for reading.
#[derive(Debug)]
pub struct Table {
    connection: Connection,
    path: PathBuf,
}

/// The run that made a table.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// Its id.
    pub run_id: String,
    /// When it had finished.
    pub finished_at: String,
    /// Its report.
    pub report: serde_json::Value,
}

impl Table {
    /// Opens the table at `path`.
    ///
    /// # Errors
    /// [`TableError::Missing`] where there is no file, [`TableError::Foreign`] where it is not a table of
    /// ours, [`TableError::OtherVersion`] where it is another version's, [`TableError::Database`] where it
    /// cannot be read.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let path = path.to_owned();
        if matches!(fs::metadata(&path), Err(error) if error.kind() == std::io::ErrorKind::NotFound)
        {
            return Err(TableError::Missing { path });
        }
        match open(&path) {
            Ok((connection, schema::APPLICATION_ID, version)) => {
                if version != schema::version() {
                    return Err(TableError::OtherVersion { path });
                }
                Ok(Table { connection, path })
            }
            Ok(_) => Err(TableError::Foreign { path }),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                Err(TableError::Foreign { path })
            }
            Err(source) => Err(TableError::Database {
                path,
                doing: "opened",
                source,
            }),
        }
    }

    /// The first `limit` bodies of a ranking that pass the filter. Bodies without a value are left out, and
    /// those with the same value come in the order of their designations, byte by byte.
    ///
    /// # Errors
    /// [`TableError::Database`] where reading fails.
    pub fn top(&self, by: Ranking, filter: &Filter, limit: u32) -> Result<Vec<Body>, TableError> {
        let rows = self.ranked(by, filter, limit);
        self.bodies(rows)
    }

    /// The bodies that are called `body`, without regard to ASCII case and to spaces and parentheses around
    /// it: the one of that designation, else that SPK-ID or number, else those of that name (74 comets are
    /// named Schwassmann-Wachmann), else that provisional designation, else that full name.
    ///
    /// # Errors
    /// [`TableError::Database`] where reading fails.
    pub fn find(&self, body: &str) -> Result<Vec<Body>, TableError> {
        self.bodies(self.called(&bare(body)))
    }

    /// Bodies whose designation, name or provisional designation begins with `prefix`, without regard to
    /// ASCII case: first those that are called just that, then by designation, the short ones first, which
    /// puts numbers in their order, then by name, then by provisional designation.
    ///
    /// # Errors
    /// [`TableError::Database`] where reading fails.
    pub fn search(&self, prefix: &str, limit: u32) -> Result<Vec<Body>, TableError> {
        self.bodies(self.beginning(prefix.trim_start(), limit))
    }

    /// The run that made the table.
    ///
    /// # Errors
    /// [`TableError::Database`] where reading fails, [`TableError::Report`] where somebody damaged the report.
    pub fn run(&self) -> Result<RunRow, TableError> {
        let sql = "SELECT run_id, finished_at, report FROM run";
        let (run_id, finished_at, report): (String, String, String) = self
            .connection
            .query_row(sql, [], |row| row.try_into())
            .map_err(|source| self.read_error(source))?;
        let report = serde_json::from_str(&report).map_err(|source| TableError::Report {
            path: self.path.clone(),
            source,
        })?;
        Ok(RunRow {
            run_id,
            finished_at,
            report,
        })
    }

    fn ranked(&self, by: Ranking, filter: &Filter, limit: u32) -> rusqlite::Result<Vec<i64>> {
        let conditions = Condition::all(filter);
        let few = self.fewest(&conditions)?;
        let mut parameters: Vec<&dyn ToSql> = vec![&limit];
        parameters.extend(
            conditions
                .iter()
                .map(|condition| &condition.wanted as &dyn ToSql),
        );
        let rows = |among| self.rows(&ranking_sql(by, &conditions, &among), &parameters);
        if let Some(few) = few {
            return rows(Among::Few(few));
        }
        let best = rows(Among::Best)?;
        if best.len() < limit as usize {
            return rows(Among::All);
        }
        Ok(best)
    }

    /// The first condition that only a few bodies meet.
    fn fewest<'a>(
        &self,
        conditions: &'a [Condition<'a>],
    ) -> rusqlite::Result<Option<&'a Condition<'a>>> {
        for condition in conditions.iter().filter(|condition| condition.has_index()) {
            let Condition { column, common, .. } = condition;
            let sql = format!(
                "SELECT count(*) FROM (SELECT 1 FROM bodies INDEXED BY bodies_{column} \
                 WHERE {column} <> '{common}' AND {column} = ?1 LIMIT ?2)"
            );
            let parameters = params![condition.wanted, MAX_SORTED];
            let count: i64 = self
                .connection
                .query_row(&sql, parameters, |row| row.get(0))?;
            if count < MAX_SORTED {
                return Ok(Some(condition));
            }
        }
        Ok(None)
    }

    fn called(&self, query: &str) -> rusqlite::Result<Vec<i64>> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let by_designation = self.matching(&DESIGNATION, query)?;
        if by_designation.len() > 1 {
            // Planets of a star can differ by a capital alone.
            let sql = "SELECT rowid FROM bodies WHERE designation = ?1";
            let exactly = self.rows(sql, &[&query])?;
            if !exactly.is_empty() {
                return Ok(exactly);
            }
        }
        if !by_designation.is_empty() {
            return Ok(by_designation);
        }
        for spkid in spkids(query) {
            let found = self.rows("SELECT rowid FROM bodies WHERE spkid = ?1", &[&spkid])?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        for names in [&NAME, &PROVISIONAL] {
            let found = self.matching(names, query)?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        self.fully_called(query)
    }

    fn matching(&self, names: &Names, query: &str) -> rusqlite::Result<Vec<i64>> {
        self.rows(&names.select(Match::Exact), &[&query])
    }

    /// The body of that full name, or of one that goes on behind a space: `433 Eros`, `C/1995 O1`.
    fn fully_called(&self, query: &str) -> rusqlite::Result<Vec<i64>> {
        let sql = format!(
            "SELECT rowid FROM bodies WHERE rowid IN ({}) AND (full_name = ?2 \
             OR substr(full_name, 1, length(?2) + 1) = (?2 || ' ') COLLATE NOCASE) ORDER BY designation",
            DESIGNATION.select(Match::Exact)
        );
        // Designations are told from names by their capitals.
        for query in [query, &query.to_ascii_uppercase()] {
            if let Some(identity) = Identity::of("", query, "", "") {
                let found = self.rows(&sql, &[&identity.key.as_ref(), &query])?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
        }
        Ok(Vec::new())
    }

    fn beginning(&self, prefix: &str, limit: u32) -> rusqlite::Result<Vec<i64>> {
        let mut exact = Vec::new();
        let mut longer = Vec::new();
        // Texts that begin with the prefix stand together, up to its last possible continuation.
        let end = format!("{prefix}{}", char::MAX);
        for names in [&DESIGNATION, &NAME, &PROVISIONAL] {
            exact.extend(self.matching(names, prefix)?);
            let sql = names.select(Match::Between) + " LIMIT ?3";
            longer.extend(self.rows(&sql, &[&prefix, &end, &limit])?);
        }
        exact.append(&mut longer);
        let mut seen = HashSet::with_capacity(exact.len());
        exact.retain(|row| seen.insert(*row));
        exact.truncate(limit as usize);
        Ok(exact)
    }

    fn rows(&self, sql: &str, parameters: &[&dyn ToSql]) -> rusqlite::Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_map(parameters, |row| row.get(0))?.collect()
    }

    fn bodies(&self, rows: rusqlite::Result<Vec<i64>>) -> Result<Vec<Body>, TableError> {
        let read = |rows: Vec<i64>| -> rusqlite::Result<Vec<Body>> {
            let mut select = self.connection.prepare_cached(&schema::select())?;
            rows.iter()
                .map(|row| select.query_row([row], Body::read))
                .collect()
        };
        rows.and_then(read)
            .map_err(|source| self.read_error(source))
    }

    fn read_error(&self, source: rusqlite::Error) -> TableError {
        TableError::Database {
            path: self.path.clone(),
            doing: "read",
            source,
        }
    }
}

/// A term of a filter.
struct Condition<'a> {
    column: &'static str,
    /// What most bodies have, and the column's index leaves out.
    common: &'static str,
    wanted: &'a str,
}

impl<'a> Condition<'a> {
    fn all(filter: &'a Filter) -> Vec<Self> {
        let wanted = [
            Some(filter.kind.as_deref().unwrap_or("asteroid")),
            filter.class.as_deref(),
            filter.spec.as_deref(),
        ];
        let conditions = COMMON_VALUES.into_iter().zip(wanted);
        conditions
            .filter_map(|((column, common), wanted)| {
                Some(Condition {
                    column,
                    common,
                    wanted: wanted?,
                })
            })
            .collect()
    }

    fn has_index(&self) -> bool {
        !self.wanted.eq_ignore_ascii_case(self.common)
    }
}

/// Among which bodies a ranking's first are looked for.
enum Among<'a> {
    /// Those in the ranking's index. Where there are enough of them, no others come before.
    Best,
    /// Those that meet a condition that few do; they are sorted.
    Few(&'a Condition<'a>),
    /// All, which takes a pass over the table, some tenths of a second.
    All,
}

/// Selects rows in the order of a ranking: at most `?1`, the conditions' values being `?2` and on.
fn ranking_sql(by: Ranking, conditions: &[Condition<'_>], among: &Among<'_>) -> String {
    let column = by.attribute();
    let mut terms = vec![format!("{column} IS NOT NULL")];
    for (condition, parameter) in conditions.iter().zip(2..) {
        terms.push(format!("{} = ?{parameter}", condition.column));
    }
    let index = match among {
        Among::Best => {
            terms.push(schema::is_best(by).to_owned());
            format!("INDEXED BY bodies_{column}")
        }
        Among::Few(Condition { column, common, .. }) => {
            terms.push(format!("{column} <> '{common}'"));
            format!("INDEXED BY bodies_{column}")
        }
        Among::All => "NOT INDEXED".to_owned(),
    };
    format!(
        "SELECT rowid FROM bodies {index} WHERE {} ORDER BY {} LIMIT ?1",
        terms.join(" AND "),
        schema::order_by(by)
    )
}

/// What a person may have typed around a designation: `(1998 SF36)`, ` 433`, but `C/1995 O1 (Hale-Bopp)`. A number
/// that stands in parentheses before a name, as the IAU writes it, loses them: `(433) Eros`.
pub(super) fn bare(query: &str) -> Cow<'_, str> {
    let number_and_name = query
        .trim()
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(") "));
    if let Some((number, name)) = number_and_name
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Cow::Owned(format!("{number} {}", name.trim()));
    }
    let is_around = |character: char| character.is_whitespace() || matches!(character, '(' | ')');
    let bare = query.trim_matches(is_around);
    if bare.contains('(') {
        Cow::Borrowed(query.trim())
    } else {
        Cow::Borrowed(bare)
    }
}

/// The SPK-IDs that a number can mean: itself, else that of the asteroid of this number, since 2021 and
/// before.
pub(super) fn spkids(query: &str) -> impl Iterator<Item = i64> {
    let number: Option<i64> = query.parse().ok();
    let asteroid = number.filter(|number| (1..1_000_000).contains(number));
    number
        .into_iter()
        .chain(asteroid.map(|number| 20_000_000 + number))
        .chain(asteroid.map(|number| 2_000_000 + number))
}

fn open(path: &Path) -> rusqlite::Result<(Connection, i32, i32)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    Ok((connection, application, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TableWriter;

    fn table() -> (tempfile::TempDir, Table) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bodies.db");
        let mut writer = TableWriter::create(&path).unwrap();
        writer.insert(1, br#"{"designation":"433"}"#).unwrap();
        writer.finish().unwrap().publish("r", "t", "{}").unwrap();
        (directory, Table::open(&path).unwrap())
    }

    fn plan(table: &Table, sql: &str) -> String {
        let mut statement = table
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3));
        steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn every_ranking_comes_out_of_its_index_without_a_sort() {
        let (_directory, table) = table();
        for by in Ranking::ALL {
            let filter = Filter {
                class: Some("AMO".to_owned()),
                ..Filter::default()
            };
            for filter in [Filter::default(), filter] {
                let sql = ranking_sql(by, &Condition::all(&filter), &Among::Best);
                let plan = plan(&table, &sql);
                let index = format!("USING INDEX bodies_{}", by.attribute());
                assert!(plan.contains(&index), "{by}: {plan}");
                assert!(!plan.contains("TEMP B-TREE"), "{by}: {plan}");
            }
        }
    }

    #[test]
    fn a_rare_class_comes_out_of_its_own_index() {
        let (_directory, table) = table();
        let filter = Filter {
            class: Some("ieo".to_owned()),
            ..Filter::default()
        };
        let conditions = Condition::all(&filter);
        let few = Among::Few(table.fewest(&conditions).unwrap().unwrap());
        let plan = plan(&table, &ranking_sql(Ranking::Price, &conditions, &few));
        assert!(
            plan.contains("SEARCH bodies USING INDEX bodies_class (class=?)"),
            "{plan}"
        );
    }

    #[test]
    fn names_are_looked_up_in_their_indexes() {
        let (_directory, table) = table();
        for names in [&DESIGNATION, &NAME, &PROVISIONAL] {
            for how in [Match::Exact, Match::Between] {
                let plan = plan(&table, &names.select(how));
                assert!(!plan.contains("SCAN bodies"), "{plan}");
                for index in names.indexes {
                    let mut searches = plan.split("; ");
                    assert!(
                        searches.any(|step| step.starts_with("SEARCH bodies USING")
                            && step.contains(index.name)),
                        "{plan}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_stands_around_a_designation_is_dropped() {
        for (query, expected) in [
            (" 433 ", "433"),
            ("(1998 SF36)", "1998 SF36"),
            ("1998 SF36)", "1998 SF36"),
            ("( 1998 SF36 )", "1998 SF36"),
            (" C/1995 O1 (Hale-Bopp) ", "C/1995 O1 (Hale-Bopp)"),
            ("(433) Eros", "433 Eros"),
            ("(25143) Itokawa (1998 SF36)", "25143 Itokawa (1998 SF36)"),
            ("(2006 RH120) x", "2006 RH120) x"),
            ("() x", "x"),
            ("()", ""),
        ] {
            assert_eq!(bare(query), expected);
        }
    }
}
