//! The published table as a whole: found in what it was saved as, read, and looked up in.
//!
//! The original page is gone from the web, so the table comes in the forms in which people kept it: the
//! page, an archived copy of the page, its text, or this program's own `delta-v.json`.

use serde::Deserialize;
use thiserror::Error;

use super::html::{looks_like_html, visible_text};
use super::row::{Fault, TableRow, parse_row};
use crate::index::{BodyIndex, Taken};
use crate::reject::{Input, Reason, Reject, excerpt};

/// The published table, by body.
#[derive(Debug, Clone, Default)]
pub struct DeltaVTable {
    /// The rows in the table's order. The look-ups lead into them by place: keep it.
    pub rows: Vec<TableRow>,
    /// The rows that are left out, and why.
    pub rejects: Vec<Reject>,
    index: BodyIndex,
}

/// Why there is no table in the bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeltaVError {
    /// There are no bytes, or only white space.
    #[error("the delta-v table is empty")]
    Empty,
    /// The bytes are not a text.
    #[error("the delta-v table is not a text: byte {value:#04x} at offset {offset}")]
    Binary {
        /// Where the first byte stands that no text has, from 0.
        offset: usize,
        /// That byte.
        value: u8,
    },
    /// The bytes begin like `delta-v.json` and are not.
    #[error("the delta-v document cannot be read")]
    Document {
        /// What is wrong with it, and where.
        source: serde_json::Error,
    },
    /// The text holds no row.
    #[error(
        "no row in the delta-v table: {}, {num_rejects} lines look like rows and cannot be read",
        if *.is_html { "a web page without the table" } else { "a text that is not the table" }
    )]
    NoRow {
        /// Whether the text looks like a web page.
        is_html: bool,
        /// How many lines look like rows and cannot be read.
        num_rejects: usize,
    },
}

/// The part of `delta-v.json` that a table is made of.
#[derive(Deserialize)]
struct Document {
    rows: Vec<TableRow>,
    #[serde(default)]
    rejects: Vec<Reject>,
}

/// Where a row stood.
struct Position<'a> {
    row: u64,
    line: Option<u64>,
    text: &'a str,
}

impl DeltaVTable {
    /// Reads the table from its text, in either layout, from a web page that holds it, or from
    /// `delta-v.json`; which of them it is shows in the bytes.
    ///
    /// Lines that do not begin like a row are skipped. Rows that cannot be read, and rows of a body that
    /// an earlier row has, are in [`rejects`](Self::rejects). Bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// There is not a single row, or the bytes are no text, or no complete document.
    pub fn parse(bytes: &[u8]) -> Result<DeltaVTable, DeltaVError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if let Some(offset) = binary_offset(bytes) {
            return Err(DeltaVError::Binary {
                offset,
                value: bytes[offset],
            });
        }
        let text = String::from_utf8_lossy(bytes);
        let table = match text.trim_start().chars().next() {
            None => return Err(DeltaVError::Empty),
            Some('{') => {
                let document = serde_json::from_str(&text);
                from_document(document.map_err(|source| DeltaVError::Document { source })?)
            }
            Some(_) => from_text(&text),
        };
        if table.rows.is_empty() {
            let num_rejects = table.rejects.len();
            return Err(DeltaVError::NoRow {
                is_html: looks_like_html(&text),
                num_rejects,
            });
        }
        Ok(table)
    }

    /// Finds a body's row: by its number, else by the first of its provisional `designations`
    /// (`2006 RH120`) that the table has.
    ///
    /// A row with another number than the body's is never found by its designation.
    #[must_use]
    pub fn find(&self, number: Option<u32>, designations: &[&str]) -> Option<&TableRow> {
        self.rows.get(self.index.find(number, designations)?)
    }

    /// Adds a row, or rejects it where an earlier row has its number or designation.
    fn add(&mut self, row: TableRow, position: &Position<'_>) {
        let place = self.rows.len();
        let designation = row.designation.as_deref();
        if let Err(Taken { column, key }) = self.index.add(row.number, designation, place) {
            let message = format!("an earlier row has the {column} {key}");
            let fault = Fault {
                column: Some(column),
                reason: Reason::DuplicateKey,
                message,
            };
            return self.reject(fault, position);
        }
        self.rows.push(row);
    }

    /// Notes a row that is left out.
    fn reject(&mut self, fault: Fault, position: &Position<'_>) {
        self.rejects.push(Reject {
            input: Input::DeltaV,
            row: position.row,
            line: position.line,
            column: fault.column.map(str::to_owned),
            reason: fault.reason,
            message: fault.message,
            text: excerpt(position.text.as_bytes()),
        });
    }
}

