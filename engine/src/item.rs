//! The item: one body as it is stored and sent. Its attributes are named here and nowhere else.
//!
//! An item is written as one line of JSON or CSV, in the order of [`ATTRIBUTES`]. Figures that the
//! catalogue gives keep their digits; computed ones are written with the fewest that read back to the same
//! double.

pub(crate) mod decode;
pub(crate) mod values;

use std::borrow::Cow;
use std::fmt;

use crate::number::{Number, copy_text, write_f64};
use values::WriteTyped;

/// What values an attribute has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A number.
    Figure,
    /// True or false.
    Flag,
}

/// An attribute of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What values it has.
    pub kind: Kind,
}

/// A number of an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure<'a> {
    /// As the catalogue gives it.
    Given(Number<'a>),
    /// Computed; finite.
    Computed(f64),
    /// A whole number.
    Whole(u64),
}

impl Figure<'_> {
    /// The nearest double.
    #[must_use]
    pub fn value(&self) -> f64 {
        match self {
            Figure::Given(number) => number.value(),
            Figure::Computed(value) => *value,
            Figure::Whole(value) => *value as f64,
        }
    }

    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Figure::Given(number) => number.write_json(out),
            Figure::Computed(value) => write_f64(*value, out),
            Figure::Whole(value) => write_whole(*value, out),
        }
    }
}

/// A word of our own, which needs no escape: `asteroid`, `from-h`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Word {
    bytes: [u8; Word::MAX_BYTES],
    len: u8,
}

impl Word {
    /// The longest word, in bytes.
    pub const MAX_BYTES: usize = 16;

    /// Makes a word of a text.
    ///
    /// # Panics
    /// Where `text` is longer than [`Word::MAX_BYTES`] or has a character that JSON or CSV escapes or quotes:
    /// it is for words that are known when the program is compiled.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        let mut bytes = [0; Word::MAX_BYTES];
        let mut len = 0;
        while len < text.len() {
            let byte = text.as_bytes()[len];
            assert!(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            bytes[len] = byte;
            len += 1;
        }
        Word {
            bytes,
            len: len as u8,
        }
    }

    /// The word as text.
    ///
    /// # Panics
    /// Never: words are ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("a word is ASCII")
    }
}

