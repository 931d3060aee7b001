//! Reads lists of mass estimates: one estimate a line, `name mass_kg sigma_kg`.
//!
//! The format has grown by hand. A body is called by number and name, by a provisional designation with or
//! without parentheses, or as comets are; a remark may follow the numbers; comments begin with `#`.

use serde::{Deserialize, Serialize};

use crate::designation::is_provisional;
use crate::reject::{Input, Reason, Reject, excerpt};

/// The largest mass that is taken for a small body's, in kg: Earth's, GM/G with 398 600.44 km³/s² and
/// 6.6743e-11 m³/(kg s²) (JPL DE440; CODATA 2018). That of Eris, the heaviest in lists, is 1/360 of it.
pub const MAX_MASS_KG: f64 = 5.972e24;

/// What a list calls a body: at least one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The number of a numbered asteroid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u32>,
    /// The provisional designation, with one space, or what a comet has in its place: `1999 OJ4`, `10P`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub designation: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
}

/// One estimate of a body's mass.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The body.
    pub body: Identity,
    /// The mass, in kg.
    pub mass_kg: f64,
    /// Its standard deviation, in kg.
    pub sigma_kg: f64,
    /// What follows the numbers.
    pub remark: Option<String>,
    /// The line it stands on, from 1.
    pub line: u64,
}

/// What a list of estimates holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimates {
    /// The estimates, in the list's order.
    pub estimates: Vec<Estimate>,
    /// The rows that are left out, and why.
    pub rejects: Vec<Reject>,
}

