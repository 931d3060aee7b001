//! Decodes an item's line, as [`Item::write_json`](crate::item::Item::write_json) writes it, value by value.
//!
//! A line is one flat object whose keys are attributes and whose values are texts, numbers, `true` and
//! `false`. Attributes are expected in order, which makes finding one a single comparison; another order is
//! read as well. Numbers are read exactly. Nothing is allocated but for a text with an escape in it.

use std::borrow::Cow;

use memchr::memchr2;

use crate::item::{ATTRIBUTES, Kind};
use crate::number::{Number, Portable};

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'a> {
    Text(Cow<'a, str>),
    Figure(f64),
    /// A figure that is written without a point or an exponent, and fits.
    Whole(i64),
    Flag(bool),
}

/// What is wrong with a line, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) byte: usize,
    pub(crate) problem: &'static str,
}

/// The attributes of a line, one at a time.
pub(crate) struct Fields<'a> {
    line: &'a str,
    at: usize,
    /// Where the value that was read last begins.
    value: usize,
    /// The attribute that is expected next.
    expected: usize,
    /// A bit for each attribute that was there.
    seen: u64,
}

// Each attribute has its bit in `Fields::seen`.
const _: () = assert!(ATTRIBUTES.len() <= 64);

impl<'a> Fields<'a> {
    pub(crate) fn of(line: &'a [u8]) -> Result<Self, Malformed> {
        let line = std::str::from_utf8(line).map_err(|error| Malformed {
            byte: error.valid_up_to(),
            problem: "invalid utf-8",
        })?;
        Self::of_text(line)
    }

    /// The same of a line that is known to be text.
    pub(crate) fn of_text(line: &'a str) -> Result<Self, Malformed> {
        let mut fields = Fields {
            line,
            at: 0,
            value: 0,
            expected: 0,
            seen: 0,
        };
        fields.skip_space();
        fields.take(b'{', "no object")?;
        Ok(fields)
    }