impl From<&'static str> for Word {
    /// Like [`Word::new`], which can also be evaluated when the program is compiled.
    fn from(text: &'static str) -> Self {
        Word::new(text)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

macro_rules! item {
    (@type Text $lifetime:lifetime) => { Cow<$lifetime, str> };
    (@type Word $lifetime:lifetime) => { Word };
    (@kind Word) => { Kind::Text };
    (@kind $kind:ident) => { Kind::$kind };
    (@type Figure $lifetime:lifetime) => { Figure<$lifetime> };
    (@type Flag $lifetime:lifetime) => { bool };
    ($( $(#[$doc:meta])* $name:ident: $kind:ident, )*) => {
        /// One body. What has no value is left out of its line.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Item<'a> {
            $( $(#[$doc])* pub $name: Option<item!(@type $kind 'a)>, )*
        }

        /// An item's attributes, in the order that they are written.
        pub const ATTRIBUTES: &[Attribute] =
            &[ $( Attribute { name: stringify!($name), kind: item!(@kind $kind) }, )* ];

        impl Item<'_> {
            /// Appends the item as an object of JSON and a line end.
            pub fn write_json(&self, out: &mut Vec<u8>) {
                let start = out.len();
                $(
                    if let Some(value) = &self.$name {
                        out.extend_from_slice(concat!(",\"", stringify!($name), "\":").as_bytes());
                        value.write_json(out);
                    }
                )*
                match out.get_mut(start) {
                    Some(comma) => *comma = b'{',
                    None => out.push(b'{'),
                }
                out.extend_from_slice(b"}\n");
            }

            /// Appends the item as a row of CSV (RFC 4180) and a line end, all attributes in order. A text that
            /// a spreadsheet would take for a formula has an apostrophe before it.
            pub fn write_csv(&self, out: &mut Vec<u8>) {
                $(
                    if let Some(value) = &self.$name {
                        value.write_csv(out);
                    }
                    out.push(b',');
                )*
                out.pop();
                out.push(b'\n');
            }

            /// Appends the item's values as they are, for [`values::records`].
            pub(crate) fn write_record(&self, out: &mut Vec<u8>) {
                values::write_record(out, |out| {
                    $(
                        if let Some(value) = &self.$name {
                            value.write_typed(Position::$name as u8, out);
                        }
                    )*
                });
            }
        }

        /// Where each attribute stands among [`ATTRIBUTES`].
        #[allow(non_camel_case_types, reason = "the names are the attributes'")]
        #[derive(Clone, Copy)]
        enum Position { $( $name, )* }
    };
}

item! {
    /// The key: primary designation, else derived from the full name, else the SPK-ID.
    designation: Text,
    /// JPL's SPK-ID.
    spkid: Figure,
    /// Number, name and provisional designation in one.
    full_name: Text,
    /// Name, where the body has one.
    name: Text,
    /// `asteroid`, `comet` or `exoplanet`.
    kind: Word,
    /// JPL's orbit class, such as `AMO`.
    class: Text,
    /// Whether the body is a near-Earth object.
    neo: Flag,
    /// Whether the body is potentially hazardous.
    pha: Flag,
    /// Spectral type; `comet` for a comet and `?` where nothing is known.
    spec: Text,
    /// Where the type came from: `spec_B`, `spec_T` or `known-body`.
    spec_source: Word,
    /// Absolute magnitude H, mag.
    h: Figure,
    /// Geometric albedo.
    albedo: Figure,
    /// Diameter, km.
    diameter_km: Figure,
    /// Where the diameter came from: `measured` or `from-h`.
    diameter_source: Word,
    /// Gravitational parameter, km³/s²: the catalogue's, or a published mass's.
    gm: Figure,
    /// Mass, kg: of an asteroid the mass that the model values (a large GM's is a millionth of the
    /// physical one), of an exoplanet the published one.
    mass_kg: Figure,
    /// Where the mass came from: `gm`, `published`, `from-diameter` or `default`.
    mass_source: Word,
    /// Delta-v of a rendezvous from low Earth orbit, km/s.
    dv_kms: Figure,
    /// Where the delta-v came from: `benner` (the published table) or `computed` (its equations).
    dv_source: Word,
    /// Total delta-v of the cheapest round trip that JPL's NHATS lists, km/s.
    nhats_dv_kms: Figure,
    /// Duration of that round trip, days.
    nhats_days: Figure,
    /// Semi-major axis, au.
    a: Figure,
    /// Eccentricity.
    e: Figure,
    /// Inclination, deg.
    i: Figure,
    /// Longitude of the ascending node, deg.
    om: Figure,
    /// Argument of perihelion, deg.
    w: Figure,
    /// Mean anomaly at the epoch, deg.
    ma: Figure,
    /// Epoch of the elements, Julian date, TDB.
    epoch: Figure,
    /// Perihelion distance, au.
    q: Figure,
    /// Aphelion distance, au.
    ad: Figure,
    /// Orbital period, days.
    per: Figure,
    /// Earth's minimum orbit intersection distance, au.
    moid: Figure,
    /// JPL's orbit condition code: 0, good, to 9, or a letter.
    condition_code: Text,
    /// Price of the body's materials, $.
    price: Figure,
    /// What Asterank calls saved, $.
    saved: Figure,
    /// How easy the body is to reach.
    closeness: Figure,
    /// Price per month, weighed by closeness and delta-v, $.
    profit: Figure,
    /// Asterank's rank.
    score: Figure,
    /// The run that made the item.
    run: Text,
}

/// A value that can be written in both forms.
trait Write {
    fn write_json(&self, out: &mut Vec<u8>);
    fn write_csv(&self, out: &mut Vec<u8>) {
        self.write_json(out);
    }
}

impl Write for Figure<'_> {
    #[inline(always)]
    fn write_json(&self, out: &mut Vec<u8>) {
        self.write(out);
    }
}

impl Write for bool {
    fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl Write for Word {
    #[inline]
    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        self.write_csv(out);
        out.push(b'"');
    }

    #[inline]
    fn write_csv(&self, out: &mut Vec<u8>) {
        let end = out.len() + usize::from(self.len);
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

impl Write for Cow<'_, str> {
    #[inline]
    fn write_json(&self, out: &mut Vec<u8>) {
        if is_plain(self.as_bytes()) {
            out.push(b'"');
            copy_text(self.as_bytes(), out);
            out.push(b'"');
        } else {
            serde_json::to_writer(out, self.as_ref()).expect("a text is written to memory");
        }
    }

    fn write_csv(&self, out: &mut Vec<u8>) {
        let needs_quotes = |byte: u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
        // Spreadsheets take a text that begins so for a formula and act on it (OWASP, "CSV Injection"). An
        // apostrophe before it tells them that it is a text.
        let is_formula = self.starts_with(['=', '+', '-', '@', '\t', '\r']);
        if !self.bytes().any(needs_quotes) {
            if is_formula {
                out.push(b'\'');
            }
            out.extend_from_slice(self.as_bytes());
            return;
        }
        out.push(b'"');
        if is_formula {
            out.push(b'\'');
        }
        for byte in self.bytes() {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
}

/// Whether a text stands in JSON as it is: no quote, backslash or control character is in it.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    // The last eight bytes overlap with those before: a copy of what is left would be a call.
    let Some(last) = text.last_chunk::<8>() else {
        // Spaces where there are no bytes.
        let spaces = u64::from_le_bytes(*b"        ");
        let word = rest
            .iter()
            .fold(spaces, |word, byte| word << 8 | u64::from(*byte));
        return escaped_bytes(word.to_le_bytes()) == 0;
    };
    let escaped = words.iter().fold(escaped_bytes(*last), |escaped, word| {
        escaped | escaped_bytes(*word)
    });
    escaped == 0
}

/// The high bit of each byte that JSON escapes, or more of them; eight bytes at a time.
#[inline]
fn escaped_bytes(word: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW_BITS: u64 = 0x7f * ONES;
    let word = u64::from_le_bytes(word);
    let low = word & LOW_BITS;
    let differs = |byte: u8| (low ^ (u64::from(byte) * ONES)) + LOW_BITS;
    let is_control = !(low + u64::from(0x80 - b' ') * ONES);
    (is_control | !differs(b'"') | !differs(b'\\') | !differs(0x7f)) & !word & !LOW_BITS
}

/// Appends a whole number.
#[inline]
fn write_whole(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] += (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// The header of the CSV form, with its line end.
#[must_use]
pub fn csv_header() -> String {
    let names: Vec<&str> = ATTRIBUTES.iter().map(|attribute| attribute.name).collect();
    names.join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eros() -> Item<'static> {
        Item {
            designation: Some("433".into()),
            spkid: Some(Figure::Whole(20_000_433)),
            full_name: Some("433 \"Eros\", (A898 PA)".into()),
            neo: Some(true),
            h: Some(Figure::Given(Number::parse("10.40").unwrap())),
            e: Some(Figure::Given(Number::parse(".2229").unwrap())),
            price: Some(Figure::Computed(1.0e-42)),
            ..Item::default()
        }
    }

    #[test]
    fn a_line_of_json_has_what_has_a_value() {
        let mut out = Vec::new();
        eros().write_json(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"{"designation":"433","spkid":20000433,"full_name":"433 \"Eros\", (A898 PA)","#,
                r#""neo":true,"h":10.40,"e":0.2229,"price":1e-42}"#,
                "\n"
            )
        );
        out = Vec::new();
        Item::default().write_json(&mut out);
        assert_eq!(out, b"{}\n");
    }

    #[test]
    fn a_text_of_a_row_of_csv_is_no_formula() {
        let csv = |name: &'static str| {
            let mut out = Vec::new();
            Cow::Borrowed(name).write_csv(&mut out);
            String::from_utf8(out).unwrap()
        };
        for begin in ["=", "+", "-", "@", "\t"] {
            let name: &'static str = format!("{begin}1").leak();
            assert_eq!(csv(name), format!("'{begin}1"));
        }
        assert_eq!(csv("=A(1,\"x\")"), "\"'=A(1,\"\"x\"\")\"");
        assert_eq!(csv("\r=1"), "\"'\r=1\"");
        assert_eq!(csv("'Aylo'chaxnim"), "'Aylo'chaxnim");
        assert_eq!(csv("a=1"), "a=1");
        let mut out = Vec::new();
        Figure::Computed(-1.0).write_csv(&mut out);
        assert_eq!(out, b"-1.0", "a number is no text");
    }

    #[test]
    fn a_row_of_csv_has_a_field_for_every_attribute() {
        let mut out = Vec::new();
        eros().write_csv(&mut out);
        let row = String::from_utf8(out).unwrap();
        assert!(row.starts_with("433,20000433,\"433 \"\"Eros\"\", (A898 PA)\",,,,true,,,,10.40,"));
        assert_eq!(csv_header().split(',').count(), ATTRIBUTES.len());
        assert_eq!(
            row.split(',').count(),
            ATTRIBUTES.len() + 1,
            "one comma stands in a name"
        );
    }
}
