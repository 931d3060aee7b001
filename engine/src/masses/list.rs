//! A list of masses: read in every form that it is kept in, and looked up in.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::best::{Average, BodyMass, best_masses};
use super::builtin::{is_shipped_header, parse_shipped};
use super::estimates::{
    Estimates, Fault, Identity, check_kg, content_lines, parse_estimates, reject,
};
use crate::index::{BodyIndex, Taken};
use crate::reject::{Reason, Reject};

/// The masses of a list, by body. As JSON it is `masses.json`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MassList {
    /// How many estimates the list was made from.
    pub num_estimates: u64,
    /// How many of them were dropped as too uncertain.
    pub num_dropped: u64,
    /// The bodies in the list's order. The look-ups lead into them by place: keep it.
    pub bodies: Vec<BodyMass>,
    /// The bodies all of whose estimates were dropped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_mass: Vec<Identity>,
    /// The rows that are left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejects: Vec<Reject>,
    #[serde(skip)]
    index: Index,
}

/// Why there is no list in the bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MassError {
    /// There are no bytes, or only white space.
    #[error("the list of masses is empty")]
    Empty,
    /// The bytes are a web page.
    #[error("the list of masses is a web page")]
    Html,
    /// The bytes begin like `masses.json` and are not.
    #[error("the masses document cannot be read")]
    Document {
        /// What is wrong with it, and where.
        source: serde_json::Error,
    },
    /// No row can be read.
    #[error("no mass in the list: {num_rejects} rows and none of them can be read")]
    NothingReadable {
        /// How many rows there are.
        num_rejects: usize,
    },
}

/// `masses.json` as it is read.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    num_estimates: u64,
    #[serde(default)]
    num_dropped: u64,
    bodies: Vec<BodyMass>,
    #[serde(default)]
    without_mass: Vec<Identity>,
    #[serde(default)]
    rejects: Vec<Reject>,
}

impl MassList {
    /// Reads a list: estimates (averaged as `average` says), the form of the list that ships with the
    /// program, or `masses.json`; which of them it is shows in the bytes.
    ///
    /// The last two hold one mass a body already, and `average` does not matter to them.
    ///
    /// # Errors
    /// There is not a single mass, or the bytes are a web page, or no complete document.
    pub fn parse(bytes: &[u8], average: Average) -> Result<MassList, MassError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let header = content_lines(bytes)
            .next()
            .map(|(_, line)| line)
            .unwrap_or_default();
        let list = match bytes.trim_ascii_start().first() {
            None => return Err(MassError::Empty),
            Some(b'<') => return Err(MassError::Html),
            Some(b'{') => {
                let document = serde_json::from_slice(bytes);
                MassList::from_document(document.map_err(|source| MassError::Document { source })?)
            }
            Some(_) if is_shipped_header(header) => parse_shipped(bytes),
            Some(_) => MassList::from_estimates(parse_estimates(bytes), average),
        };
        if list.bodies.is_empty() && list.without_mass.is_empty() {
            return Err(MassError::NothingReadable {
                num_rejects: list.rejects.len(),
            });
        }
        Ok(list)
    }

    /// Averages estimates into one mass a body, the bodies in the order of their first estimates.
    #[must_use]
    pub fn from_estimates(estimates: Estimates, average: Average) -> MassList {
        let mut list = MassList {
            num_estimates: estimates.estimates.len() as u64,
            rejects: estimates.rejects,
            ..MassList::default()
        };
        let mut num_averaged = 0;
        for best in best_masses(&estimates.estimates, average) {
            match best {
                Ok(body) => {
                    num_averaged += u64::from(body.num_estimates);
                    // No two groups of estimates share a number or a designation: none is turned away.
                    if list.index.add(&body, list.bodies.len()).is_ok() {
                        list.bodies.push(body);
                    }
                }
                Err(body) => list.without_mass.push(body),
            }
        }
        list.num_dropped = list.num_estimates - num_averaged;
        list
    }

    /// Makes the list of its document, whose masses anyone may have changed since it was written.
    fn from_document(document: Document) -> MassList {
        let mut list = MassList {
            num_estimates: document.num_estimates,
            num_dropped: document.num_dropped,
            without_mass: document.without_mass,
            rejects: document.rejects,
            ..MassList::default()
        };
        for (row, body) in (1..).zip(document.bodies) {
            let text = [body.designation.as_deref(), body.name.as_deref()];
            let text = text.into_iter().flatten().collect::<Vec<_>>().join(" ");
            if let Err(fault) = list.add(body) {
                list.rejects.push(reject(fault, row, None, text.as_bytes()));
            }
        }
        list
    }

    /// Adds a body, unless its mass is none or an earlier body has its number or designation.
    pub(super) fn add(&mut self, body: BodyMass) -> Result<(), Fault> {
        check_kg("mass_kg", body.mass_kg)?;
        check_kg("sigma_kg", body.sigma_kg)?;
        self.index.add(&body, self.bodies.len())?;
        self.bodies.push(body);
        Ok(())
    }

    /// Finds a body's mass: by its number, else by the first of its `designations` (`2012 DA14`, `10P`)
    /// that the list has, else by its `name`.
    ///
    /// A body with a number in the list is never found for another number. A name decides only where one
    /// side has nothing better: the list knows the body by that name alone, or nothing but the name was
    /// given. So comet 1P/Halley does not find asteroid 2688 Halley. Nor is a name found that several
    /// bodies of the list have. In names neither case nor spaces matter: `Tempel2` is `Tempel 2`.
    #[must_use]
    pub fn find(
        &self,
        number: Option<u32>,
        designations: &[&str],
        name: Option<&str>,
    ) -> Option<&BodyMass> {
        if let Some(place) = self.index.bodies.find(number, designations) {
            return self.bodies.get(place);
        }
        let place = self
            .index
            .by_name
            .get(&name_key(name?))
            .copied()
            .flatten()?;
        let is_only_name_given = number.is_none() && designations.is_empty();
        self.bodies.get(place).filter(|body| {
            is_only_name_given || (body.number.is_none() && body.designation.is_none())
        })
    }
}

