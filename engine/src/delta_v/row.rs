//! Reads one line of the published table.
//!
//! The names in a row hold spaces, so it is read by tokens from the right: flags, numbers, the two
//! tokens of the provisional designation, and what is left is the number and the name.

use serde::{Deserialize, Serialize};

use crate::designation::is_provisional;
use crate::reject::{Reason, excerpt};

/// One row of the published table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// The row's place in the table, from 1, the cheapest rendezvous first.
    pub rank: u32,
    /// The share of the table's bodies that cost more, in percent.
    pub percentile: f64,
    /// The body's number, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u32>,
    /// The body's name, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The provisional designation, with one space: `2006 RH120`, `6344 P-L`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub designation: Option<String>,
    /// The delta-v of a rendezvous, in km/s.
    pub dv_kms: f64,
    /// The absolute magnitude.
    pub h: f64,
    /// The semi-major axis, in au.
    pub a: f64,
    /// The eccentricity.
    pub e: f64,
    /// The inclination, in degrees.
    pub i: f64,
    /// Whether radar has detected the body.
    pub radar: bool,
    /// Whether the body is known to be binary.
    pub binary: bool,
}

/// What is wrong with a row, before it is known where the row stood.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) column: Option<&'static str>,
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// The numbers at the end of a row, by column; the layout of 2012 lacks the two ratios.
const COLUMNS: [&str; 7] = ["dv_kms", "moon_ratio", "mars_ratio", "h", "a", "e", "i"];

/// How many numbers a row of the layout of 2012 ends with.
const NUM_COLUMNS_2012: usize = 5;

/// Reads a line as a row of the table. `None`: it does not begin like one.
pub(super) fn parse_row(line: &str) -> Option<Result<TableRow, Fault>> {
    let mut tokens: Vec<&str> = line.split_whitespace().collect();
    let [rank, percentile, ..] = tokens[..] else {
        return None;
    };
    let is_rank = rank.bytes().all(|b| b.is_ascii_digit());
    if !is_rank || !begins_number(percentile) {
        return None;
    }
    let (mut radar, mut binary) = (false, false);
    while let Some(flag) = tokens.last() {
        match *flag {
            flag if flag.eq_ignore_ascii_case("radar") => radar = true,
            flag if flag.eq_ignore_ascii_case("binary") => binary = true,
            _ => break,
        }
        tokens.pop();
    }
    let body = tokens.get(2..).unwrap_or_default();
    let num_numbers = body
        .iter()
        .rev()
        .take_while(|token| number(token).is_some())
        .count();
    // A percentile that cannot be read still belongs to a row where a row's numbers follow.
    if number(percentile).is_none() && num_numbers < NUM_COLUMNS_2012 {
        return None;
    }
    let (names, numbers) = body.split_at(body.len() - num_numbers);
    Some(assemble(
        [rank, percentile],
        names,
        numbers,
        [radar, binary],
    ))
}

/// Puts a row together from its tokens.
fn assemble(
    [rank, percentile]: [&str; 2],
    names: &[&str],
    numbers: &[&str],
    [radar, binary]: [bool; 2],
) -> Result<TableRow, Fault> {
    let rank = rank
        .parse()
        .map_err(|_| bad("rank", Reason::OutOfRange, rank))?;
    let percentile =
        number(percentile).ok_or_else(|| bad("percentile", Reason::BadNumber, percentile))?;
    let values: Vec<f64> = numbers.iter().filter_map(|token| number(token)).collect();
    let (dv_kms, h, a, e, i) = match values[..] {
        [dv_kms, _moon_ratio, _mars_ratio, h, a, e, i] => (dv_kms, h, a, e, i),
        [dv_kms, h, a, e, i] => (dv_kms, h, a, e, i),
        _ => return Err(wrong_count(names, values.len())),
    };
    let Names {
        number,
        name,
        designation,
    } = Names::parse(names)?;
    let row = TableRow {
        rank,
        percentile,
        number,
        name,
        designation,
        dv_kms,
        h,
        a,
        e,
        i,
        radar,
        binary,
    };
    row.check()?;
    Ok(row)
}

impl TableRow {
    /// Checks that each value is one that its quantity can have, and that the row names a body.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let ranges = [
            (
                "percentile",
                self.percentile,
                (0.0..=100.0).contains(&self.percentile),
            ),
            (
                "dv_kms",
                self.dv_kms,
                self.dv_kms.is_finite() && self.dv_kms > 0.0,
            ),
            ("h", self.h, self.h.is_finite()),
            ("a", self.a, self.a.is_finite() && self.a > 0.0),
            // The table holds closed orbits only. A row that lost two of its seven numbers, and so looks
            // like one of the layout of 2012, has a magnitude here.
            ("e", self.e, (0.0..1.0).contains(&self.e)),
            ("i", self.i, (0.0..=180.0).contains(&self.i)),
        ];
        if let Some((column, value, _)) = ranges.into_iter().find(|(_, _, is_valid)| !is_valid) {
            return Err(bad(column, Reason::OutOfRange, &value.to_string()));
        }
        if self.number.is_none() && self.designation.is_none() {
            return Err(Fault {
                column: Some("designation"),
                reason: Reason::NoKey,
                message: "neither a number in parentheses nor a provisional designation".to_owned(),
            });
        }
        Ok(())
    }
}