/// What is wrong with a row: the column at fault, the reason, and the same for people.
pub(super) type Fault = (Option<&'static str>, Reason, String);

/// Reads a list of estimates. Rows that cannot be read are in the rejects.
#[must_use]
pub fn parse_estimates(bytes: &[u8]) -> Estimates {
    let mut list = Estimates::default();
    let mut num_rows = 0;
    for (line, bytes) in content_lines(bytes) {
        num_rows += 1;
        let parsed = match std::str::from_utf8(bytes) {
            Ok(text) => parse_estimate(text, line),
            Err(error) => Err(not_utf8(error)),
        };
        match parsed {
            Ok(estimate) => list.estimates.push(estimate),
            Err(fault) => list
                .rejects
                .push(reject(fault, num_rows, Some(line), bytes)),
        }
    }
    list
}

/// The lines with content, which are neither blank nor comments, and their numbers from 1.
pub(super) fn content_lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    lines
        .map(|(number, line)| (number, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
}

/// Makes the reject of a row.
pub(super) fn reject(fault: Fault, row: u64, line: Option<u64>, text: &[u8]) -> Reject {
    let (column, reason, message) = fault;
    Reject {
        input: Input::Masses,
        row,
        line,
        column: column.map(str::to_owned),
        reason,
        message,
        text: excerpt(text),
    }
}

/// The fault of a row that is not UTF-8.
pub(super) fn not_utf8(error: std::str::Utf8Error) -> Fault {
    let message = format!("byte {} of the row is not UTF-8", error.valid_up_to() + 1);
    (None, Reason::BadText, message)
}

/// Checks that a mass, or the standard deviation of one, is one that a small body can have.
pub(super) fn check_kg(column: &'static str, kg: f64) -> Result<f64, Fault> {
    if kg > 0.0 && kg <= MAX_MASS_KG {
        Ok(kg)
    } else {
        Err(out_of_range(column, kg))
    }
}

fn out_of_range(column: &'static str, kg: f64) -> Fault {
    let message = format!("{column} {kg:e} is not between 0 and {MAX_MASS_KG:e}");
    (Some(column), Reason::OutOfRange, message)
}

/// Reads one row.
fn parse_estimate(text: &str, line: u64) -> Result<Estimate, Fault> {
    let tokens: Vec<&str> = text
        .split(is_separator)
        .filter(|token| !token.is_empty())
        .collect();
    // The numbers are the last two tokens that are numbers; a remark has none.
    let end = tokens
        .iter()
        .rposition(|token| begins_number(token))
        .map_or(0, |at| at + 1);
    let (tokens, remark) = tokens.split_at(end);
    let [names @ .., mass, sigma] = tokens else {
        let message = format!("{end} numbers in the row, not a mass and a sigma");
        return Err((None, Reason::FieldCount, message));
    };
    // A name may end in a number, `Tempel 2`; it does not end in a mass.
    let is_mass = |name: &&str| begins_number(name) && name.len() > 2;
    if names.len() > 1 && names.last().is_some_and(is_mass) {
        let message = "more than two numbers at the end of the row".to_owned();
        return Err((None, Reason::FieldCount, message));
    }
    let mass_kg = kilograms("mass_kg", mass)?;
    let sigma_kg = kilograms("sigma_kg", sigma)?;
    let body = Identity::parse(names)?;
    let remark = Some(remark.join(" ")).filter(|remark| !remark.is_empty());
    Ok(Estimate {
        body,
        mass_kg,
        sigma_kg,
        remark,
        line,
    })
}

/// White space, and the control characters that a bad conversion leaves in names.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Says whether a token is meant as a number.
fn begins_number(token: &str) -> bool {
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    let digits = digits.strip_prefix('.').unwrap_or(digits);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// Reads a mass, or the standard deviation of one.
fn kilograms(column: &'static str, token: &str) -> Result<f64, Fault> {
    let number = begins_number(token).then(|| token.parse().ok()).flatten();
    let kg: f64 = number.ok_or_else(|| {
        let message = format!("{column} {:?} is not a number", excerpt(token.as_bytes()));
        (Some(column), Reason::BadNumber, message)
    })?;
    // Less than a double holds in full may vanish in a mean.
    if kg.is_subnormal() {
        return Err(out_of_range(column, kg));
    }
    check_kg(column, kg)
}

impl Identity {
    /// Reads what a row calls its body.
    fn parse(tokens: &[&str]) -> Result<Identity, Fault> {
        let [first, rest @ ..] = tokens else {
            return Err(no_key("the row names no body"));
        };
        let of = |number, designation, name| Identity {
            number,
            designation,
            name,
        };
        if let Some(designation) = provisional(tokens) {
            return Ok(of(None, Some(designation), None));
        }
        if let (Some(b'/'), [second, name @ ..]) = (first.as_bytes().get(1), rest) {
            // A comet without a number: `C/1995 O1 (Hale-Bopp)`.
            return Ok(of(None, Some(format!("{first} {second}")), joined(name)));
        }
        if let Some((designation, start)) = numbered_comet(first) {
            let name = joined(&[&[start], rest].concat());
            return Ok(of(None, Some(designation.to_owned()), name));
        }
        let digits = within_parentheses(first);
        if begins_number(digits) {
            let number = digits.parse().ok().filter(|number| *number > 0);
            if number.is_none() {
                let digits = excerpt(digits.as_bytes());
                return Err(no_key(&format!("{digits:?} is no body's number")));
            }
            let designation = provisional(rest);
            let name = if designation.is_none() {
                joined(rest)
            } else {
                None
            };
            return Ok(of(number, designation, name));
        }
        match joined(tokens) {
            Some(name) => Ok(of(None, None, Some(name))),
            None => Err(no_key("the row names no body")),
        }
    }
}

/// A name of several tokens, or none where there is nothing in them.
fn joined(tokens: &[&str]) -> Option<String> {
    let name = tokens.join(" ");
    let name = within_parentheses(name.trim()).trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The text without the parentheses that it stands in, if it does.
fn within_parentheses(text: &str) -> &str {
    let inside = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    inside.unwrap_or(text)
}

/// The fault of a row without a body.
fn no_key(message: &str) -> Fault {
    (None, Reason::NoKey, message.to_owned())
}

/// The provisional designation that the tokens are, with or without parentheses: `(2012 DA14)`.
fn provisional(tokens: &[&str]) -> Option<String> {
    let [first, second] = tokens else { return None };
    let first = first.strip_prefix('(').unwrap_or(first);
    let second = second.strip_suffix(')').unwrap_or(second);
    is_provisional(first, second).then(|| format!("{first} {second}"))
}

/// Splits `10P/Tempel` into `10P` and `Tempel`; `10P` and `73P-B` alone will do.
fn numbered_comet(token: &str) -> Option<(&str, &str)> {
    let (designation, name) = token.split_once('/').unwrap_or((token, ""));
    let num_digits = designation.bytes().take_while(u8::is_ascii_digit).count();
    let is_comet = match &designation.as_bytes()[num_digits..] {
        [b'P' | b'D' | b'I'] => num_digits > 0,
        [b'P' | b'D' | b'I', b'-', fragment @ ..] => {
            num_digits > 0 && fragment.iter().all(u8::is_ascii_alphanumeric)
        }
        _ => false,
    };
    is_comet.then_some((designation, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn estimate(line: &str) -> Estimate {
        let list = parse_estimates(line.as_bytes());
        assert_eq!(list.rejects, []);
        let [estimate] = &list.estimates[..] else {
            panic!("{line}")
        };
        estimate.clone()
    }

    fn check_body(names: &str, number: Option<u32>, designation: Option<&str>, name: Option<&str>) {
        let body = estimate(&format!(" {names} 1.40E+12 1.40E+11")).body;
        assert_eq!(body.number, number, "{names}");
        assert_eq!(body.designation.as_deref(), designation, "{names}");
        assert_eq!(body.name.as_deref(), name, "{names}");
    }

    fn check_reject(line: &[u8], column: Option<&str>, reason: Reason, value: &str) {
        let list = parse_estimates(line);
        let [reject] = &list.rejects[..] else {
            panic!("{list:?}")
        };
        assert_eq!(
            (reject.column.as_deref(), reject.reason),
            (column, reason),
            "{reject:?}"
        );
        assert!(reject.message.contains(value), "{}", reject.message);
    }

    #[test]
    fn reads_every_way_to_call_a_body() {
        check_body("1 Ceres", Some(1), None, Some("Ceres"));
        check_body("(433) Eros", Some(433), None, Some("Eros"));
        check_body("433", Some(433), None, None);
        check_body(
            "6 d'Arrest de la Tour",
            Some(6),
            None,
            Some("d'Arrest de la Tour"),
        );
        check_body("26308 1998 SM165", Some(26_308), Some("1998 SM165"), None);
        check_body("26308 (1998 SM165)", Some(26_308), Some("1998 SM165"), None);
        check_body("1999 OJ4", None, Some("1999 OJ4"), None);
        check_body("(2012 DA14)", None, Some("2012 DA14"), None);
        check_body("6344 P-L", None, Some("6344 P-L"), None);
        check_body("10P/ Tempel2", None, Some("10P"), Some("Tempel2"));
        check_body("10P/Tempel 2", None, Some("10P"), Some("Tempel 2"));
        check_body("10P", None, Some("10P"), None);
        check_body("22P/ Kop\u{b} ", None, Some("22P"), Some("Kop"));
        check_body(
            "73P-B/Schwassmann",
            None,
            Some("73P-B"),
            Some("Schwassmann"),
        );
        check_body(
            "C/1995 O1 (Hale-Bopp)",
            None,
            Some("C/1995 O1"),
            Some("Hale-Bopp"),
        );
        check_body("SL9", None, None, Some("SL9"));
    }

    #[test]
    fn reads_numbers_and_remark() {
        let read = estimate(" SL9 1.53E+12 1.53E+11 BkUp too\r\n");
        assert_eq!((read.mass_kg, read.sigma_kg), (1.53e12, 1.53e11));
        assert_eq!(read.remark.as_deref(), Some("BkUp too"));
        let read = estimate("(2012 DA14) 190000000000 190000000000");
        assert_eq!(
            (read.mass_kg, read.sigma_kg, read.remark),
            (1.9e11, 1.9e11, None)
        );
    }

    #[test]
    fn skips_blank_lines_and_comments() {
        let list =
            parse_estimates(b"# a list\r\n\r\n 1 Ceres 9e20 1e19\r\n  # end\n\n2 Pallas 2e20 1e19");
        let lines: Vec<u64> = list
            .estimates
            .iter()
            .map(|estimate| estimate.line)
            .collect();
        assert_eq!((lines, list.rejects.len()), (vec![3, 6], 0));
    }

    #[test]
    fn rejects_say_where_and_why() {
        let list = parse_estimates(b"# list\n1 Ceres 9e20 1e19\n\n 4.25E+18 2.08E+18\n");
        let [reject] = &list.rejects[..] else {
            panic!("{list:?}")
        };
        assert_eq!(
            (reject.input, reject.row, reject.line),
            (Input::Masses, 2, Some(4))
        );
        assert_eq!(
            (reject.reason, reject.text.as_str()),
            (Reason::NoKey, "4.25E+18 2.08E+18")
        );
    }

    #[test]
    fn rejects_what_cannot_be_read() {
        use Reason::{BadNumber, BadText, FieldCount, NoKey, OutOfRange};
        check_reject(b"5 Astraea 2.38E+18", Some("mass_kg"), BadNumber, "Astraea");
        check_reject(
            b"5 Astraea 2.38E+18 unknown",
            Some("mass_kg"),
            BadNumber,
            "Astraea",
        );
        check_reject(b"5 Astraea nan 2.3E+17", Some("mass_kg"), BadNumber, "nan");
        check_reject(
            b"5 Astraea 2.3E+18 2.3E+l7",
            Some("sigma_kg"),
            BadNumber,
            "2.3E+l7",
        );
        check_reject(b"5 Astraea 0 2.3E+17", Some("mass_kg"), OutOfRange, "0");
        check_reject(
            b"5 Astraea -2E18 2.3E+17",
            Some("mass_kg"),
            OutOfRange,
            "-2e18",
        );
        check_reject(b"5 Astraea 2E18 0.0", Some("sigma_kg"), OutOfRange, "0");
        check_reject(b"5 Astraea 2E18 1e999", Some("sigma_kg"), OutOfRange, "inf");
        check_reject(
            b"5 Astraea 2E18 1e-311",
            Some("sigma_kg"),
            OutOfRange,
            "e-311",
        );
        check_reject(b"5 Astraea 2E28 1e20", Some("mass_kg"), OutOfRange, "2e28");
        check_reject(b"0 Nothing 2E18 1e17", None, NoKey, "0");
        check_reject(b"5000000000 X 2E18 1e17", None, NoKey, "5000000000");
        check_reject(b"1.5 2E18 1e17", None, NoKey, "1.5");
        check_reject(b"() 2E18 1e17", None, NoKey, "no body");
        check_reject(
            b"5 Astraea 2E18 1e17 2003",
            None,
            FieldCount,
            "more than two",
        );
        check_reject(b"just some words", None, FieldCount, "0 numbers");
        check_reject(b"5 Astr\xe6a 2E18 1e17", None, BadText, "byte 7");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes: Vec<u8>) {
            let _ = parse_estimates(&bytes);
        }

        #[test]
        fn any_soup_of_tokens_is_taken(line in "[0-9PDIC/()#.eE+ '\u{b}A-C-]{0,40}( 1e3 1e2)?") {
            let list = parse_estimates(line.as_bytes());
            for Estimate { body, .. } in list.estimates {
                prop_assert!(body != Identity::default());
            }
        }
    }
}
