//! The table: every body of the last run, and the questions that it answers.
//!
//! [`Bodies`] is the port for questions. On AWS the table is in DynamoDB (`dynamodb`); on one machine it is one
//! SQLite file, which any SQL tool can open and which the rest of this is about.
//!
//! [`TableWriter`] makes a whole new database beside the old one and puts it in its place at the end, so
//! that a reader sees the old bodies or the new ones, never half. [`Table`] reads: rankings, single bodies
//! and names by their beginnings. The columns of `bodies` are the item's attributes, named in
//! [`ATTRIBUTES`](crate::item::ATTRIBUTES); the one row of `run` says which run made them. Numbers come back
//! as the doubles that they went in as, but that SQLite keeps a negative zero as zero.
//!
//! But for the port, everything here is synchronous. Memory is bounded: by the page cache (2 MiB a connection), by as
//! much for each of two threads that sort for a writer's indexes and, for readers, by the limit that they ask for.

mod bindings;
mod bodies;
mod body;
#[cfg(feature = "aws")]
pub mod dynamodb;
mod error;
mod location;
mod reader;
mod schema;
mod writer;

use std::fmt;
use std::str::FromStr;

pub use crate::replace::{ReplaceError, ReplacedFile};
pub use bodies::{Bodies, SharedTable};
pub use body::{Body, Value};
pub use error::TableError;
pub use location::{BadTable, TableLocation};
pub use reader::{RunRow, Table};
#[cfg(feature = "aws")]
use reader::{bare, spkids};
pub use writer::{Duplicate, Loaded, TableWriter};

/// An order in which bodies are listed, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ranking {
    /// The highest price.
    Price,
    /// The highest profit.
    Profit,
    /// The easiest to reach.
    Closeness,
    /// The highest score.
    Score,
    /// The smallest diameter.
    Smallest,
    /// The nearest orbit to Earth's.
    Moid,
    /// The lowest delta-v.
    Dv,
}

impl Ranking {
    /// All rankings.
    pub const ALL: [Ranking; 7] = [
        Ranking::Price,
        Ranking::Profit,
        Ranking::Closeness,
        Ranking::Score,
        Ranking::Smallest,
        Ranking::Moid,
        Ranking::Dv,
    ];

    /// Its name, as people type it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ranking::Price => "price",
            Ranking::Profit => "profit",
            Ranking::Closeness => "closeness",
            Ranking::Score => "score",
            Ranking::Smallest => "smallest",
            Ranking::Moid => "moid",
            Ranking::Dv => "dv",
        }
    }

    /// The attribute that it goes by.
    #[must_use]
    pub fn attribute(self) -> &'static str {
        match self {
            Ranking::Smallest => "diameter_km",
            Ranking::Dv => "dv_kms",
            other => other.name(),
        }
    }

    /// Whether the highest figure comes first.
    #[must_use]
    pub fn is_descending(self) -> bool {
        !matches!(self, Ranking::Smallest | Ranking::Moid | Ranking::Dv)
    }
}

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no ranking has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no ranking is called \"{0}\" (there are {names})", names = Ranking::ALL.map(Ranking::name).join(", "))]
pub struct UnknownRanking(pub String);

impl FromStr for Ranking {
    type Err = UnknownRanking;

    fn from_str(name: &str) -> Result<Self, UnknownRanking> {
        Self::ALL
            .into_iter()
            .find(|ranking| ranking.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownRanking(name.to_owned()))
    }
}

/// Which bodies a ranking lists. Texts are compared without regard to ASCII case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The kind: `asteroid` where it is `None`.
    pub kind: Option<String>,
    /// The orbit class, such as `AMO`; any where it is `None`.
    pub class: Option<String>,
    /// The spectral type; any where it is `None`.
    pub spec: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ranking_is_read_from_its_name() {
        for ranking in Ranking::ALL {
            assert_eq!(ranking.to_string().parse(), Ok(ranking));
        }
        assert_eq!("DV".parse(), Ok(Ranking::Dv));
        assert_eq!(
            "size".parse::<Ranking>().unwrap_err().to_string(),
            "no ranking is called \"size\" (there are price, profit, closeness, score, smallest, moid, dv)"
        );
    }
}