/// What a row calls its body.
struct Names {
    number: Option<u32>,
    name: Option<String>,
    designation: Option<String>,
}

impl Names {
    /// Reads the tokens between the percentile and the numbers: `(25143) Itokawa 1998 SF36`.
    fn parse(tokens: &[&str]) -> Result<Names, Fault> {
        let (tokens, designation) = match tokens {
            [rest @ .., first, second] if is_provisional(first, second) => {
                (rest, Some(format!("{first} {second}")))
            }
            _ => (tokens, None),
        };
        if tokens.is_empty() {
            return Ok(Names {
                number: None,
                name: None,
                designation,
            });
        }
        let text = tokens.join(" ");
        let numbered = text.strip_prefix('(').and_then(|text| text.split_once(')'));
        let Some((number, name)) = numbered else {
            return Err(bad("designation", Reason::Malformed, &text));
        };
        let number = match number.trim().parse() {
            Ok(number) if number > 0 => Some(number),
            _ => return Err(bad("number", Reason::BadNumber, number)),
        };
        let name = Some(name.trim())
            .filter(|name| !name.is_empty())
            .map(str::to_owned);
        Ok(Names {
            number,
            name,
            designation,
        })
    }
}

/// The fault of a row with `num_numbers` numbers at its end after the tokens `names`.
fn wrong_count(names: &[&str], num_numbers: usize) -> Fault {
    // The token before them is a number that cannot be read, or else there are too few or too many.
    let unreadable = names.last().filter(|token| {
        let is_placeholder = token.bytes().all(|b| b.is_ascii_punctuation());
        num_numbers < COLUMNS.len() && (begins_number(token) || is_placeholder)
    });
    match unreadable {
        Some(token) => bad(
            COLUMNS[COLUMNS.len() - 1 - num_numbers],
            Reason::BadNumber,
            token,
        ),
        None => Fault {
            column: None,
            reason: Reason::FieldCount,
            message: format!("{num_numbers} numbers at the end of the row, not 7 or 5"),
        },
    }
}

/// The fault of a value in a column.
fn bad(column: &'static str, reason: Reason, value: &str) -> Fault {
    let what = match reason {
        Reason::OutOfRange => "out of range",
        Reason::BadNumber => "not a number",
        _ => "neither `(number) name` nor a provisional designation",
    };
    let message = format!("{column} {:?} is {what}", excerpt(value.as_bytes()));
    Fault {
        column: Some(column),
        reason,
        message,
    }
}

/// Says whether a token is meant as a number: names and designations never begin so after the first token.
fn begins_number(token: &str) -> bool {
    token
        .trim_start_matches(['+', '-'])
        .trim_start_matches('.')
        .starts_with(|c: char| c.is_ascii_digit())
}

