//! The list that ships with the program, and the reader of its format.
//!
//! The format is CSV with a fixed header, `#` comments, and one row a body; a field in quotes may hold
//! commas, and quotes as two, but no line break.

use std::sync::LazyLock;

use super::best::BodyMass;
use super::estimates::{Fault, content_lines, not_utf8, reject};
use super::list::MassList;
use crate::reject::{Reason, excerpt};

/// The columns, in their order.
const COLUMNS: [&str; 7] = [
    "number",
    "designation",
    "name",
    "mass_kg",
    "sigma_kg",
    "num_estimates",
    "source",
];

/// The list that ships with the program: its own table of weighted means, see the head of the file.
#[must_use]
pub fn builtin() -> &'static MassList {
    static LIST: LazyLock<MassList> =
        LazyLock::new(|| parse_shipped(include_bytes!("../../data/masses.csv")));
    &LIST
}

/// Says whether a line is the header of the format.
pub(super) fn is_shipped_header(line: &[u8]) -> bool {
    let columns = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    columns.eq(COLUMNS.iter().map(|column| column.as_bytes()))
}

/// Reads the rows below the header. Rows that cannot be read are in the rejects.
pub(super) fn parse_shipped(bytes: &[u8]) -> MassList {
    let mut list = MassList::default();
    for (row, (line, bytes)) in (1..).zip(content_lines(bytes).skip(1)) {
        let parsed = match std::str::from_utf8(bytes) {
            Ok(text) => parse_body(text),
            Err(error) => Err(not_utf8(error)),
        };
        let num_estimates = parsed
            .as_ref()
            .map_or(0, |body| u64::from(body.num_estimates));
        match parsed.and_then(|body| list.add(body)) {
            Ok(()) => list.num_estimates += num_estimates,
            Err(fault) => list.rejects.push(reject(fault, row, Some(line), bytes)),
        }
    }
    list
}

/// Reads one row.
fn parse_body(text: &str) -> Result<BodyMass, Fault> {
    let fields = split_fields(text)?;
    let num_fields = fields.len();
    let [
        number,
        designation,
        name,
        mass,
        sigma,
        num_estimates,
        source,
    ] = <[String; 7]>::try_from(fields).map_err(|_| {
        let message = format!("{num_fields} fields, not {}", COLUMNS.len());
        (None, Reason::FieldCount, message)
    })?;
    let text = |field: String| Some(field).filter(|field| !field.is_empty());
    Ok(BodyMass {
        number: text(number)
            .map(|number| read("number", &number))
            .transpose()?,
        designation: text(designation),
        name: text(name),
        mass_kg: read("mass_kg", &mass)?,
        sigma_kg: read("sigma_kg", &sigma)?,
        num_estimates: read("num_estimates", &num_estimates)?,
        source,
    })
}

/// Reads a number out of its field.
fn read<T: std::str::FromStr>(column: &'static str, field: &str) -> Result<T, Fault> {
    field.parse().map_err(|_| {
        let message = format!("{column} {:?} is not a number", excerpt(field.as_bytes()));
        (Some(column), Reason::BadNumber, message)
    })
}

/// Splits a row into its fields, white space around them and quotes taken off.
fn split_fields(text: &str) -> Result<Vec<String>, Fault> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim_end().to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match after.trim_start() {
            "" => return Ok(fields),
            after => {
                rest = after.strip_prefix(',').ok_or_else(|| {
                    let message = format!("{:?} after a quoted field", excerpt(after.as_bytes()));
                    (None, Reason::Malformed, message)
                })?;
            }
        }
    }
}

