//! A row's figures, checked and taken over.

use super::{Invalid, shown};
use crate::catalogue::Column;
use crate::item::Figure;
use crate::number::{Digits, Number};
use crate::reject::Reason;
use crate::rows::RowCells;

/// The cells of a row, read as figures.
#[derive(Clone, Copy)]
pub(super) struct Figures<'a, D> {
    pub(super) cells: RowCells<'a>,
    /// How they are read.
    pub(super) digits: D,
}

impl<'a, D: Digits> Figures<'a, D> {
    /// Takes over a number, if there is one.
    ///
    /// Numbers are made where they are to stay: copying one right after it was made, in pieces of other
    /// sizes, waits for the memory each time.
    #[inline(always)]
    pub(super) fn given(
        self,
        column: Column,
        to: &mut Option<Figure<'a>>,
    ) -> Result<(), Box<Invalid>> {
        let (from, len) = self.cells.wide(column as usize);
        match Number::plain(self.digits, from, len) {
            Some(number) => {
                *to = Some(Figure::Given(number));
                Ok(())
            }
            None if len == 0 => Ok(()),
            None => self.any_figure(column, to),
        }
    }

    /// The same for what is no plain decimal.
    #[cold]
    fn any_figure(self, column: Column, to: &mut Option<Figure<'a>>) -> Result<(), Box<Invalid>> {
        let bytes = self.cells.bytes(column as usize);
        match Number::read(bytes) {
            Ok(number) => *to = Some(Figure::Given(number)),
            Err(_) if is_missing(bytes) => {}
            Err(_) => {
                let message = format!("{} is not a number", shown(bytes));
                return Err(Invalid::at(column, Reason::BadNumber, message));
            }
        }
        Ok(())
    }

    /// Takes over a number for which `is_valid` holds, if there is one, and returns its value.
    #[inline(always)]
    pub(super) fn checked(
        self,
        column: Column,
        to: &mut Option<Figure<'a>>,
        is_valid: impl Fn(f64) -> bool,
        rule: &str,
    ) -> Result<Option<f64>, Box<Invalid>> {
        self.given(column, to)?;
        let Some(Figure::Given(number)) = to else {
            return Ok(None);
        };
        let value = number.value_by(self.digits);
        if is_valid(value) {
            return Ok(Some(value));
        }
        Err(Invalid::out_of_range(column, value, rule))
    }

    #[inline(always)]
    pub(super) fn positive(
        self,
        column: Column,
        to: &mut Option<Figure<'a>>,
    ) -> Result<Option<f64>, Box<Invalid>> {
        self.checked(column, to, |value| value > 0.0, "is not above 0")
    }
}

/// Whether a number is missing: nothing, or a word that spreadsheets and data-frame libraries write for it.
pub(crate) fn is_missing(bytes: &[u8]) -> bool {
    ["", "nan", "null", "none", "n/a", "na"]
        .iter()
        .any(|word| bytes.eq_ignore_ascii_case(word.as_bytes()))
}
