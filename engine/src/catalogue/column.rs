//! The catalogue's columns that the item and the model need, by JPL's names.

use super::CatalogueError;
use crate::rows::Plan;

/// The most columns that a header may have. The SBDB Query API has 79 fields; a file of very many is hostile,
/// or no table.
pub const MAX_COLUMNS: usize = 1_000;

macro_rules! columns {
    ($( $variant:ident $name:literal )*) => {
        /// A column of the small-body database that is read (JPL, SBDB Query API documentation).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub(crate) enum Column { $( $variant, )* }

        /// The names of the columns, in the order of [`Column`].
        pub const COLUMN_NAMES: &[&str] = &[ $( $name, )* ];
    };
}

columns! {
    Spkid "spkid"
    FullName "full_name"
    Pdes "pdes"
    Name "name"
    Prefix "prefix"
    Class "class"
    Neo "neo"
    Pha "pha"
    SpecB "spec_B"
    SpecT "spec_T"
    H "H"
    Albedo "albedo"
    Diameter "diameter"
    Gm "GM"
    A "a"
    E "e"
    I "i"
    Om "om"
    W "w"
    Ma "ma"
    Epoch "epoch"
    Q "q"
    Ad "ad"
    Per "per"
    Moid "moid"
    ConditionCode "condition_code"
}

impl Column {
    /// JPL's name.
    pub(crate) fn name(self) -> &'static str {
        COLUMN_NAMES[self as usize]
    }
}

/// Makes the plan of a catalogue from its header.
pub(super) fn plan(header: &[String]) -> Result<Plan, CatalogueError> {
    check_num_columns(header)?;
    let plan = Plan::new(header, COLUMN_NAMES)
        .map_err(|duplicate| CatalogueError::DuplicateColumn(duplicate.0))?;
    let has = |column: Column| header.iter().any(|name| name == column.name());
    if !(has(Column::Pdes) || has(Column::FullName) || has(Column::Spkid)) {
        return Err(CatalogueError::NoKeyColumn {
            columns: listed(header),
        });
    }
    if !(has(Column::E) && (has(Column::A) || has(Column::Q))) {
        return Err(CatalogueError::NoOrbitColumns {
            columns: listed(header),
        });
    }
    Ok(plan)
}

/// Checks that a header is not longer than any that people have.
pub(super) fn check_num_columns(header: &[String]) -> Result<(), CatalogueError> {
    match header.len() {
        0..=MAX_COLUMNS => Ok(()),
        num_columns => Err(CatalogueError::TooManyColumns { num_columns }),
    }
}

/// Column names for an error, cut where there are very many.
pub(super) fn listed(header: &[String]) -> String {
    const MAX_LISTED_BYTES: usize = 400;
    let mut names = header.join(", ");
    if names.len() > MAX_LISTED_BYTES {
        let cut = names.floor_char_boundary(MAX_LISTED_BYTES);
        names.truncate(cut);
        names.push('…');
    }
    names
}
