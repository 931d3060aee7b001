//! NHATS: JPL's table of the round trips that a crew could make to near-Earth asteroids.
//!
//! Its figures are of another kind than [`delta_v`](crate::delta_v)'s: the total of a whole mission (from
//! low Earth orbit to the body and back), optimised over launch dates, with the time that it takes.
//! They stand beside the rendezvous' delta-v and never in its place. [`NhatsTable`] reads the API's document
//! or this program's own `nhats.json`; where the bytes come from is left to the callers.

mod document;

use serde::{Deserialize, Serialize};

use crate::content::{BYTE_ORDER_MARK, Content, page_text};
use crate::index::{BodyIndex, Taken};
use crate::reject::{Input, Reason, Reject, excerpt};
use document::{Document, shown};

/// The table, by body. As JSON it is `nhats.json`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NhatsTable {
    /// The rows in the table's order. The look-ups lead into them by place: keep it.
    pub rows: Vec<NhatsRow>,
    /// The rows that are left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejects: Vec<Reject>,
    #[serde(skip)]
    index: BodyIndex,
}

/// A body and the trajectory to it and back that takes the least total delta-v.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NhatsRow {
    /// The body's number, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u32>,
    /// The provisional designation, where it is told: `2006 RH120`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub designation: Option<String>,
    /// The total delta-v of the round trip, km/s.
    pub dv_kms: f64,
    /// The duration of the same round trip, days.
    pub days: f64,
}

/// Why there is no table in the bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NhatsError {
    /// There are no bytes, or only white space.
    #[error("the NHATS table is empty")]
    Empty,
    /// The bytes are a page, most likely a server's error page.
    #[error("the NHATS table is a page of HTML or XML: \"{0}\"")]
    Page(String),
    /// The bytes are neither a page nor JSON.
    #[error("the NHATS table is no JSON document")]
    NotJson,
    /// The document is malformed, cut off, or of another table.
    #[error("the NHATS document cannot be read")]
    Document(#[source] serde_json::Error),
    /// The document is the API's error reply.
    #[error("the document is an error reply of the API: {0}")]
    ErrorReply(String),
    /// The document has no rows, and does not say that there are none.
    #[error("the JSON document has no array \"data\": it is no table of the NHATS API")]
    NoData,
    /// The document has other rows than it counts.
    #[error("the NHATS document is incomplete: it counts {count} bodies and has {rows}")]
    Incomplete {
        /// The number of bodies by the document's own count.
        count: u64,
        /// The number of its rows.
        rows: usize,
    },
    /// Not a single body is left.
    #[error("the NHATS table lists no body ({num_rejects} rows cannot be read)")]
    NoRow {
        /// How many rows cannot be read.
        num_rejects: usize,
    },
}

/// What is wrong with a row: the column at fault, why, and the same for people.
type Fault = (Option<&'static str>, Reason, String);

impl NhatsTable {
    /// Reads the table from the API's document (of all bodies, not of one), or from `nhats.json`; which of
    /// them it is shows in its keys.
    ///
    /// Rows that cannot be read, and rows of a body that an earlier row has, are in
    /// [`rejects`](Self::rejects).
    ///
    /// # Errors
    /// [`NhatsError`]: there is not a single row, or the bytes are no complete document of the table.
    pub fn parse(bytes: &[u8]) -> Result<NhatsTable, NhatsError> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        match Content::of(bytes) {
            Content::Empty => return Err(NhatsError::Empty),
            Content::Markup => return Err(NhatsError::Page(page_text(bytes, 300))),
            Content::Json => {}
            _ => return Err(NhatsError::NotJson),
        }
        let document: Document = serde_json::from_slice(bytes).map_err(NhatsError::Document)?;
        let table = match document.rows {
            Some(rows) => NhatsTable::from_rows(rows, document.rejects),
            None => NhatsTable::from_api(document)?,
        };
        if table.rows.is_empty() {
            return Err(NhatsError::NoRow {
                num_rejects: table.rejects.len(),
            });
        }
        Ok(table)
    }

    /// Finds a body's row: by its number, else by the first of its provisional `designations`
    /// (`2006 RH120`) that the table has.
    ///
    /// A row with another number than the body's is never found by its designation.
    #[must_use]
    pub fn find(&self, number: Option<u32>, designations: &[&str]) -> Option<&NhatsRow> {
        self.rows.get(self.index.find(number, designations)?)
    }

    /// Makes the table of the API's document.
    fn from_api(document: Document) -> Result<NhatsTable, NhatsError> {
        if let Some(message) = document.error_message() {
            return Err(NhatsError::ErrorReply(message));
        }
        let count = document.count();
        // Where nothing matches, the array is empty or null (JPL, NHATS API documentation, "Mode S").
        let rows = match (document.data, count) {
            (Some(rows), _) => rows,
            (None, Some(0)) => Vec::new(),
            (None, _) => return Err(NhatsError::NoData),
        };
        if let Some(count) = count
            && count != rows.len() as u64
        {
            let rows = rows.len();
            return Err(NhatsError::Incomplete { count, rows });
        }
        let mut table = NhatsTable::default();
        for (number, row) in (1..).zip(rows) {
            table.add(row.read(), number, &row.text());
        }
        Ok(table)
    }

    /// Makes the table of its document's rows, which anyone may have changed since it was written.
    fn from_rows(rows: Vec<NhatsRow>, rejects: Vec<Reject>) -> NhatsTable {
        let mut table = NhatsTable {
            rejects,
            ..NhatsTable::default()
        };
        for (number, row) in (1..).zip(rows) {
            let text = row.designation.clone().unwrap_or_default();
            let checked = row.check(["dv_kms", "days"]).map(|()| row);
            table.add(checked, number, &text);
        }
        table
    }

    /// Adds the row of this number among the rows, or rejects it where it has a fault or where an earlier row
    /// has its body.
    fn add(&mut self, row: Result<NhatsRow, Fault>, number: u64, text: &str) {
        let place = self.rows.len();
        let added = row.and_then(|row| {
            let designation = row.designation.as_deref();
            self.index
                .add(row.number, designation, place)
                .map_err(taken)?;
            Ok(row)
        });
        match added {
            Ok(row) => self.rows.push(row),
            Err((column, reason, message)) => self.rejects.push(Reject {
                input: Input::Nhats,
                row: number,
                line: None,
                column: column.map(str::to_owned),
                reason,
                message,
                text: excerpt(text.as_bytes()),
            }),
        }
    }
}

