//! Provisional designations of asteroids, one for each row.

use super::dates::day_of;
use super::digits::{push_integer, push_padded};

/// The letters of half-months (January 1–15 is `A`) and of the order within them: no `I`. The first
/// 24 serve as half-months (Minor Planet Center, "New- and old-style minor planet designations").
pub(super) const LETTERS: &[u8; 25] = b"ABCDEFGHJKLMNOPQRSTUVWXYZ";

/// The first year of provisional designations here, and how many years follow each other.
pub(super) const FIRST_YEAR: u64 = 1990;
pub(super) const YEARS: u64 = 36;
/// Half-months in a year.
pub(super) const HALF_MONTHS: u64 = 24;

/// How many designations a half-month has before the second letter begins again, times the cycles
/// used.
const CYCLES: u64 = 250;
const PER_HALF_MONTH: u64 = 25 * CYCLES;
const DESIGNATIONS: u64 = YEARS * HALF_MONTHS * PER_HALF_MONTH;

/// Near `DESIGNATIONS` divided by the golden ratio, which spreads neighbouring rows over the years,
/// and without a common divisor with it (2, 3 and 5 are its primes), which makes the multiplication
/// a bijection.
const SPREAD: u64 = 3_337_381;

/// Bodies up to this number have designations of the nineteenth and early twentieth centuries
/// (`A898 PA`).
const OLD_NUMBERS: u64 = 1_000;
const OLD_FIRST_YEAR: u64 = 1850;
const OLD_YEARS: u64 = 75;

/// A provisional designation of an asteroid: `2001 AB12`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Designation {
    year: u64,
    half_month: u64,
    letter: u64,
    cycle: u64,
}

impl Designation {
    /// The designation of the asteroid in row `row`, for every seed another one.
    pub(super) fn of_row(seed: u64, row: u64) -> Self {
        let (lap, place) = (row / DESIGNATIONS, row % DESIGNATIONS);
        let shuffled = (place * SPREAD + seed % DESIGNATIONS) % DESIGNATIONS;
        let in_half_month = shuffled % PER_HALF_MONTH;
        let half_months = shuffled / PER_HALF_MONTH;
        Self {
            year: FIRST_YEAR + half_months / HALF_MONTHS,
            half_month: half_months % HALF_MONTHS,
            letter: in_half_month % 25,
            cycle: in_half_month / 25 + lap * CYCLES,
        }
    }

    /// The designation of a body numbered early, or the one of its row.
    pub(super) fn of_number(seed: u64, row: u64, number: u64) -> Self {
        if number > OLD_NUMBERS {
            return Self::of_row(seed, row);
        }
        let half_months = number / OLD_YEARS;
        Self {
            year: OLD_FIRST_YEAR + number % OLD_YEARS,
            half_month: half_months,
            letter: number % 7,
            cycle: 0,
        }
    }

    /// The day number of the beginning of the half-month of discovery.
    pub(super) const fn discovery_day(&self) -> i64 {
        half_month_day(self.year, self.half_month)
    }

    /// Writes `2001 AB12` or `A898 PA`.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        if self.year < 1925 {
            out.push(b'A');
            push_padded(out, self.year % 1_000, 3);
        } else {
            push_integer(out, self.year);
        }
        out.push(b' ');
        out.push(LETTERS[self.half_month as usize]);
        out.push(LETTERS[self.letter as usize]);
        if self.cycle > 0 {
            push_integer(out, self.cycle);
        }
    }
}

/// The day number of the beginning of a half-month.
pub(super) const fn half_month_day(year: u64, half_month: u64) -> i64 {
    day_of(
        year as i64,
        half_month as i64 / 2 + 1,
        half_month as i64 % 2 * 15 + 1,
    )
}