/// The ways to find a body, by its place in the list.
#[derive(Debug, Clone, Default)]
struct Index {
    bodies: BodyIndex,
    /// `None` is a name that several bodies have.
    by_name: HashMap<String, Option<usize>, RandomState>,
}

impl Index {
    /// Notes what a body is called. Names need not differ.
    fn add(&mut self, body: &BodyMass, place: usize) -> Result<(), Fault> {
        let designation = body.designation.as_deref();
        if let Err(Taken { column, .. }) = self.bodies.add(body.number, designation, place) {
            let message = format!("an earlier row has the {column}");
            return Err((Some(column), Reason::DuplicateKey, message));
        }
        let name = body
            .name
            .as_deref()
            .map(name_key)
            .filter(|name| !name.is_empty());
        let by_name = name.map(|name| {
            let entry = self.by_name.entry(name);
            entry
                .and_modify(|taken| *taken = None)
                .or_insert(Some(place));
        });
        if body.number.is_none() && designation.is_none() && by_name.is_none() {
            return Err((None, Reason::NoKey, "the row names no body".to_owned()));
        }
        Ok(())
    }
}

/// A name as names are compared.
pub(super) fn name_key(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ESTIMATES: &str = " 1 Ceres 9.5E+20 1e19\n 2688 Halley 2e15 1e15\n 10P/ Tempel2 3e14 1e14\n \
        1P/ Halley 3e14 1e14\n SL9 2e12 1e11\n(2012 DA14) 2e11 1e10\n35107 1991 VH 1e12 1e11\n \
        Wild2 8e12 8e11\n7 Vague 1e12 1e12\n 4e18 2e18\n";

    fn list() -> MassList {
        MassList::parse(ESTIMATES.as_bytes(), Average::Weighted).unwrap()
    }

    fn check(number: Option<u32>, designations: &[&str], name: Option<&str>, mass_kg: Option<f64>) {
        let list = list();
        let found = list
            .find(number, designations, name)
            .map(|body| body.mass_kg);
        assert_eq!(found, mass_kg, "{number:?} {designations:?} {name:?}");
    }

    #[test]
    fn finds_by_number_first() {
        check(Some(1), &[], None, Some(9.5e20));
        check(Some(1), &["2012 DA14"], Some("SL9"), Some(9.5e20));
        check(Some(35_107), &[], None, Some(1e12));
    }

    #[test]
    fn finds_by_designation() {
        check(None, &["2012 DA14"], None, Some(2e11));
        check(
            Some(367_943),
            &["x", "2012 DA14"],
            Some("Duende"),
            Some(2e11),
        );
        check(None, &["1991 VH"], None, Some(1e12));
        check(Some(5), &["1991 VH"], None, None);
        check(None, &["10P"], Some("Tempel 2"), Some(3e14));
    }

    #[test]
    fn finds_by_name_where_nothing_better_is_known() {
        check(Some(9), &["x"], Some("SL9"), Some(2e12));
        check(None, &["81P"], Some("Wild 2"), Some(8e12));
        check(None, &[], Some("ceres"), Some(9.5e20));
        check(None, &[], Some("Tempel 2"), Some(3e14));
    }

    #[test]
    fn a_name_does_not_outweigh_a_number_or_designation() {
        check(Some(5), &[], Some("Ceres"), None);
        check(Some(5), &[], Some("Tempel 2"), None);
        check(None, &["C/1999 X1"], Some("Ceres"), None);
        check(None, &["11P"], Some("Tempel 2"), None);
        check(Some(2_688), &[], Some("Halley"), Some(2e15));
        check(None, &["1P"], Some("Halley"), Some(3e14));
        // Both have it, and nothing else is said.
        check(None, &[], Some("Halley"), None);
        check(None, &[], None, None);
    }

    #[test]
    fn counts_what_it_leaves_out() {
        let list = list();
        assert_eq!(
            (list.num_estimates, list.num_dropped, list.bodies.len()),
            (9, 1, 8)
        );
        assert_eq!(list.without_mass[0].number, Some(7));
        assert_eq!(list.rejects[0].reason, Reason::NoKey);
        let plain = MassList::parse(ESTIMATES.as_bytes(), Average::Plain).unwrap();
        assert_eq!((plain.num_dropped, plain.bodies.len()), (0, 9));
    }

    #[test]
    fn the_document_is_read_again_as_the_same_list() {
        let json = serde_json::to_vec(&list()).unwrap();
        let again = MassList::parse(&json, Average::Plain).unwrap();
        assert_eq!(serde_json::to_vec(&again).unwrap(), json);
        assert_eq!(
            again.find(Some(1), &[], None),
            list().find(Some(1), &[], None)
        );
    }

    #[test]
    fn a_changed_document_is_checked() {
        let mut list = list();
        list.bodies[0].mass_kg = -1.0;
        list.bodies[1].number = Some(35_107);
        let json = serde_json::to_vec(&list).unwrap();
        let again = MassList::parse(&json, Average::Weighted).unwrap();
        assert_eq!((again.bodies.len(), again.rejects.len()), (6, 3));
        let reasons: Vec<Reason> = again.rejects.iter().map(|reject| reject.reason).collect();
        assert_eq!(
            reasons,
            [Reason::NoKey, Reason::OutOfRange, Reason::DuplicateKey]
        );
    }

    #[test]
    fn reads_the_shipped_form() {
        let text = "\u{feff}# about\r\nnumber,designation,name,mass_kg,sigma_kg,num_estimates,source\r\n\
            1,,Ceres,9e20,1e18,3,\"a, b\"\r\n1,,Ceres,8e20,1e18,3,c\r\n";
        let list = MassList::parse(text.as_bytes(), Average::Weighted).unwrap();
        assert_eq!(list.find(Some(1), &[], None).unwrap().mass_kg, 9e20);
        assert_eq!(list.rejects[0].reason, Reason::DuplicateKey);
    }

    #[test]
    fn says_why_there_is_no_list() {
        let error = |bytes: &[u8]| MassList::parse(bytes, Average::Weighted).unwrap_err();
        assert!(matches!(error(b""), MassError::Empty));
        assert!(matches!(error(b"\xef\xbb\xbf\r\n "), MassError::Empty));
        assert!(matches!(error(b"\n<!DOCTYPE html>"), MassError::Html));
        assert!(matches!(
            error(b"{\"bodies\":["),
            MassError::Document { .. }
        ));
        assert!(matches!(
            error(b"{\"error\":1}"),
            MassError::Document { .. }
        ));
        assert!(matches!(
            error(b"{\"bodies\":[]}"),
            MassError::NothingReadable { .. }
        ));
        assert!(matches!(
            error(b"# 1 Ceres"),
            MassError::NothingReadable { num_rejects: 0 }
        ));
        assert!(matches!(
            error(b"\x1f\x8b\n\0"),
            MassError::NothingReadable { num_rejects: 2 }
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes: Vec<u8>) {
            let _ = MassList::parse(&bytes, Average::Weighted);
        }

        #[test]
        fn a_damaged_list_is_taken(at in 0..ESTIMATES.len(), byte: u8, cut in 0..ESTIMATES.len()) {
            let mut bytes = ESTIMATES.as_bytes().to_vec();
            bytes[at] = byte;
            bytes.truncate(cut);
            let _ = MassList::parse(&bytes, Average::Plain);
        }
    }
}