/// The number that a token is.
fn number(token: &str) -> Option<f64> {
    begins_number(token).then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NUMBERS: &str = "5.098 0.850 0.809 18.0 1.644 0.384 3.4";

    fn row(line: &str) -> TableRow {
        parse_row(line).unwrap().unwrap()
    }

    fn check_names(
        names: &str,
        number: Option<u32>,
        name: Option<&str>,
        designation: Option<&str>,
    ) {
        let row = row(&format!("  525   94.60  {names}  {NUMBERS}"));
        assert_eq!(row.number, number, "{names}");
        assert_eq!(row.name.as_deref(), name, "{names}");
        assert_eq!(row.designation.as_deref(), designation, "{names}");
    }

    fn check_fault(line: &str, column: Option<&str>, reason: Reason, value: &str) {
        let fault = parse_row(line).unwrap().unwrap_err();
        assert_eq!(
            (fault.column, fault.reason),
            (column, reason),
            "{line}: {}",
            fault.message
        );
        assert!(fault.message.contains(value), "{}", fault.message);
    }

    #[test]
    fn reads_every_column() {
        let row =
            row("525  94.60 (65803) Didymos 1996 GT 5.098 0.850 0.809 18.0 1.644 0.384 3.4 RADAR");
        let expected = TableRow {
            rank: 525,
            percentile: 94.60,
            number: Some(65_803),
            name: Some("Didymos".to_owned()),
            designation: Some("1996 GT".to_owned()),
            dv_kms: 5.098,
            h: 18.0,
            a: 1.644,
            e: 0.384,
            i: 3.4,
            radar: true,
            binary: false,
        };
        assert_eq!(row, expected);
    }

    #[test]
    fn reads_the_layout_of_2012() {
        let new = row("525 94.60 (65803) Didymos 1996 GT 5.098 0.850 0.809 18.0 1.644 0.384 3.4");
        let old = row("525 94.60 (65803) Didymos 1996 GT 5.098 18.0 1.644 0.384 3.4");
        assert_eq!(old, new);
    }

    #[test]
    fn reads_every_form_of_name() {
        check_names("2006 RH120", None, None, Some("2006 RH120"));
        check_names("A898 PA", None, None, Some("A898 PA"));
        check_names(
            "(5011) Ptah 6743 P-L",
            Some(5_011),
            Some("Ptah"),
            Some("6743 P-L"),
        );
        check_names(
            "(4587) Rees 3239 T-2",
            Some(4_587),
            Some("Rees"),
            Some("3239 T-2"),
        );
        check_names("(145656) 4788 P-L", Some(145_656), None, Some("4788 P-L"));
        check_names("(433) Eros", Some(433), Some("Eros"), None);
        check_names(
            "( 433) Eros 1898 DQ",
            Some(433),
            Some("Eros"),
            Some("1898 DQ"),
        );
        check_names("(162173)", Some(162_173), None, None);
        check_names(
            "(1) A B C 'd 1999 AA",
            Some(1),
            Some("A B C 'd"),
            Some("1999 AA"),
        );
    }

    #[test]
    fn reads_flags_in_either_order() {
        let flags = |text: &str| {
            let row = row(&format!("1 99.9 2006 RH120 {NUMBERS} {text}"));
            (row.radar, row.binary)
        };
        assert_eq!(flags(""), (false, false));
        assert_eq!(flags("BINARY"), (false, true));
        assert_eq!(flags("RADAR BINARY"), (true, true));
        assert_eq!(flags("BINARY radar"), (true, true));
    }

    #[test]
    fn skips_what_does_not_begin_like_a_row() {
        for line in [
            "",
            "RANK  PERCENTILE ASTEROID NAME  DESIGNATION",
            "====  ========== =============",
            "2006 RH120 is the cheapest",
            "14 April 2013",
            "12",
            "7 12th of June",
            "RADAR",
        ] {
            assert_eq!(parse_row(line), None, "{line}");
        }
    }

    /// Checks the fault of a row of 2006 RH120 with these numbers at its end.
    fn check_numbers(numbers: &str, column: Option<&str>, reason: Reason, value: &str) {
        check_fault(
            &format!("1 9.9 2006 RH120 {numbers}"),
            column,
            reason,
            value,
        );
    }

    #[test]
    fn names_the_number_at_fault() {
        use Reason::{BadNumber, FieldCount, OutOfRange};
        check_numbers(
            "3.8x3 1 1 18 1.6 0.3 3.4",
            Some("dv_kms"),
            BadNumber,
            "3.8x3",
        );
        check_numbers(
            "***** 1 1 18 1.6 0.3 3.4",
            Some("dv_kms"),
            BadNumber,
            "*****",
        );
        check_numbers("5 1 1 1O.0 1.6 0.3 3.4", Some("h"), BadNumber, "1O.0");
        check_numbers("5 1 1 18 1.6 0.3 3,4", Some("i"), BadNumber, "3,4");
        check_numbers("5 1 18 1.6 0.3 3.4", None, FieldCount, "6 numbers");
        check_numbers("9 5 1 1 18 1.6 0.3 3.4", None, FieldCount, "8 numbers");
        check_numbers("RADAR", None, FieldCount, "0 numbers");
        check_numbers("-5 18 1.6 0.3 3.4", Some("dv_kms"), OutOfRange, "-5");
        check_numbers("5 18 1.6 1.0 3.4", Some("e"), OutOfRange, "1");
        check_numbers("5 18 1e999 0.1 3.4", Some("a"), OutOfRange, "inf");
        check_fault("1 9.9", None, FieldCount, "0 numbers");
    }

    #[test]
    fn names_what_else_is_at_fault() {
        use Reason::{BadNumber, Malformed, NoKey, OutOfRange};
        let check = |names: &str, column: &str, reason: Reason, value: &str| {
            check_fault(&format!("{names} {NUMBERS}"), Some(column), reason, value);
        };
        check("1 9.x9 2006 RH120", "percentile", BadNumber, "9.x9");
        check(
            "99999999999 9.9 2006 RH120",
            "rank",
            OutOfRange,
            "99999999999",
        );
        check("1 9.9", "designation", NoKey, "neither");
        check("1 9.9 Eros", "designation", Malformed, "Eros");
        check("1 9.9 (x) Eros", "number", BadNumber, "x");
    }

    #[test]
    fn a_row_that_lost_two_numbers_is_not_taken_for_the_layout_of_2012() {
        check_fault(
            "525 94.60 1996 GT 5.098 0.850 0.809 18.0 1.644",
            Some("e"),
            Reason::OutOfRange,
            "18",
        );
    }

    proptest! {
        #[test]
        fn any_line_is_taken(line in "(?s).*") {
            let _ = parse_row(&line);
        }

        #[test]
        fn any_soup_of_tokens_is_taken(
            tokens in proptest::collection::vec(
                prop_oneof!["[0-9.+-]{1,6}", "\\(?[A-Za-z0-9']{1,5}\\)?", Just("RADAR".to_owned())],
                0..14,
            ),
        ) {
            let _ = parse_row(&format!("1 2.0 {}", tokens.join(" ")));
        }
    }
}
