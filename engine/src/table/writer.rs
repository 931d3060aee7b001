//! Writes a new database beside the old one and puts it in its place.
//!
//! All rows go in first, in one transaction and in the order of their numbers, and with them the indexes that few
//! of them are in. The three large indexes are made afterwards, each by one sort. Nothing is synced until the end: a crash leaves a file that the next
//! writer overwrites. The journal is kept in memory, where it stays tiny (new pages need none), because
//! without one SQLite could not take back an index that turns out not to be unique. When rows are deleted there is none.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use serde::de::IgnoredAny;

use super::bindings::Bindings;
use super::{TableError, schema};
use crate::crash;
use crate::item::decode::{Fields, Malformed, Scalar};
use crate::item::values::{Record, Typed};
use crate::replace::{Successor, with_suffix};

/// The page cache, KiB, and thereby what SQLite sorts at once.
///
/// Small is fast: sorts that fit into a core's own cache take a quarter less time than with 16 MiB. Rows come in order,
/// and the indexes that are kept meanwhile are small: neither needs more.
const CACHE_KIB: i64 = 2 << 10;
/// Bytes of a page of the database: rows are about 300 bytes long, so that 4096 wastes some, and with 16384
/// nothing is gained.
const PAGE_BYTES: i64 = 8192;

/// Threads that sort what the calling one reads of the rows for an index. Each holds as much as the page cache.
const SORTING_THREADS: i64 = 2;

const FIND_DUPLICATES: &str = "
    SELECT r, first, designation, (SELECT full_name FROM bodies WHERE rowid = r),
           (SELECT kind FROM bodies WHERE rowid = r)
    FROM (
        SELECT rowid AS r, designation,
               min(rowid) OVER (PARTITION BY designation) AS first
        FROM bodies
    )
    WHERE r > first ORDER BY r";

/// A new table in the making, beside the old one. Dropped, it is removed.
#[derive(Debug)]
pub struct TableWriter {
    /// Closed before the file is renamed or removed.
    connection: Connection,
    file: Successor,
    insert: String,
    num_inserted: u64,
}

/// A row that was left out of the table because an earlier one has its designation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The row.
    pub rowid: i64,
    /// The row that was kept.
    pub first_rowid: i64,
    /// What both are called.
    pub designation: String,
    /// The full name of the row that was left out.
    pub full_name: Option<String>,
    /// The kind of the row that was left out.
    pub kind: Option<String>,
}

/// A table that has all its rows and indexes and waits to be published. Dropped, it is removed.
#[derive(Debug)]
pub struct Loaded {
    /// How many bodies it has.
    pub items: u64,
    /// What was left out of it, in the order of the rows.
    pub duplicates: Vec<Duplicate>,
    writer: TableWriter,
}

impl TableWriter {
    /// Begins a new table that is to replace the one at `path`, which need not be there; parent
    /// directories are created.
    ///
    /// # Errors
    /// [`TableError::Replace`] where another run is at it or the new file cannot be made,
    /// [`TableError::InUse`] where another program is writing to the old one, [`TableError::Database`].
    pub fn create(path: &Path) -> Result<Self, TableError> {
        let file = Successor::create(path)?;
        refuse_if_in_use(&file)?;
        let connection = open(&file).map_err(|source| TableError::Database {
            path: file.path().to_owned(),
            doing: "created",
            source,
        })?;
        Ok(TableWriter {
            connection,
            file,
            insert: schema::insert(),
            num_inserted: 0,
        })
    }

    /// Inserts an item, given as its line of JSON, as row `rowid`.
    ///
    /// Rows are best given in ascending order. Of those with the same designation the one with the lowest
    /// number is kept.
    ///
    /// # Errors
    /// [`TableError::Malformed`] where the line is not an item, [`TableError::Insert`] where it has no
    /// designation or there is a row of that number, or where writing fails.
    pub fn insert(&mut self, rowid: i64, line: &[u8]) -> Result<(), TableError> {
        self.insert_all([(rowid, line)], read_line)
    }