impl NhatsRow {
    /// Checks that the figures, which stand in `columns`, are such as their quantities can have, and that
    /// the row names a body.
    fn check(&self, columns: [&'static str; 2]) -> Result<(), Fault> {
        for (column, value) in columns.into_iter().zip([self.dv_kms, self.days]) {
            if !(value.is_finite() && value > 0.0) {
                let message = format!("{column} {value} is not above 0");
                return Err((Some(column), Reason::OutOfRange, message));
            }
        }
        if self.number.is_none() && self.designation.is_none() {
            let message = "the row names no body".to_owned();
            return Err((None, Reason::NoKey, message));
        }
        Ok(())
    }
}

/// The fault of a row whose body an earlier row has.
fn taken(Taken { column, key }: Taken) -> Fault {
    let message = format!("an earlier row has the {column} {}", shown(&key));
    (Some(column), Reason::DuplicateKey, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A document of the API's form. Its figures are made up.
    const DOCUMENT: &str = r#"{"signature":{"version":"1.3","source":"made up"},"count":"3","data":[
        {"des":"433","fullname":"433 Eros (A898 PA)","h":"10.4","size":null,"n_via_traj":12,
         "min_dv":{"dv":"9.250","dur":"354"},"min_dur":{"dv":"11.5","dur":"330"}},
        {"des":"2006 RH120","fullname":"(2006 RH120)","radar_snr_a":"3.e3",
         "min_dv":{"dv":4.125,"dur":450},"min_dur":{"dv":4.5,"dur":434}},
        {"min_dv":{"dur":"3.e2","dv":" 5.5 ","x":1},"des":99942,"occ":"0"}]}"#;

    fn table(document: &str) -> NhatsTable {
        NhatsTable::parse(document.as_bytes()).unwrap()
    }

    fn error(bytes: &[u8]) -> NhatsError {
        NhatsTable::parse(bytes).unwrap_err()
    }

    /// A document of one row.
    fn one(row: serde_json::Value) -> String {
        json!({ "data": [{ "des": "1", "min_dv": { "dv": 1, "dur": 1 } }, row] }).to_string()
    }

    /// Found by fuzzing: JSON has the character DEL as it stands, and a name of nothing else made its document binary data.
    #[test]
    fn a_document_with_names_that_are_no_text_reads_back() {
        let row = r#"{"designation":"DEL","dv_kms":9.25,"days":354.0}"#;
        let document = format!(
            "{{\"rows\":[{}]}}",
            row.replace("DEL", &"\\u007f".repeat(20))
        );
        let table = NhatsTable::parse(document.as_bytes()).unwrap();
        let again = serde_json::to_vec(&table).unwrap();
        assert_eq!(NhatsTable::parse(&again).unwrap().rows, table.rows);
    }