/// Where the first byte stands that makes the bytes no text: a 0, or the mark of a compressed file.
fn binary_offset(bytes: &[u8]) -> Option<usize> {
    let is_compressed = [&[0x1f, 0x8b][..], &[0x28, 0xb5, 0x2f, 0xfd]];
    if is_compressed.iter().any(|mark| bytes.starts_with(mark)) {
        return Some(0);
    }
    memchr::memchr(0, bytes)
}

/// Reads the table from its text or page.
fn from_text(text: &str) -> DeltaVTable {
    let mut table = DeltaVTable::default();
    let mut num_rows = 0;
    for (number, line) in (1..).zip(text.lines()) {
        for visible in visible_text(line).lines() {
            let Some(parsed) = parse_row(visible) else {
                continue;
            };
            num_rows += 1;
            let position = Position {
                row: num_rows,
                line: Some(number),
                text: visible,
            };
            match parsed {
                Ok(row) => table.add(row, &position),
                Err(fault) => table.reject(fault, &position),
            }
        }
    }
    table
}

/// Makes the table from its document, whose rows anyone may have changed since it was written.
fn from_document(document: Document) -> DeltaVTable {
    let mut table = DeltaVTable {
        rejects: document.rejects,
        ..DeltaVTable::default()
    };
    for (number, row) in (1..).zip(document.rows) {
        let text = row
            .designation
            .clone()
            .or_else(|| row.name.clone())
            .unwrap_or_default();
        let position = Position {
            row: number,
            line: None,
            text: &text,
        };
        match row.check() {
            Ok(()) => table.add(row, &position),
            Err(fault) => table.reject(fault, &position),
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "\
RANK  PERCENTILE ASTEROID NAME             DESIGNATION  (KM/S)
====  ========== =============             ===========  =======
   1   99.99                                2006 RH120   3.813 0.635 0.605 29.5 1.033 0.025 0.6 RADAR
1900   80.46        (433) Eros              1898 DQ      6.069 1.012 0.963 11.2 1.458 0.223 10.8
";

    fn table(text: &str) -> DeltaVTable {
        DeltaVTable::parse(text.as_bytes()).unwrap()
    }

    fn rank(row: Option<&TableRow>) -> Option<u32> {
        row.map(|row| row.rank)
    }

    #[test]
    fn reads_text_with_any_line_ends() {
        let expected = table(TEXT).rows;
        assert_eq!(expected.len(), 2);
        assert_eq!(table(&TEXT.replace('\n', "\r\n")).rows, expected);
        assert_eq!(
            table(&format!("\u{feff}{}", TEXT.trim_end())).rows,
            expected
        );
    }

    #[test]
    fn reads_an_archived_page() {
        let rows = TEXT
            .replace(
                "2006 RH120",
                "<A HREF=\"/web/2021/x?a=1&amp;b=2\">2006&nbsp;RH120</A>",
            )
            .replace("RADAR", "<b>RADAR</b>")
            .replace(" (433) Eros", "&nbsp;(433)&#32;Eros");
        let page = format!(
            "<!DOCTYPE html>\r\n<html><head><script>if (1<2) {{ var a = 1 }}</script></head>\n\
             <!-- BEGIN WAYBACK TOOLBAR INSERT -->\n<div id=\"wm-ipp\">2 captures\n</div>\n\
             <body><PRE>{rows}</PRE></body></html>\n<!-- playback timings (ms):\n 3 -->"
        );
        assert_eq!(table(&page).rows, table(TEXT).rows);
        assert!(table(&page).rejects.is_empty());
    }

    #[test]
    fn reads_rows_that_end_in_line_break_tags() {
        let page = TEXT.trim_end().replace('\n', "<br>");
        assert_eq!(table(&page).rows, table(TEXT).rows);
    }

    #[test]
    fn finds_by_number_then_by_designation() {
        let table = table(TEXT);
        assert_eq!(rank(table.find(Some(433), &[])), Some(1_900));
        assert_eq!(rank(table.find(None, &["x", "1898 DQ"])), Some(1_900));
        assert_eq!(rank(table.find(Some(433), &["2006 RH120"])), Some(1_900));
        assert_eq!(rank(table.find(Some(7), &["2006 RH120"])), Some(1));
        assert_eq!(rank(table.find(Some(7), &["1898 DQ"])), None);
        assert_eq!(rank(table.find(None, &[])), None);
        assert_eq!(
            rank(DeltaVTable::default().find(Some(433), &["1898 DQ"])),
            None
        );
    }

    #[test]
    fn keeps_the_first_row_of_a_body() {
        let again = TEXT
            .lines()
            .last()
            .unwrap()
            .replace("1900", "1901")
            .replace("6.069", "7.0");
        for (row, column) in [
            (again.replace("1898 DQ", "1898 DR"), "number"),
            (again.replace("(433)", "(434)"), "designation"),
        ] {
            let table = table(&format!("{TEXT}{row}\n"));
            assert_eq!(table.rows.len(), 2);
            assert_eq!(table.find(Some(433), &[]).unwrap().dv_kms, 6.069);
            assert!(table.find(Some(434), &["1898 DR"]).is_none());
            let [reject] = &table.rejects[..] else {
                panic!("{:?}", table.rejects)
            };
            assert_eq!((reject.row, reject.line), (3, Some(5)));
            assert_eq!(
                (reject.reason, reject.column.as_deref()),
                (Reason::DuplicateKey, Some(column))
            );
        }
    }

    #[test]
    fn rejects_a_row_that_cannot_be_read() {
        let table = table(&TEXT.replace("3.813", "3.8l3"));
        assert_eq!(table.rows.len(), 1);
        let [reject] = &table.rejects[..] else {
            panic!("{:?}", table.rejects)
        };
        assert_eq!(
            (reject.input, reject.row, reject.line),
            (Input::DeltaV, 1, Some(3))
        );
        assert_eq!(
            (reject.reason, reject.column.as_deref()),
            (Reason::BadNumber, Some("dv_kms"))
        );
        assert_eq!(reject.message, "dv_kms \"3.8l3\" is not a number");
        assert!(reject.text.contains("2006 RH120"));
    }

    #[test]
    fn takes_bytes_that_are_not_utf8() {
        let mut page = b"<html>caf\xe9 <pre>\n".to_vec();
        page.extend_from_slice(TEXT.as_bytes());
        page.extend_from_slice(b"\xff\xfe</pre>");
        assert_eq!(DeltaVTable::parse(&page).unwrap().rows.len(), 2);
    }

    #[test]
    fn says_why_there_is_no_table() {
        let error = |bytes: &[u8]| DeltaVTable::parse(bytes).unwrap_err();
        assert!(matches!(error(b""), DeltaVError::Empty));
        assert!(matches!(error(b"\xef\xbb\xbf \r\n"), DeltaVError::Empty));
        assert!(matches!(
            error(b"a\0"),
            DeltaVError::Binary {
                offset: 1,
                value: 0
            }
        ));
        assert!(matches!(
            error(b"\x1f\x8b\x08 1"),
            DeltaVError::Binary { offset: 0, .. }
        ));
        assert!(matches!(
            error(b"{\"rows\": ["),
            DeltaVError::Document { .. }
        ));
        assert!(matches!(
            error(b"{\"message\": \"bad\"}"),
            DeltaVError::Document { .. }
        ));
        assert!(matches!(
            error(b"{\"rows\": []}"),
            DeltaVError::NoRow { is_html: false, .. }
        ));
        assert!(matches!(
            error(b"a,b\n1,2\n"),
            DeltaVError::NoRow { is_html: false, .. }
        ));
        assert!(matches!(
            error(b"oops <HTML>gone"),
            DeltaVError::NoRow { is_html: true, .. }
        ));
        assert_eq!(
            error(b"<html>Not Found</html>").to_string(),
            "no row in the delta-v table: a web page without the table, \
             0 lines look like rows and cannot be read",
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes: Vec<u8>) {
            let _ = DeltaVTable::parse(&bytes);
        }

        #[test]
        fn a_damaged_table_is_taken(at in 0..TEXT.len(), byte: u8, cut in 0..TEXT.len()) {
            let mut bytes = TEXT.as_bytes().to_vec();
            bytes[at] = byte;
            bytes.truncate(cut);
            let _ = DeltaVTable::parse(&bytes);
        }
    }
}
