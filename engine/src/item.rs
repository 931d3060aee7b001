//! The item: one body as it is stored and sent. Its attributes are named here and nowhere else.
//!
//! An item is written as one line of JSON or CSV, in the order of [`ATTRIBUTES`]. Figures that the
//! catalogue gives keep their digits; computed ones are written with the fewest that read back to the same
//! double.

pub(crate) mod decode;
pub(crate) mod values;

use std::borrow::Cow;
use std::fmt;

use crate::number::{Decimal, MAX_WRITTEN_BYTES, Number, write_f64};
use crate::pen::{Lines, Pen};
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
    /// Computed once for many bodies, with its decimal.
    Common(&'static Decimal),
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
            Figure::Common(decimal) => decimal.value(),
            Figure::Whole(value) => *value as f64,
        }
    }
}

/// A word of our own, which needs no escape: `asteroid`, `from-h`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// The word in quotes, as JSON has it.
    quoted: [u8; Word::MAX_BYTES + 2],
    len: u8,
}

impl Word {
    /// The longest word, in bytes.
    pub const MAX_BYTES: usize = 14;

    /// Makes a word of a text.
    ///
    /// # Panics
    /// Where `text` is longer than [`Word::MAX_BYTES`] or has a character that JSON or CSV escapes or quotes:
    /// it is for words that are known when the program is compiled.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        let mut quoted = [b'"'; Word::MAX_BYTES + 2];
        let mut len = 0;
        while len < text.len() {
            let byte = text.as_bytes()[len];
            assert!(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            assert!(len < Word::MAX_BYTES);
            len += 1;
            quoted[len] = byte;
        }
        Word {
            quoted,
            len: len as u8,
        }
    }

    /// The word as text.
    ///
    /// # Panics
    /// Never: words are ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.quoted[1..=usize::from(self.len)]).expect("a word is ASCII")
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
            pub fn write_json(&self, lines: &mut Lines) {
                let mut pen = lines.pen(self.max_bytes());
                $(
                    if let Some(value) = &self.$name {
                        const KEY: &str = concat!(",\"", stringify!($name), "\":");
                        const WIDE: usize = KEY.len().next_multiple_of(8);
                        pen.put(const { &padded::<WIDE>(KEY) }, KEY.len());
                        value.write_json(&mut pen);
                    }
                )*
                if pen.num_written() == 0 {
                    pen.put(b"{", 1);
                }
                pen.replace_first(*b"{");
                pen.put(b"}\n", 2);
                let num_written = pen.num_written();
                lines.take(num_written);
            }

            /// Appends the item as a row of CSV (RFC 4180) and a line end, all attributes in order. A text that
            /// a spreadsheet would take for a formula has an apostrophe before it.
            pub fn write_csv(&self, lines: &mut Lines) {
                let mut pen = lines.pen(self.max_bytes());
                $(
                    if let Some(value) = &self.$name {
                        value.write_csv(&mut pen);
                    }
                    pen.put(b",", 1);
                )*
                pen.take_back();
                pen.put(b"\n", 1);
                let num_written = pen.num_written();
                lines.take(num_written);
            }

            /// The most bytes that the item is written with.
            #[inline]
            fn max_bytes(&self) -> usize {
                const NAMES: usize = 0 $( + stringify!($name).len() )*;
                // Each has its quotes, its colon and its comma, or of a text another quote and an apostrophe.
                const FIXED: usize = NAMES + ATTRIBUTES.len() * (MAX_WRITTEN_BYTES + 8);
                let num_text_bytes = 0 $( + item!(@text_bytes $name $kind self) )*;
                FIXED + num_text_bytes * MAX_ESCAPED_BYTES
            }