    #[test]
    fn reads_the_trip_of_least_delta_v_of_each_body() {
        let table = table(DOCUMENT);
        let row = |number, designation: Option<&str>, dv_kms, days| NhatsRow {
            number,
            designation: designation.map(str::to_owned),
            dv_kms,
            days,
        };
        let expected = [
            row(Some(433), Some("A898 PA"), 9.25, 354.0),
            row(None, Some("2006 RH120"), 4.125, 450.0),
            row(Some(99_942), None, 5.5, 300.0),
        ];
        assert_eq!(table.rows, expected);
        assert!(table.rejects.is_empty(), "{:?}", table.rejects);
        let marked = format!("\u{feff} {DOCUMENT}\r\n");
        assert_eq!(NhatsTable::parse(marked.as_bytes()).unwrap().rows, expected);
    }

    #[test]
    fn finds_by_number_then_by_designation() {
        let table = table(DOCUMENT);
        let dv =
            |number, designations: &[&str]| table.find(number, designations).map(|row| row.dv_kms);
        assert_eq!(dv(Some(433), &["433", ""]), Some(9.25));
        assert_eq!(dv(None, &["x", "A898 PA"]), Some(9.25));
        assert_eq!(dv(Some(7), &["2006 RH120"]), Some(4.125));
        assert_eq!(dv(Some(7), &["A898 PA"]), None);
        assert_eq!(dv(None, &[""]), None);
        assert!(
            NhatsTable::default()
                .find(Some(433), &["A898 PA"])
                .is_none()
        );
    }

    #[test]
    fn its_own_document_reads_back_to_the_same() {
        let whole = DOCUMENT.replace("\"9.250\"", "\"9.25O\"");
        let table = table(&whole);
        assert_eq!((table.rows.len(), table.rejects.len()), (2, 1));
        let document = serde_json::to_vec(&table).unwrap();
        let again = NhatsTable::parse(&document).unwrap();
        assert_eq!(again.rows, table.rows);
        assert_eq!(again.rejects, table.rejects);
        assert_eq!(serde_json::to_vec(&again).unwrap(), document);
        assert_eq!(again.find(Some(99_942), &[]).unwrap().days, 300.0);
    }

    /// Checks that a row is rejected, and at which column, why and with which words.
    #[track_caller]
    fn check_reject(row: serde_json::Value, column: Option<&str>, reason: Reason, told: &str) {
        let table = table(&one(row));
        assert_eq!(table.rows.len(), 1);
        let [reject] = &table.rejects[..] else {
            panic!("{:?}", table.rejects)
        };
        assert_eq!((reject.input, reject.row), (Input::Nhats, 2));
        assert_eq!((reject.column.as_deref(), reject.reason), (column, reason));
        assert!(reject.message.contains(told), "{}", reject.message);
    }

    #[test]
    fn a_row_that_cannot_be_read_is_a_reject() {
        use Reason::{BadNumber, DuplicateKey, Malformed, NoKey, OutOfRange};
        let row = |dv: serde_json::Value, days: serde_json::Value| json!({ "des": "2006 RH120", "min_dv": { "dv": dv, "dur": days } });
        let (dv, days) = (Some("min_dv.dv"), Some("min_dv.dur"));
        check_reject(row(json!("4.l"), json!(1)), dv, BadNumber, "\"4.l\" is not");
        check_reject(row(json!([4]), json!(1)), dv, BadNumber, "\"[4]\" is not");
        check_reject(row(json!(null), json!(1)), dv, BadNumber, "missing");
        check_reject(row(json!("4"), json!(" ")), days, BadNumber, "missing");
        check_reject(row(json!("4"), json!("-1")), days, OutOfRange, "-1");
        check_reject(row(json!(0), json!(1)), dv, OutOfRange, "0 is not above 0");
        check_reject(json!({ "des": "2006 RH120" }), dv, BadNumber, "missing");
        check_reject(
            json!({ "des": "x", "min_dv": "4" }),
            dv,
            BadNumber,
            "missing",
        );
        check_reject(
            json!({ "min_dv": { "dv": 1, "dur": 1 } }),
            None,
            NoKey,
            "names no body",
        );
        check_reject(json!(["2006 RH120", 4]), None, Malformed, "not an object");
        check_reject(json!(null), None, Malformed, "not an object");
        let again = json!({ "des": "1", "fullname": "1 Ceres", "min_dv": { "dv": 2, "dur": 2 } });
        check_reject(again, Some("number"), DuplicateKey, "number 1");
    }