/// Reads a field from behind its opening quote, and what follows the closing one.
fn quoted_field(text: &str) -> Result<(String, &str), Fault> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let Some((part, after)) = rest.split_once('"') else {
            let message = "a quoted field is not closed".to_owned();
            return Err((None, Reason::UnclosedQuote, message));
        };
        field.push_str(part);
        let Some(after_two) = after.strip_prefix('"') else {
            return Ok((field, after));
        };
        field.push('"');
        rest = after_two;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "number,designation,name,mass_kg,sigma_kg,num_estimates,source";

    fn list(rows: &str) -> MassList {
        parse_shipped(format!("# about\n{HEADER}\n{rows}").as_bytes())
    }

    fn check_reject(row: &str, column: Option<&str>, reason: Reason, value: &str) {
        let list = list(row);
        let [reject] = &list.rejects[..] else {
            panic!("{list:?}")
        };
        assert_eq!((reject.row, reject.line), (1, Some(3)));
        assert_eq!(
            (reject.column.as_deref(), reject.reason),
            (column, reason),
            "{reject:?}"
        );
        assert!(reject.message.contains(value), "{}", reject.message);
    }

    #[test]
    fn every_line_of_the_shipped_list_is_read() {
        let list = builtin();
        assert_eq!(list.rejects, []);
        let text = include_str!("../../data/masses.csv");
        let num_lines = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(list.bodies.len(), num_lines - 1);
        assert!(list.bodies.iter().all(|body| body.sigma_kg < body.mass_kg));
        assert!(list.bodies.iter().all(|body| !body.source.is_empty()));
    }

    #[test]
    fn reads_quoted_fields() {
        let list =
            list("6,,\"d\"\"A, B\" , 1e3,1e2,4,\"Carry 2012, mean\"\n, 2012 DA14 ,,1,1,1,\n");
        assert_eq!(list.rejects, []);
        assert_eq!(list.bodies[0].name.as_deref(), Some("d\"A, B"));
        assert_eq!(list.bodies[0].source, "Carry 2012, mean");
        assert_eq!(list.bodies[1].designation.as_deref(), Some("2012 DA14"));
        assert_eq!(list.num_estimates, 5);
    }

    #[test]
    fn rejects_what_cannot_be_read() {
        use Reason::{BadNumber, FieldCount, Malformed, NoKey, OutOfRange, UnclosedQuote};
        check_reject("1,,A,1e3,1e2,1", None, FieldCount, "6 fields");
        check_reject("x,,A,1e3,1e2,1,s", Some("number"), BadNumber, "x");
        check_reject("1,,A,heavy,1e2,1,s", Some("mass_kg"), BadNumber, "heavy");
        check_reject("1,,A,1e3,1e2,-1,s", Some("num_estimates"), BadNumber, "-1");
        check_reject("1,,A,NaN,1e2,1,s", Some("mass_kg"), OutOfRange, "NaN");
        check_reject("1,,A,1e3,0,1,s", Some("sigma_kg"), OutOfRange, "0");
        check_reject(",,,1e3,1e2,1,s", None, NoKey, "no body");
        check_reject("1,,\"A,1e3,1e2,1,s", None, UnclosedQuote, "not closed");
        check_reject("1,,\"A\"B,1e3,1e2,1,s", None, Malformed, "B");
    }

    #[test]
    fn knows_its_header() {
        assert!(is_shipped_header(HEADER.as_bytes()));
        assert!(is_shipped_header(HEADER.replace(',', ", ").as_bytes()));
        assert!(!is_shipped_header(
            b"number,designation,name,mass_kg,sigma_kg,num_estimates"
        ));
        assert!(!is_shipped_header(b"1 Ceres 9.55E+20 4.38E+19"));
    }

    proptest! {
        #[test]
        fn any_row_is_taken(row in "[0-9,\"A e.é#-]{0,60}") {
            let _ = list(&row);
        }

        #[test]
        fn fields_come_back(fields in proptest::collection::vec("[a-c,\" é]{0,6}", 1..9)) {
            let quote = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
            let row = fields.iter().map(quote).collect::<Vec<_>>().join(",");
            prop_assert_eq!(split_fields(&row).unwrap(), fields);
        }
    }
}
