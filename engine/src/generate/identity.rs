//! Who a body is: its number or label, provisional designation and SPK-ID, all unique by
//! construction.
//!
//! Nothing is remembered to keep them apart: labels are computed from row numbers by bijections, so
//! no two rows share one, whatever the size of the catalogue (up to `MAX_ROWS`).

use super::designation::{self, Designation};
use super::digits::{push_integer, push_padded};

/// Who a body is.
#[derive(Debug, Clone)]
pub(super) enum Identity {
    /// An asteroid with a number, the designation it had before, and mostly without a name.
    Numbered {
        number: u64,
        designation: Designation,
        name: Vec<u8>,
    },
    /// An asteroid that waits for its number; `index` counts them from 0.
    Unnumbered {
        index: u64,
        designation: Designation,
    },
    /// A comet.
    Comet {
        index: u64,
        label: CometLabel,
        name: Vec<u8>,
    },
}

/// How a comet is called.
#[derive(Debug, Clone, Copy)]
pub(super) enum CometLabel {
    /// `12P/Name`.
    Periodic { number: u64 },
    /// A piece of 73P, all of which have the same name: `73P/Schwassmann-Wachmann 3-AB`.
    Fragment { number: u64 },
    /// `C/2020 M3 (Name)`.
    Provisional {
        prefix: u8,
        year: u64,
        half_month: u64,
        order: u64,
    },
}

impl CometLabel {
    /// The label of comet `index`, counted from 0: every tenth is numbered, every hundredth a
    /// fragment.
    pub(super) const fn of_index(index: u64, prefix: u8) -> Self {
        match index % 100 {
            50 => Self::Fragment {
                number: index / 100,
            },
            place if place % 10 == 0 => Self::Periodic {
                number: index / 10 + 1,
            },
            _ => Self::Provisional {
                prefix,
                year: designation::FIRST_YEAR + index % designation::YEARS,
                half_month: index / designation::YEARS % designation::HALF_MONTHS,
                order: index / (designation::YEARS * designation::HALF_MONTHS) + 1,
            },
        }
    }

    /// Whether it is a comet that returns.
    pub(super) const fn returns(index: u64) -> bool {
        index.is_multiple_of(10)
    }

    /// The day number near which the comet was found, where its designation says it.
    pub(super) const fn discovery_day(&self) -> Option<i64> {
        match self {
            Self::Provisional {
                year, half_month, ..
            } => Some(designation::half_month_day(*year, *half_month)),
            _ => None,
        }
    }
}

impl Identity {
    /// The SPK-ID in the eight digits of 2021 and later: numbered bodies from 20000001, unnumbered
    /// from 54000001, comets from 1000001.
    pub(super) const fn spkid(&self) -> u64 {
        match self {
            Self::Numbered { number, .. } => 20_000_000 + *number,
            Self::Unnumbered { index, .. } => 54_000_001 + *index,
            Self::Comet { index, .. } => 1_000_001 + *index,
        }
    }

    /// The name, empty where there is none.
    pub(super) fn name(&self) -> &[u8] {
        match self {
            Self::Numbered { name, .. } | Self::Comet { name, .. } => name,
            Self::Unnumbered { .. } => b"",
        }
    }

    /// The comet prefix (`C`, `P`), nothing for asteroids.
    pub(super) const fn prefix(&self) -> Option<u8> {
        match self {
            Self::Comet {
                label: CometLabel::Provisional { prefix, .. },
                ..
            } => Some(*prefix),
            Self::Comet { .. } => Some(b'P'),
            _ => None,
        }
    }

    /// Writes the primary designation: `433`, `2016 NF22`, `12P`, `73P-AB`, `2020 M3`.
    pub(super) fn push_pdes(&self, out: &mut Vec<u8>) {
        match self {
            Self::Numbered { number, .. } => push_integer(out, *number),
            Self::Unnumbered { designation, .. } => designation.push(out),
            Self::Comet { label, .. } => match label {
                CometLabel::Periodic { number } => {
                    push_integer(out, *number);
                    out.push(b'P');
                }
                CometLabel::Fragment { number } => {
                    out.extend_from_slice(b"73P-");
                    push_letters(out, *number);
                }
                CometLabel::Provisional {
                    year,
                    half_month,
                    order,
                    ..
                } => {
                    push_comet_designation(out, *year, *half_month, *order);
                }
            },
        }
    }

    /// Writes the full name with the leading spaces that line the catalogue up.
    pub(super) fn push_full_name(&self, out: &mut Vec<u8>) {
        match self {
            Self::Numbered {
                number,
                designation,
                name,
            } => {
                push_right(out, *number, 6);
                out.push(b' ');
                if !name.is_empty() {
                    out.extend_from_slice(name);
                    out.push(b' ');
                }
                push_in_parentheses(out, |out| designation.push(out));
            }
            Self::Unnumbered { designation, .. } => {
                out.extend_from_slice(b"       ");
                push_in_parentheses(out, |out| designation.push(out));
            }
            Self::Comet { label, name, .. } => push_comet_name(out, label, name),
        }
    }
}

/// Writes a comet's full name.
fn push_comet_name(out: &mut Vec<u8>, label: &CometLabel, name: &[u8]) {
    match label {
        CometLabel::Periodic { number } => {
            push_right(out, *number, 5);
            out.extend_from_slice(b"P/");
            out.extend_from_slice(name);
        }
        CometLabel::Fragment { number } => {
            push_right(out, 73, 5);
            out.extend_from_slice(b"P/");
            out.extend_from_slice(name);
            out.push(b'-');
            push_letters(out, *number);
        }
        CometLabel::Provisional {
            prefix,
            year,
            half_month,
            order,
        } => {
            out.extend_from_slice(b"     ");
            out.push(*prefix);
            out.push(b'/');
            push_comet_designation(out, *year, *half_month, *order);
            out.push(b' ');
            push_in_parentheses(out, |out| out.extend_from_slice(name));
        }
    }
}

fn push_comet_designation(out: &mut Vec<u8>, year: u64, half_month: u64, order: u64) {
    push_integer(out, year);
    out.push(b' ');
    out.push(designation::LETTERS[half_month as usize]);
    push_integer(out, order);
}

/// Writes the letters of a fragment: `A` … `Z`, `AA`, `AB`, …
fn push_letters(out: &mut Vec<u8>, number: u64) {
    if number >= 26 {
        push_letters(out, number / 26 - 1);
    }
    out.push(b'A' + (number % 26) as u8);
}

fn push_in_parentheses(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'(');
    write(out);
    out.push(b')');
}

/// Writes an integer with spaces in front up to `width` bytes.
fn push_right(out: &mut Vec<u8>, value: u64, width: usize) {
    let start = out.len();
    push_padded(out, value, width);
    let digits = value.checked_ilog10().unwrap_or(0) as usize + 1;
    let spaces = width.saturating_sub(digits);
    out[start..start + spaces].fill(b' ');
}
