//! Designations and names: what identifies a body, read out of the columns that a row has.
//!
//! JPL joins on the primary designation (`433`, `2006 RH120`, `1P`, `1995 O1`). Where an export lacks it, it
//! is read out of the full name (`433 Eros (A898 PA)`, `(2006 RH120)`, `1P/Halley`,
//! `C/1995 O1 (Hale-Bopp)`); where that is missing too, the SPK-ID is the key.

use std::borrow::Cow;

/// What identifies a body. Absent parts are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity<'a> {
    /// The key: the primary designation, else derived from the full name, else the SPK-ID.
    pub key: Cow<'a, str>,
    /// The number of a numbered asteroid.
    pub number: Option<u32>,
    /// The provisional designation of an asteroid.
    pub provisional: &'a str,
    /// The name.
    pub name: &'a str,
}

impl<'a> Identity<'a> {
    /// Identifies a body by its columns, each trimmed and empty where absent, or returns `None` where all
    /// three of the columns that can be a key are empty.
    #[must_use]
    #[inline(always)]
    pub fn of(pdes: &'a str, full_name: &'a str, name: &'a str, spkid: &'a str) -> Option<Self> {
        let full = FullName::parse(full_name);
        let key = [Cow::Borrowed(pdes), full.designation, Cow::Borrowed(spkid)]
            .into_iter()
            .find(|key| !key.is_empty())?;
        let is_numeric = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = match pdes {
            "" => full.number.or_else(|| number_of_spkid(spkid)),
            pdes if is_numeric(pdes) => pdes.parse().ok(),
            _ => None,
        };
        Some(Identity {
            key,
            number,
            provisional: full.provisional,
            name: if name.is_empty() { full.name } else { name },
        })
    }

    /// The designations that tables may list the body by.
    #[must_use]
    pub fn designations(&self) -> [&str; 2] {
        [&self.key, self.provisional]
    }
}

/// The number of a numbered asteroid by its SPK-ID.
///
/// JPL numbers them 2000001 and up, and since 2021 20000001 and up; unnumbered ones begin with 3 and 5.
pub(crate) fn number_of_spkid(spkid: &str) -> Option<u32> {
    let spkid: u32 = spkid.parse().ok()?;
    match spkid {
        2_000_001..=2_999_999 => Some(spkid - 2_000_000),
        20_000_001..=49_999_999 => Some(spkid - 20_000_000),
        _ => None,
    }
}

/// The parts of a full name. Absent parts are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct FullName<'a> {
    designation: Cow<'a, str>,
    number: Option<u32>,
    provisional: &'a str,
    name: &'a str,
}

impl<'a> FullName<'a> {
    #[inline(always)]
    fn parse(full_name: &'a str) -> Self {
        let (front, parenthesis) = split_parenthesis(trimmed(full_name));
        if front.is_empty() {
            // An unnumbered asteroid: `(2006 RH120)`.
            return FullName {
                designation: Cow::Borrowed(parenthesis),
                provisional: parenthesis,
                ..FullName::default()
            };
        }
        if let Some(slash) = front.bytes().position(|byte| byte == b'/') {
            return Self::parse_comet(&front[..slash], &front[slash + 1..], parenthesis)
                .unwrap_or_else(|| Self::whole(full_name));
        }
        let num_digits = front.bytes().take_while(u8::is_ascii_digit).count();
        let rest = trimmed(&front[num_digits..]);
        let is_number =
            num_digits > 0 && (rest.len() < front.len() - num_digits || rest.is_empty());
        if is_number
            && !front
                .split_once(' ')
                .is_some_and(|(first, second)| is_provisional(first, second))
        {
            return FullName {
                designation: Cow::Borrowed(&front[..num_digits]),
                number: front[..num_digits].parse().ok(),
                provisional: parenthesis,
                name: rest,
            };
        }
        Self::whole(full_name)
    }

    /// `1P/Halley`, `73P/Schwassmann-Wachmann 3-B`, `C/1995 O1 (Hale-Bopp)`, `1I/'Oumuamua`.
    fn parse_comet(prefix: &'a str, rest: &'a str, parenthesis: &'a str) -> Option<Self> {
        let kind = prefix.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if kind.len() != 1 || !kind.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return None;
        }
        if prefix.len() == kind.len() {
            let designation = Cow::Borrowed(rest.trim());
            return Some(FullName {
                designation,
                name: parenthesis,
                ..FullName::default()
            });
        }
        let designation = match fragment(rest) {
            Some(fragment) => Cow::Owned(format!("{prefix}-{fragment}")),
            None => Cow::Borrowed(prefix),
        };
        Some(FullName {
            designation,
            name: rest.trim(),
            ..FullName::default()
        })
    }

    fn whole(full_name: &'a str) -> Self {
        FullName {
            designation: Cow::Borrowed(full_name.trim()),
            ..FullName::default()
        }
    }
}

