//! A body's spectral type, out of both taxonomies, its name and its class.

use std::borrow::Cow;

use super::Composition;
use super::composition::density;

/// Where a type came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeSource {
    /// The SMASSII column, `spec_B`.
    SpecB,
    /// The Tholen column, `spec_T`.
    SpecT,
    /// The model's short list of bodies.
    KnownBody,
    /// The orbit class, prefix or name: a comet.
    Comet,
    /// Nothing is known: `?`.
    Unknown,
}

/// A spectral type and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpectralType<'a> {
    /// The type as the item gives it; `comet` and `?` are types.
    pub name: Cow<'a, str>,
    /// Where it came from.
    pub source: TypeSource,
}

impl Default for SpectralType<'_> {
    /// Nothing is known.
    fn default() -> Self {
        SpectralType {
            name: Cow::Borrowed("?"),
            source: TypeSource::Unknown,
        }
    }
}

impl<'a> SpectralType<'a> {
    /// Determines a body's type from its SMASSII and Tholen types, each empty where unknown, its `names`
    /// (designations and name) and whether it is a comet.
    #[must_use]
    pub fn of(spec_b: &'a str, spec_t: &str, names: &[&str], is_comet: bool) -> Self {
        let spec_b = cleaned(spec_b);
        if !spec_b.is_empty() {
            return SpectralType {
                name: spec_b,
                source: TypeSource::SpecB,
            };
        }
        let (name, source) = if let Some(name) = from_tholen(spec_t.trim()) {
            (name, TypeSource::SpecT)
        } else if let Some(name) = known_body(names) {
            (name, TypeSource::KnownBody)
        } else if is_comet {
            ("comet", TypeSource::Comet)
        } else {
            ("?", TypeSource::Unknown)
        };
        SpectralType {
            name: Cow::Borrowed(name),
            source,
        }
    }

    /// Whether the body is valued as a comet.
    #[must_use]
    pub fn is_comet(&self) -> bool {
        self.source == TypeSource::Comet
    }

    /// The type that the body is valued as: `?` where the composition table does not know its own.
    #[must_use]
    pub fn valued_as(&self) -> &str {
        if Composition::known(&self.name).is_some() {
            &self.name
        } else {
            "?"
        }
    }

    /// The density, g/cm³, that the model gives the type.
    #[must_use]
    pub fn density(&self) -> f64 {
        density(self.valued_as())
    }
}

/// `spec_B` without colons and outer spaces; `C type` is `C`.
fn cleaned(spec_b: &str) -> Cow<'_, str> {
    if spec_b.is_empty() {
        return Cow::Borrowed("");
    }
    let outer =
        spec_b.trim_matches(|character: char| character == ':' || character.is_whitespace());
    let cleaned = match outer.contains(':') {
        true => Cow::Owned(outer.replace(':', "")),
        false => Cow::Borrowed(outer),
    };
    if cleaned == "C type" {
        Cow::Borrowed("C")
    } else {
        cleaned
    }
}

/// The Tholen types that the original takes over; it takes no other.
fn from_tholen(spec_t: &str) -> Option<&'static str> {
    Some(match spec_t {
        "" => return None,
        "M" => "M",
        "E" => "M",
        "P" => "P",
        "B" => "B",
        "C" => "C",
        "F" => "C",
        "G" => "Cgh",
        "Q" => "Q",
        "R" => "R",
        "V" => "V",
        "T" => "T",
        "D" => "D",
        "A" => "A",
        _ => return None,
    })
}

/// The type of a body that Asterank knows although the catalogue does not, by its designations or name.
fn known_body(names: &[&str]) -> Option<&'static str> {
    names.iter().find_map(|name| match *name {
        "2012 DA14" => Some("L"),
        "1986 DA" => Some("M"),
        "2011 UW158" => Some("Xc"),
        "Bennu" => Some("B"),
        _ => None,
    })
}

/// Whether a body is a comet: by its orbit class or, where a row has none, by its prefix or full name.
#[must_use]
pub fn is_comet(class: &str, prefix: &str, full_name: &str) -> bool {
    if !class.is_empty() {
        // The orbit classes of comets (JPL, SBDB Query API documentation).
        return matches!(
            class,
            "COM" | "CTc" | "ETc" | "HTC" | "HYP" | "JFc" | "JFC" | "PAR"
        );
    }
    if matches!(prefix, "C" | "P" | "D" | "X") {
        return true;
    }
    let number_end = full_name.bytes().take_while(u8::is_ascii_digit).count();
    match full_name.as_bytes().get(number_end..) {
        Some([b'C' | b'X', b'/', ..]) => number_end == 0,
        Some([b'P' | b'D', b'/', ..]) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(spec_b: &'static str, spec_t: &'static str) -> (String, TypeSource) {
        let found = SpectralType::of(spec_b, spec_t, &[], false);
        (found.name.into_owned(), found.source)
    }

    #[test]
    fn spec_b_comes_first_without_its_colons() {
        for (spec_b, expected) in [
            ("S:", "S"),
            (" Sq: ", "Sq"),
            ("C type", "C"),
            ("S(IV)", "S(IV)"),
            ("S:k", "Sk"),
            ("Sw", "Sw"),
        ] {
            assert_eq!(
                type_of(spec_b, "M"),
                (expected.to_owned(), TypeSource::SpecB)
            );
        }
    }

    #[test]
    fn spec_t_is_translated_or_nothing() {
        for (spec_t, expected) in [("E", "M"), ("F", "C"), ("G", "Cgh"), ("D", "D")] {
            assert_eq!(
                type_of("", spec_t),
                (expected.to_owned(), TypeSource::SpecT)
            );
        }
        for spec_t in ["S", "TCG:", "XC", "", "C:"] {
            assert_eq!(type_of(":", spec_t), ("?".to_owned(), TypeSource::Unknown));
        }
    }

    #[test]
    fn four_bodies_are_known_by_name() {
        for (name, expected) in [
            ("2012 DA14", "L"),
            ("1986 DA", "M"),
            ("2011 UW158", "Xc"),
            ("Bennu", "B"),
        ] {
            let found = SpectralType::of("", "S", &["1", "", name], false);
            assert_eq!(
                (found.name.as_ref(), found.source),
                (expected, TypeSource::KnownBody)
            );
        }
    }

    #[test]
    fn an_unknown_type_is_kept_and_valued_as_a_question_mark() {
        let found = SpectralType::of("Sw", "", &[], false);
        assert_eq!(
            (found.name.as_ref(), found.valued_as(), found.density()),
            ("Sw", "?", 2.0)
        );
    }

    #[test]
    fn a_comet_is_told_by_class_or_else_by_prefix_or_name() {
        for (class, prefix, full_name, expected) in [
            ("JFc", "", "", true),
            ("APO", "P", "2P/Encke", false),
            ("", "C", "", true),
            ("", "", "C/1995 O1 (Hale-Bopp)", true),
            ("", "", "1P/Halley", true),
            ("", "", "3D/Biela", true),
            ("", "", "X/1106 C1", true),
            ("", "", "1I/'Oumuamua", false),
            ("", "", "433 Eros (A898 PA)", false),
            ("", "", "1C/No such kind", false),
        ] {
            assert_eq!(
                is_comet(class, prefix, full_name),
                expected,
                "{class} {prefix} {full_name}"
            );
        }
    }
}