    /// Inserts several items, given as their values, like [`insert`](Self::insert). The statement is looked up once
    /// for all of them.
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert); the items before the one at fault are inserted.
    pub(crate) fn insert_records<'r>(
        &mut self,
        records: impl IntoIterator<Item = (i64, Record<'r>)>,
    ) -> Result<(), TableError> {
        self.insert_all(records, |_, record, bind| {
            for (attribute, value) in record {
                bind(attribute, value)?;
            }
            Ok(())
        })
    }

    /// Inserts rows whose values `read` hands over, one by one.
    fn insert_all<T>(
        &mut self,
        rows: impl IntoIterator<Item = (i64, T)>,
        read: impl Fn(i64, T, &mut Bind<'_>) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let insert_error = |row, source| TableError::Insert {
            row,
            path: self.file.path().to_owned(),
            source,
        };
        let mut rows = rows.into_iter().peekable();
        let Some((first, _)) = rows.peek() else {
            return Ok(());
        };
        let mut statement = self
            .connection
            .prepare_cached(&self.insert)
            .map_err(|source| insert_error(*first, source))?;
        let mut bindings = Bindings::new();
        for (rowid, row) in rows {
            let refused = |source| insert_error(rowid, source);
            bindings.begin(&mut statement, rowid).map_err(refused)?;
            read(rowid, row, &mut |attribute, value| {
                let bound = bindings.bind(&mut statement, attribute, value);
                bound.map_err(refused)
            })?;
            bindings.end(&mut statement).map_err(refused)?;
            statement.raw_execute().map_err(refused)?;
            self.num_inserted += 1;
        }
        Ok(())
    }

    /// Leaves out all but the first of each designation and makes the indexes.
    ///
    /// # Errors
    /// [`TableError::Database`].
    pub fn finish(self) -> Result<Loaded, TableError> {
        let duplicates = self.index().map_err(|source| self.write_error(source))?;
        Ok(Loaded {
            items: self.num_inserted - duplicates.len() as u64,
            duplicates,
            writer: self,
        })
    }

    fn index(&self) -> rusqlite::Result<Vec<Duplicate>> {
        crash::point("rows-inserted");
        self.connection.execute_batch("COMMIT")?;
        let duplicates = match self.connection.execute_batch(schema::KEY) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                let duplicates = self.delete_duplicates()?;
                self.connection.execute_batch(schema::KEY)?;
                duplicates
            }
            made => made.map(|()| Vec::new())?,
        };
        for index in schema::large_indexes() {
            self.connection.execute_batch(&index)?;
        }
        crash::point("indexes-made");
        Ok(duplicates)
    }

    /// Deletes every row but the first of its designation.
    fn delete_duplicates(&self) -> rusqlite::Result<Vec<Duplicate>> {
        // It would hold every page that a duplicate is on. A file of which something fails is removed.
        self.connection.pragma_update(None, "journal_mode", "OFF")?;
        let transaction = self.connection.unchecked_transaction()?;
        let duplicates = {
            let mut find = transaction.prepare(FIND_DUPLICATES)?;
            let found = find.query_map([], |row| {
                Ok(Duplicate {
                    rowid: row.get(0)?,
                    first_rowid: row.get(1)?,
                    designation: row.get(2)?,
                    full_name: row.get(3)?,
                    kind: row.get(4)?,
                })
            })?;
            found.collect::<rusqlite::Result<Vec<_>>>()?
        };
        let mut delete = transaction.prepare("DELETE FROM bodies WHERE rowid = ?1")?;
        for duplicate in &duplicates {
            delete.execute([duplicate.rowid])?;
        }
        drop(delete);
        transaction.commit()?;
        Ok(duplicates)
    }

    fn write_error(&self, source: rusqlite::Error) -> TableError {
        TableError::Database {
            path: self.file.path().to_owned(),
            doing: "written",
            source,
        }
    }
}

