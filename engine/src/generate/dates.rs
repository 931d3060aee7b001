//! Calendar dates of Julian day numbers and back, in integers.
//!
//! A *day* here is the Julian day number of a calendar date, that is the Julian date at its noon;
//! the date begins half a day earlier. Both directions are the arithmetic of Fliegel and Van
//! Flandern, "A machine algorithm for processing calendar dates", Communications of the ACM 11
//! (1968) 657, valid for days from 0.

use super::digits::{push_integer, push_padded};

/// Year, month and day of the month of a day number, Gregorian; years before 1 count from 0
/// downwards.
fn date_of(day: i64) -> (i64, u64, u64) {
    let shifted = day + 68_569;
    let century = 4 * shifted / 146_097;
    let in_century = shifted - (146_097 * century + 3) / 4;
    let year = 4_000 * (in_century + 1) / 1_461_001;
    let in_year = in_century - 1_461 * year / 4 + 31;
    let month = 80 * in_year / 2_447;
    let of_month = in_year - 2_447 * month / 80;
    let wraps = month / 11;
    (
        100 * (century - 49) + year + wraps,
        (month + 2 - 12 * wraps) as u64,
        of_month as u64,
    )
}

/// The day number of a Gregorian date.
pub(super) const fn day_of(year: i64, month: i64, of_month: i64) -> i64 {
    let before_march = (month - 14) / 12;
    1_461 * (year + 4_800 + before_march) / 4 + 367 * (month - 2 - 12 * before_march) / 12
        - 3 * ((year + 4_900 + before_march) / 100) / 4
        + of_month
        - 32_075
}

/// Writes `2023-02-25`; a year before 0 has a minus sign (`-146-06-28`).
pub(super) fn push_date(out: &mut Vec<u8>, day: i64) {
    let (year, month, of_month) = date_of(day);
    if year < 0 {
        out.push(b'-');
        push_integer(out, year.unsigned_abs());
    } else {
        push_padded(out, year as u64, 4);
    }
    out.push(b'-');
    push_padded(out, month, 2);
    out.push(b'-');
    push_padded(out, of_month, 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(day: i64, expected: &str) {
        let mut out = Vec::new();
        push_date(&mut out, day);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn knows_the_dates_of_recorded_epochs_and_of_the_first_years() {
        // JD 2459000.5 and 2460000.5 of JPL's exports begin these dates.
        check(2_459_001, "2020-05-31");
        check(2_460_001, "2023-02-25");
        check(2_451_545, "2000-01-01");
        check(1_721_426, "0001-01-01");
        check(1_721_060, "0000-01-01");
        check(1_721_059, "-1-12-31");
    }

    #[test]
    fn returns_to_the_same_day() {
        for day in (1_500_000..3_500_000).step_by(37) {
            let (year, month, of_month) = date_of(day);
            assert_eq!(day_of(year, month as i64, of_month as i64), day);
        }
    }
}