            /// Appends the item's values as they are, for [`values::records`].
            pub(crate) fn write_record(&self, lines: &mut Lines) {
                let mut pen = lines.pen(self.max_bytes());
                values::begin(&mut pen);
                $(
                    if let Some(value) = &self.$name {
                        value.write_typed(Position::$name as u8, &mut pen);
                    }
                )*
                values::end(&mut pen);
                let num_written = pen.num_written();
                lines.take(num_written);
            }
        }

        /// Where each attribute stands among [`ATTRIBUTES`].
        #[allow(non_camel_case_types, reason = "the names are the attributes'")]
        #[derive(Clone, Copy)]
        enum Position { $( $name, )* }
    };
    (@text_bytes $name:ident Text $item:ident) => { $item.$name.as_ref().map_or(0, |text| text.len()) };
    (@text_bytes $name:ident $kind:ident $item:ident) => { 0 };
}

/// The most bytes that JSON writes one byte of a text with: `\u0000`.
const MAX_ESCAPED_BYTES: usize = 6;

/// A text that is known when the program is compiled, and zeros behind it.
const fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut wide = [0; N];
    wide.split_at_mut(text.len())
        .0
        .copy_from_slice(text.as_bytes());
    wide
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
    fn write_json(&self, pen: &mut Pen<'_>);
    fn write_csv(&self, pen: &mut Pen<'_>);
}

impl Write for Figure<'_> {
    #[inline(always)]
    fn write_json(&self, pen: &mut Pen<'_>) {
        match self {
            Figure::Given(number) => number.write(pen),
            Figure::Computed(value) => write_f64(*value, pen),
            Figure::Common(decimal) => decimal.write(pen),
            Figure::Whole(value) => pen.aside(|pen| write_whole(*value, pen)),
        }
    }

    #[inline(always)]
    fn write_csv(&self, pen: &mut Pen<'_>) {
        self.write_json(pen);
    }
}

impl Write for bool {
    #[inline(always)]
    fn write_json(&self, pen: &mut Pen<'_>) {
        match self {
            true => pen.put(b"true", 4),
            false => pen.put(b"false", 5),
        }
    }

    #[inline(always)]
    fn write_csv(&self, pen: &mut Pen<'_>) {
        self.write_json(pen);
    }
}

impl Write for Word {
    #[inline(always)]
    fn write_json(&self, pen: &mut Pen<'_>) {
        pen.put(&self.quoted, usize::from(self.len) + 2);
    }

    #[inline(always)]
    fn write_csv(&self, pen: &mut Pen<'_>) {
        pen.put_short(self.as_str().as_bytes());
    }
}

impl Write for Cow<'_, str> {
    #[inline(always)]
    fn write_json(&self, pen: &mut Pen<'_>) {
        write_text(self, pen);
    }

    fn write_csv(&self, pen: &mut Pen<'_>) {
        let needs_quotes = |byte: u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
        // Spreadsheets take a text that begins so for a formula and act on it (OWASP, "CSV Injection"). An
        // apostrophe before it tells them that it is a text.
        let is_formula = self.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let apostrophe: &[u8] = if is_formula { b"'" } else { b"" };
        if !self.bytes().any(needs_quotes) {
            pen.put_slice(apostrophe);
            pen.put_slice(self.as_bytes());
            return;
        }
        pen.put_slice(b"\"");
        pen.put_slice(apostrophe);
        for byte in self.bytes() {
            if byte == b'"' {
                pen.put_slice(b"\"");
            }
            pen.put_slice(&[byte]);
        }
        pen.put_slice(b"\"");
    }
}

/// Writes a text as JSON.
#[inline(always)]
fn write_text(text: &str, pen: &mut Pen<'_>) {
    let bytes = text.as_bytes();
    pen.put(b"\"", 1);
    let is_written = match bytes.len() {
        17..=32 => put_plain::<16>(bytes, pen),
        9..=16 => put_plain::<8>(bytes, pen),
        5..=8 => put_plain::<4>(bytes, pen),
        2..=4 => put_plain::<2>(bytes, pen),
        0..=1 => bytes.iter().all(|byte| put_plain::<1>(&[*byte], pen)),
        _ => false,
    };
    if is_written {
        return pen.put(b"\"", 1);
    }
    pen.take_back();
    pen.aside(|pen| write_escaped(text, pen));
}