/// What stands before the last parenthesis, and what in it.
fn split_parenthesis(full_name: &str) -> (&str, &str) {
    let Some(opened) = full_name.strip_suffix(')') else {
        return (full_name, "");
    };
    match opened.bytes().rposition(|byte| byte == b'(') {
        Some(open) => (trimmed(&opened[..open]), trimmed(&opened[open + 1..])),
        None => (full_name, ""),
    }
}

/// A text without surrounding white space, which few have that is more than one space.
#[inline]
fn trimmed(text: &str) -> &str {
    let text = text.strip_prefix(' ').unwrap_or(text);
    let text = text.strip_suffix(' ').unwrap_or(text);
    let is_ascii_graphic = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_ascii_graphic(bytes.first()) && is_ascii_graphic(bytes.last()) {
        text
    } else {
        text.trim()
    }
}

/// A comet's fragment: one or two capitals behind the last hyphen.
fn fragment(rest: &str) -> Option<&str> {
    let (_, last) = rest.trim().rsplit_once('-')?;
    let is_fragment = matches!(last.len(), 1 | 2) && last.bytes().all(|b| b.is_ascii_uppercase());
    is_fragment.then_some(last)
}

/// Says whether two tokens are a provisional designation: `2006 RH120`, `A898 PA`, `6344 P-L`, `3239 T-2`.
pub(crate) fn is_provisional(first: &str, second: &str) -> bool {
    let is_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let (first, second) = (first.as_bytes(), second.as_bytes());
    match second {
        b"P-L" | b"T-1" | b"T-2" | b"T-3" => (1..=4).contains(&first.len()) && is_digits(first),
        // The year's first digit is an A in the form that the Minor Planet Center gives years before 1925.
        [b'A'..=b'Z', b'A'..=b'Z', cycle @ ..] => {
            let is_year = |year: &[u8]| year.len() == 3 && is_digits(year);
            matches!(first, [b'1' | b'2' | b'A', year @ ..] if is_year(year)) && is_digits(cycle)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(full_name: &str, key: &str, number: Option<u32>, provisional: &str, name: &str) {
        let identity = Identity::of("", full_name, "", "").unwrap();
        let expected = Identity {
            key: key.into(),
            number,
            provisional,
            name,
        };
        assert_eq!(identity, expected, "{full_name}");
    }

    #[test]
    fn a_full_name_tells_designation_number_and_name() {
        check("433 Eros (A898 PA)", "433", Some(433), "A898 PA", "Eros");
        check("     1 Ceres", "1", Some(1), "", "Ceres");
        check("620000 (2019 YS4)", "620000", Some(620_000), "2019 YS4", "");
        check("620000", "620000", Some(620_000), "", "");
        check("(2006 RH120)", "2006 RH120", None, "2006 RH120", "");
        check("2006 RH120", "2006 RH120", None, "", "");
        check("6344 P-L", "6344 P-L", None, "", "");
        check(
            "594913 'Aylo'chaxnim (2020 AV2)",
            "594913",
            Some(594_913),
            "2020 AV2",
            "'Aylo'chaxnim",
        );
        check("1P/Halley", "1P", None, "", "Halley");
        check("C/1995 O1 (Hale-Bopp)", "1995 O1", None, "", "Hale-Bopp");
        check(
            "D/1993 F2-A (Shoemaker-Levy 9-A)",
            "1993 F2-A",
            None,
            "",
            "Shoemaker-Levy 9-A",
        );
        check(
            "73P/Schwassmann-Wachmann 3-AA",
            "73P-AA",
            None,
            "",
            "Schwassmann-Wachmann 3-AA",
        );
        check("161P/Hartley-IRAS", "161P", None, "", "Hartley-IRAS");
        check("1I/'Oumuamua (A/2017 U1)", "1I", None, "", "'Oumuamua");
        check("The sun", "The sun", None, "", "");
        check("Km/h (odd)", "Km/h (odd)", None, "", "");
    }

    #[test]
    fn the_key_is_the_first_that_is_there() {
        let key = |pdes, full_name, spkid| {
            Identity::of(pdes, full_name, "", spkid).map(|identity| identity.key.into_owned())
        };
        assert_eq!(key("433", "1 Ceres", "20000433").as_deref(), Some("433"));
        assert_eq!(key("", "1 Ceres", "20000433").as_deref(), Some("1"));
        assert_eq!(key("", "", "20000433").as_deref(), Some("20000433"));
        assert_eq!(key("", "", ""), None);
        assert_eq!(key("", "()", ""), None);
    }

    #[test]
    fn the_number_comes_from_the_spk_id_where_nothing_else_tells() {
        for (spkid, number) in [
            ("2000433", Some(433)),
            ("20000433", Some(433)),
            ("3092113", None),
            ("54000001", None),
            ("1000036", None),
            ("", None),
        ] {
            assert_eq!(
                Identity::of("", "", "x", spkid).and_then(|found| found.number),
                number
            );
        }
        assert_eq!(
            Identity::of("2006 RH120", "", "", "20000433")
                .unwrap()
                .number,
            None
        );
    }
}