impl Loaded {
    /// Names the run that made the table and puts it in the old one's place, durably.
    ///
    /// `report_json` is kept as it is. A reader that has the old table open keeps reading it.
    ///
    /// # Errors
    /// [`TableError::Report`] where the report is not JSON, [`TableError::InUse`] where another program is
    /// writing to the old table, [`TableError::Database`] and [`TableError::Replace`] where writing fails.
    /// The old table stays and the new one is removed.
    pub fn publish(
        self,
        run_id: &str,
        finished_at: &str,
        report_json: &str,
    ) -> Result<(), TableError> {
        let writer = self.writer;
        serde_json::from_str::<IgnoredAny>(report_json).map_err(|source| TableError::Report {
            path: writer.file.path().to_owned(),
            source,
        })?;
        let sql = "INSERT INTO run (run_id, finished_at, report) VALUES (?1, ?2, ?3)";
        writer
            .connection
            .execute(sql, params![run_id, finished_at, report_json])
            .map_err(|source| writer.write_error(source))?;
        let TableWriter {
            connection, file, ..
        } = writer;
        connection
            .close()
            .map_err(|(_, source)| TableError::Database {
                path: file.path().to_owned(),
                doing: "written",
                source,
            })?;
        refuse_if_in_use(&file)?;
        Ok(file.commit()?)
    }
}

/// Takes the value of an attribute.
type Bind<'b> = dyn FnMut(usize, Typed<'_>) -> Result<(), TableError> + 'b;

/// Reads an item's line of JSON.
fn read_line(rowid: i64, line: &[u8], bind: &mut Bind<'_>) -> Result<(), TableError> {
    let malformed = |fault: Malformed| TableError::Malformed {
        row: rowid,
        byte: fault.byte,
        problem: fault.problem,
    };
    let mut fields = Fields::of(line).map_err(malformed)?;
    while let Some((attribute, value)) = fields.next().map_err(malformed)? {
        match value {
            Scalar::Text(text) => bind(attribute, Typed::Text(text.as_bytes())),
            Scalar::Figure(figure) => bind(attribute, Typed::Figure(figure)),
            Scalar::Whole(whole) => bind(attribute, Typed::Whole(whole)),
            Scalar::Flag(flag) => bind(attribute, Typed::Flag(flag)),
        }?;
    }
    Ok(())
}

/// Refuses to replace a database beside which there is a journal: it is another program's, and SQLite would
/// apply it to the new database.
fn refuse_if_in_use(file: &Successor) -> Result<(), TableError> {
    let path = file.target();
    let journals = ["-journal", "-wal"].map(|suffix| with_suffix(path, suffix));
    match journals.into_iter().find(|journal| journal.exists()) {
        Some(journal) => Err(TableError::InUse {
            path: path.to_owned(),
            journal,
        }),
        None => Ok(()),
    }
}

fn open(file: &Successor) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // The file is locked already, in a way that some systems would not tell apart from SQLite's.
    let connection = Connection::open_with_flags_and_vfs(file.path(), flags, c"unix-none")?;
    // First how it is written: the identifiers are written at once.
    for (pragma, value) in [
        ("journal_mode", "MEMORY"),
        ("synchronous", "OFF"),
        ("locking_mode", "EXCLUSIVE"),
    ] {
        connection.pragma_update(None, pragma, value)?;
    }
    for (pragma, value) in [
        ("page_size", PAGE_BYTES),
        ("cache_size", -CACHE_KIB),
        ("application_id", schema::APPLICATION_ID.into()),
        ("user_version", schema::version().into()),
        ("threads", SORTING_THREADS),
    ] {
        connection.pragma_update(None, pragma, value)?;
    }
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(&schema::tables())?;
    for index in schema::small_indexes() {
        connection.execute_batch(&index)?;
    }
    Ok(connection)
}