    /// The next attribute, by its index, and its value; `None` where the line ended as it should.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, Scalar<'a>)>, Malformed> {
        let Some(index) = self.next_attribute()? else {
            return Ok(None);
        };
        Ok(Some((index, self.read_value(index)?)))
    }

    /// The next attribute alone, by its index: its value is to be read or passed then.
    pub(crate) fn next_attribute(&mut self) -> Result<Option<usize>, Malformed> {
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            self.skip_space();
            return match self.peek() {
                None => Ok(None),
                Some(_) => Err(self.malformed("something behind the object")),
            };
        }
        if self.seen != 0 {
            self.take(b',', "no comma")?;
            self.skip_space();
        }
        let start = self.at;
        let index = self.attribute()?;
        if self.seen & (1 << index) != 0 {
            self.at = start;
            return Err(self.malformed("an attribute that was there already"));
        }
        self.seen |= 1 << index;
        self.expected = index + 1;
        self.skip_space();
        self.take(b':', "no colon")?;
        self.skip_space();
        self.value = self.at;
        Ok(Some(index))
    }

    /// Reads the value of the attribute that [`next_attribute`](Self::next_attribute) gave.
    pub(crate) fn read_value(&mut self, index: usize) -> Result<Scalar<'a>, Malformed> {
        Ok(match ATTRIBUTES[index].kind {
            Kind::Text => Scalar::Text(self.text()?),
            Kind::Figure if ATTRIBUTES[index].name == "spkid" => Scalar::Whole(self.whole()?),
            Kind::Figure => self.figure()?,
            Kind::Flag => Scalar::Flag(self.flag()?),
        })
    }

    /// Passes that value without reading it. Returns a figure that is written with an exponent all the same.
    pub(crate) fn pass_value(&mut self, index: usize) -> Result<Option<Scalar<'a>>, Malformed> {
        match ATTRIBUTES[index].kind {
            Kind::Text => self.text().map(|_| None),
            Kind::Flag => self.flag().map(|_| None),
            Kind::Figure => {
                let rest = &self.line.as_bytes()[self.at..];
                let is_plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-');
                let len = rest.iter().take_while(|byte| is_plain(byte)).count();
                if len == 0 || matches!(rest.get(len), Some(b'e' | b'E' | b'+')) {
                    return self.figure().map(Some);
                }
                self.at += len;
                Ok(None)
            }
        }
    }

    /// What is wrong with the last value.
    #[cfg(feature = "aws")]
    pub(crate) fn refused(&self, problem: &'static str) -> Malformed {
        Malformed {
            byte: self.value,
            problem,
        }
    }

    /// The value that was read last, as it stands.
    pub(crate) fn value(&self) -> &'a str {
        &self.line[self.value..self.at]
    }

    fn attribute(&mut self) -> Result<usize, Malformed> {
        let start = self.at;
        let rest = &self.line.as_bytes()[self.at..];
        if let Some(expected) = self.next_in_order(rest) {
            return Ok(expected);
        }
        let key = self.text()?;
        let in_order = self.expected..ATTRIBUTES.len();
        let found = in_order
            .chain(0..self.expected)
            .find(|index| ATTRIBUTES[*index].name == key);
        found.ok_or(Malformed {
            byte: start,
            problem: "an unknown attribute",
        })
    }

    /// Passes the key of the next attribute that is there, if it is one of those that come next in order.
    fn next_in_order(&mut self, rest: &[u8]) -> Option<usize> {
        let key = rest.strip_prefix(b"\"")?;
        let index = (self.expected..ATTRIBUTES.len()).find(|index| {
            let name = ATTRIBUTES[*index].name.as_bytes();
            key.starts_with(name) && key.get(name.len()) == Some(&b'"')
        })?;
        self.at += ATTRIBUTES[index].name.len() + 2;
        Some(index)
    }

    fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let start = self.at;
        self.take(b'"', "no text")?;
        let first = self.at;
        loop {
            let rest = &self.line.as_bytes()[self.at..];
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                self.at = start;
                return Err(self.malformed("a text without an end"));
            };
            if rest[found] == b'"' {
                let text = &self.line[first..self.at + found];
                self.at += found + 1;
                if !text.contains('\\') {
                    return Ok(Cow::Borrowed(text));
                }
                let text: String =
                    serde_json::from_str(&self.line[start..self.at]).map_err(|_| Malformed {
                        byte: start,
                        problem: "a text with a bad escape",
                    })?;
                return Ok(Cow::Owned(text));
            }
            // What follows a backslash never ends a text; behind the line's end the search fails.
            self.at = (self.at + found + 2).min(self.line.len());
        }
    }

    fn figure(&mut self) -> Result<Scalar<'a>, Malformed> {
        let rest = &self.line.as_bytes()[self.at..];
        let is_of_number =
            |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let len = rest.iter().take_while(|byte| is_of_number(byte)).count();
        if let Some(number) = Number::plain(Portable, rest, len)
            && number.has_point()
        {
            self.at += len;
            return Ok(Scalar::Figure(number.value()));
        }
        let digits = &self.line[self.at..self.at + len];
        let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
        if let (true, Ok(whole)) = (is_whole, digits.parse()) {
            self.at += len;
            return Ok(Scalar::Whole(whole));
        }
        match digits.parse::<f64>() {
            Ok(figure) if figure.is_finite() => {
                self.at += len;
                Ok(Scalar::Figure(figure))
            }
            _ => Err(self.malformed("no number")),
        }
    }

    /// A whole number, which need not be written as one: spreadsheets make `20000433.0` of an SPK-ID.
    fn whole(&mut self) -> Result<i64, Malformed> {
        /// All whole numbers up to this one are doubles.
        const MAX_EXACT: f64 = (1_u64 << 53) as f64;
        let start = self.at;
        match self.figure()? {
            Scalar::Whole(whole) => Ok(whole),
            Scalar::Figure(figure) if figure.trunc() == figure && figure.abs() <= MAX_EXACT => {
                Ok(figure as i64)
            }
            _ => {
                self.at = start;
                Err(self.malformed("no whole number"))
            }
        }
    }

    fn flag(&mut self) -> Result<bool, Malformed> {
        let rest = &self.line.as_bytes()[self.at..];
        for (word, flag) in [("true", true), ("false", false)] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(flag);
            }
        }
        Err(self.malformed("neither true nor false"))
    }

    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8, problem: &'static str) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(self.malformed(problem));
        }
        self.at += 1;
        Ok(())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn malformed(&self, problem: &'static str) -> Malformed {
        Malformed {
            byte: self.at,
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(line: &[u8]) -> Result<Vec<(&'static str, Scalar<'_>)>, Malformed> {
        let mut fields = Fields::of(line)?;
        let mut found = Vec::new();
        while let Some((index, value)) = fields.next()? {
            found.push((ATTRIBUTES[index].name, value));
        }
        Ok(found)
    }

    fn text(text: &str) -> Scalar<'_> {
        Scalar::Text(text.into())
    }

    #[test]
    fn reads_attributes_in_any_order_with_spaces_or_without() {
        let expected = vec![
            ("designation", text("433")),
            ("spkid", Scalar::Whole(20_000_433)),
            ("neo", Scalar::Flag(true)),
            ("h", Scalar::Figure(10.40)),
        ];
        let line = br#"{"designation":"433","spkid":20000433,"neo":true,"h":10.40}"#;
        assert_eq!(decode(line), Ok(expected.clone()));
        let line =
            b" {\"h\" : 10.40, \"neo\":true,\n\"spkid\":20000433 ,\"designation\":\"433\"}\r\n";
        let mut found = decode(line).unwrap();
        found.reverse();
        assert_eq!(found, expected);
        assert_eq!(decode(b"{}\n"), Ok(vec![]));
    }

    #[test]
    fn reads_an_spk_id_exactly() {
        for (digits, expected) in [
            ("20000433", 20_000_433),
            ("20000433.0", 20_000_433),
            ("2.0000433e7", 20_000_433),
            ("9223372036854775807", i64::MAX),
            ("9007199254740993", (1 << 53) + 1),
        ] {
            let line = format!("{{\"spkid\":{digits}}}");
            assert_eq!(
                decode(line.as_bytes()),
                Ok(vec![("spkid", Scalar::Whole(expected))])
            );
        }
    }

    #[test]
    fn reads_texts_with_escapes_and_without() {
        let line = r#"{"full_name":"G!kun||'homdima \"\\\u00e9\ud83d\ude80é\\","name":""}"#;
        let expected = vec![
            ("full_name", text("G!kun||'homdima \"\\é🚀é\\")),
            ("name", text("")),
        ];
        assert_eq!(decode(line.as_bytes()), Ok(expected));
    }

    #[test]
    fn names_what_is_wrong_and_where() {
        for (line, byte, problem) in [
            ("", 0, "no object"),
            ("[]", 0, "no object"),
            ("{", 1, "no text"),
            ("{\"h\"", 4, "no colon"),
            ("{\"h\":", 5, "no number"),
            ("{\"h\":\"1\"}", 5, "no number"),
            ("{\"h\":1e999}", 5, "no number"),
            ("{\"h\":1e}", 5, "no number"),
            ("{\"h\":null}", 5, "no number"),
            ("{\"h\":1", 6, "no comma"),
            ("{\"h\":1\"e\":1}", 6, "no comma"),
            ("{\"h\":1}{", 7, "something behind the object"),
            (
                "{\"h\":1,\"h\":1}",
                7,
                "an attribute that was there already",
            ),
            ("{\"H\":1}", 1, "an unknown attribute"),
            ("{\"spkid\":1.5}", 9, "no whole number"),
            ("{\"spkid\":18446744073709551615}", 9, "no whole number"),
            ("{\"name\":1}", 8, "no text"),
            ("{\"name\":\"x", 8, "a text without an end"),
            ("{\"name\":\"x\\", 8, "a text without an end"),
            ("{\"name\":\"x\\\"}", 8, "a text without an end"),
            ("{\"name\":\"\\x\"}", 8, "a text with a bad escape"),
            ("{\"neo\":1}", 7, "neither true nor false"),
        ] {
            assert_eq!(
                decode(line.as_bytes()),
                Err(Malformed { byte, problem }),
                "{line}"
            );
        }
        assert_eq!(decode(b"{\"name\":\"\xff\"}").unwrap_err().byte, 9);
    }

    proptest! {
        #[test]
        fn never_panics(line in any::<Vec<u8>>()) {
            let _ = decode(&line);
        }

        #[test]
        fn never_panics_on_what_is_nearly_an_item(
            line in r#"\{("(name|h|neo|é)":("[a\\"é]{0,4}"?|[-+.e0-9]{1,4}|true|null),?){0,4}\}?"#
        ) {
            let _ = decode(line.as_bytes());
        }

        #[test]
        fn reads_any_text(expected in any::<String>()) {
            let line = format!("{{\"name\":{}}}", serde_json::to_string(&expected).unwrap());
            prop_assert_eq!(decode(line.as_bytes()), Ok(vec![("name", text(&expected))]));
        }
    }
}
