//! A row's texts and flags, checked.

use super::{Invalid, MAX_DESIGNATION_BYTES, MAX_NAME_BYTES, shown};
use crate::catalogue::Column;
use crate::designation::Identity;
use crate::reject::Reason;
use crate::rows::RowCells;

/// The largest SPK-ID: tables have whole numbers of 64 bits with a sign.
const MAX_SPKID: u64 = i64::MAX as u64;

/// The cells of a row, read as texts and flags.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) cells: RowCells<'a>,
}

impl<'a> Texts<'a> {
    /// A text, empty where the cell is.
    #[inline(always)]
    pub(super) fn text(self, column: Column, max_bytes: usize) -> Result<&'a str, Box<Invalid>> {
        match self.cells.text(column as usize) {
            Ok(text) if text.len() <= max_bytes => Ok(text),
            Ok(text) => Err(Invalid::text_too_long(column, text, max_bytes)),
            Err(bytes) => Err(Invalid::bad_text(column, bytes)),
        }
    }

    #[inline(always)]
    pub(super) fn flag(self, column: Column) -> Result<Option<bool>, Box<Invalid>> {
        match self.cells.bytes(column as usize) {
            b"" => Ok(None),
            b"Y" | b"y" | b"true" | b"True" | b"1" => Ok(Some(true)),
            b"N" | b"n" | b"false" | b"False" | b"0" => Ok(Some(false)),
            other => {
                let message = format!("{} is neither Y nor N", shown(other));
                Err(Invalid::at(column, Reason::Malformed, message))
            }
        }
    }

    /// Who the body is, and its SPK-ID as a number.
    #[inline(always)]
    pub(super) fn identity(
        self,
        full_name: &'a str,
    ) -> Result<(Identity<'a>, Option<u64>), Box<Invalid>> {
        // A table that was re-saved by a data-frame library may carry whole numbers as `433.0`.
        let whole = |text: &'a str| match text.strip_suffix(".0") {
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => number,
            _ => text,
        };
        let pdes = whole(self.text(Column::Pdes, MAX_DESIGNATION_BYTES)?);
        let spkid = whole(self.text(Column::Spkid, MAX_DESIGNATION_BYTES)?);
        let name = self.text(Column::Name, MAX_NAME_BYTES)?;
        let spkid_number = match spkid {
            "" => None,
            spkid => match spkid.parse() {
                Ok(number) if number <= MAX_SPKID => Some(number),
                _ => {
                    let message = format!("{spkid:?} is not a whole number up to {MAX_SPKID}");
                    return Err(Invalid::at(Column::Spkid, Reason::BadNumber, message));
                }
            },
        };
        let identity = Identity::of(pdes, full_name, name, spkid).ok_or_else(|| {
            Box::new(Invalid {
                column: None,
                reason: Reason::NoKey,
                message: "pdes, full_name and spkid are all empty".to_owned(),
            })
        })?;
        if identity.key.len() > MAX_DESIGNATION_BYTES {
            let message = format!("a designation of {} bytes", identity.key.len());
            return Err(Invalid::at(Column::FullName, Reason::TextTooLong, message));
        }
        Ok((identity, spkid_number))
    }
}