    #[test]
    fn a_reject_names_its_body_and_does_not_grow_with_its_row() {
        let table = table(&one(
            json!({ "des": "2006 RH120", "fullname": "(2006 RH120)" }),
        ));
        assert_eq!(table.rejects[0].text, "2006 RH120 (2006 RH120)");
        let long = "x".repeat(100_000);
        for row in [
            json!({ "des": long, "min_dv": { "dv": long, "dur": 1 } }),
            json!({ "des": long, "min_dv": { "dv": 1, "dur": 1 } }),
        ] {
            let row = row.to_string();
            let document =
                format!(r#"{{"data":[{{"des":1,"min_dv":{{"dv":1,"dur":1}}}},{row},{row}]}}"#);
            let rejects = NhatsTable::parse(document.as_bytes()).unwrap().rejects;
            let reject = rejects.last().unwrap();
            assert!(reject.message.len() < 400 && reject.text.len() <= 1_000);
        }
    }

    #[test]
    fn the_rows_of_its_own_document_are_checked_too() {
        let table = table(
            r#"{"rows":[{"number":1,"dv_kms":4,"days":300},{"number":2,"dv_kms":-4,"days":300},
            {"number":1,"dv_kms":5,"days":300},{"dv_kms":5,"days":300}]}"#,
        );
        assert_eq!(table.rows.len(), 1);
        let reasons: Vec<_> = table
            .rejects
            .iter()
            .map(|reject| (reject.row, reject.reason))
            .collect();
        let expected = [
            (2, Reason::OutOfRange),
            (3, Reason::DuplicateKey),
            (4, Reason::NoKey),
        ];
        assert_eq!(reasons, expected);
    }

    #[test]
    fn says_why_there_is_no_table() {
        assert!(matches!(error(b""), NhatsError::Empty));
        assert!(matches!(error(b"\xef\xbb\xbf \r\n"), NhatsError::Empty));
        assert!(matches!(error(b"des,dv\n433,4\n"), NhatsError::NotJson));
        assert!(matches!(error(b"\x1f\x8b\x08\0\0"), NhatsError::NotJson));
        let page = error(b"<html><title>503 Service Unavailable</title>");
        assert!(matches!(&page, NhatsError::Page(text) if text == "503 Service Unavailable"));
        assert!(matches!(error(b"{\"signature\":{}}"), NhatsError::NoData));
        assert!(matches!(error(b"{\"data\":null}"), NhatsError::NoData));
        assert!(matches!(error(b"{\"data\":{}}"), NhatsError::Document(_)));
        for none in [
            r#"{"count":0,"data":[]}"#,
            r#"{"count":"0","data":null}"#,
            r#"{"data":[]}"#,
            r#"{"rows":[]}"#,
        ] {
            assert!(
                matches!(error(none.as_bytes()), NhatsError::NoRow { num_rejects: 0 }),
                "{none}"
            );
        }
        let catalogue = error(br#"{"fields":["spkid"],"data":[["1"],["2"]]}"#);
        assert!(matches!(catalogue, NhatsError::NoRow { num_rejects: 2 }));
        let delta_v = br#"{"rows":[{"rank":1,"designation":"2006 RH120","dv_kms":3.8}]}"#;
        assert!(matches!(error(delta_v), NhatsError::Document(_)));
    }

    #[test]
    fn an_error_reply_is_told_in_its_own_words() {
        for reply in [
            r#"{"message":"invalid value","moreInfo":"x","code":"400"}"#,
            r#"{"error":"invalid value"}"#,
        ] {
            let error = error(reply.as_bytes());
            assert!(
                matches!(&error, NhatsError::ErrorReply(text) if text == "invalid value"),
                "{error:?}"
            );
        }
        let long = json!({ "message": "x".repeat(100_000) }).to_string();
        assert!(error(long.as_bytes()).to_string().len() < 400);
    }

    #[test]
    fn a_document_that_is_cut_off_or_counts_other_rows_is_an_error() {
        for count in ["2", "4", "7000"] {
            let document = DOCUMENT.replace("\"count\":\"3\"", &format!("\"count\":{count}"));
            let error = error(document.as_bytes());
            assert!(
                matches!(error, NhatsError::Incomplete { rows: 3, .. }),
                "{error:?}"
            );
            assert!(
                error
                    .to_string()
                    .contains(&format!("counts {count} bodies and has 3"))
            );
        }
        for end in 1..DOCUMENT.len() {
            let error = error(&DOCUMENT.as_bytes()[..end]);
            assert!(matches!(error, NhatsError::Document(_)), "{end}: {error:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes: Vec<u8>) {
            let _ = NhatsTable::parse(&bytes);
        }

        #[test]
        fn a_damaged_document_is_taken(at in 0..DOCUMENT.len(), byte: u8) {
            let mut bytes = DOCUMENT.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(table) = NhatsTable::parse(&bytes) {
                prop_assert_eq!(table.rows.len() + table.rejects.len(), 3);
            }
        }
    }
}