#[cold]
#[inline(never)]
fn write_escaped(text: &str, pen: &mut Pen<'_>) {
    serde_json::to_writer(pen, text).expect("a text is written to memory");
}

/// Writes a text of `N` to 2·`N` bytes by its first and last bytes, which may overlap, if it stands in JSON as it is.
#[inline(always)]
fn put_plain<const N: usize>(text: &[u8], pen: &mut Pen<'_>) -> bool {
    let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) else {
        return false;
    };
    // Without a branch for each byte.
    let has_escaped = (first.iter().zip(last)).fold(false, |found, (one, other)| {
        found | is_escaped(one) | is_escaped(other)
    });
    if !has_escaped {
        pen.put(first, text.len() - N);
        pen.put(last, N);
    }
    !has_escaped
}

/// Whether JSON writes a byte as something else.
#[inline(always)]
fn is_escaped(byte: &u8) -> bool {
    (*byte < b' ') | (*byte == b'"') | (*byte == b'\\')
}

/// Writes a whole number.
#[inline(never)]
fn write_whole(value: u64, pen: &mut Pen<'_>) {
    pen.put_short(itoa::Buffer::new().format(value).as_bytes());
}

/// The header of the CSV form, with its line end.
#[must_use]
pub fn csv_header() -> String {
    let names: Vec<&str> = ATTRIBUTES.iter().map(|attribute| attribute.name).collect();
    names.join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pen::written;

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
        let mut lines = Lines::default();
        eros().write_json(&mut lines);
        Item::default().write_json(&mut lines);
        assert_eq!(
            str::from_utf8(lines.as_bytes()).unwrap(),
            concat!(
                r#"{"designation":"433","spkid":20000433,"full_name":"433 \"Eros\", (A898 PA)","#,
                r#""neo":true,"h":10.40,"e":0.2229,"price":1e-42}"#,
                "\n{}\n"
            )
        );
    }

    proptest! {
        #[test]
        fn a_text_reads_back(text in prop_oneof![any::<String>(), r#"[ -~"\\\n\x00-\x1f]{0,40}"#]) {
            let json = written(|pen| Cow::Borrowed(text.as_str()).write_json(pen));
            prop_assert_eq!(&json, &serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn a_text_of_a_row_of_csv_is_no_formula() {
        let csv = |name: &'static str| written(|pen| Cow::Borrowed(name).write_csv(pen));
        for begin in ["=", "+", "-", "@", "\t"] {
            let name: &'static str = format!("{begin}1").leak();
            assert_eq!(csv(name), format!("'{begin}1"));
        }
        assert_eq!(csv("=A(1,\"x\")"), "\"'=A(1,\"\"x\"\")\"");
        assert_eq!(csv("\r=1"), "\"'\r=1\"");
        assert_eq!(csv("'Aylo'chaxnim"), "'Aylo'chaxnim");
        assert_eq!(csv("a=1"), "a=1");
        let figure = written(|pen| Figure::Computed(-1.0).write_csv(pen));
        assert_eq!(figure, "-1.0", "a number is no text");
    }

    #[test]
    fn a_row_of_csv_has_a_field_for_every_attribute() {
        let mut lines = Lines::default();
        eros().write_csv(&mut lines);
        let row = str::from_utf8(lines.as_bytes()).unwrap();
        assert!(row.starts_with("433,20000433,\"433 \"\"Eros\"\", (A898 PA)\",,,,true,,,,10.40,"));
        assert_eq!(csv_header().split(',').count(), ATTRIBUTES.len());
        assert_eq!(
            row.split(',').count(),
            ATTRIBUTES.len() + 1,
            "one comma stands in a name"
        );
    }
}
