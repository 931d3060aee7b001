//! Numbers, bodies and tables as people read them.

pub(crate) use engine::notice::count;
use engine::reject::{Input, Reject};
use engine::report::Report;

/// A number with four significant digits, in scientific form where it is very large or small.
pub(crate) fn figure(value: f64) -> String {
    const DIGITS: i32 = 4;
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..6).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (DIGITS - 1 - magnitude).max(0) as usize;
    format!("{value:.decimals$}")
}

/// A text that cannot steer a terminal: control characters, and those that turn the direction of what stands
/// around them (Unicode Standard Annex 9, "Directional Formatting Characters"), are shown as escapes.
pub(crate) fn harmless(text: &str) -> String {
    let turns = |character| matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || turns(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A rejected row in one line.
pub(crate) fn reject(reject: &Reject) -> String {
    let input = match reject.input {
        Input::Asteroids => "",
        Input::DeltaV => "delta-v table, ",
        Input::Nhats => "NHATS table, ",
        Input::Masses => "masses, ",
        Input::Exoplanets => "exoplanets, ",
    };
    let line = reject
        .line
        .map(|line| format!(" (line {line})"))
        .unwrap_or_default();
    let column = reject
        .column
        .as_ref()
        .map(|column| format!(", column {column}"))
        .unwrap_or_default();
    harmless(&format!(
        "{input}row {}{line}{column}: {}",
        reject.row, reject.message
    ))
}

/// The outcome of a run in a few lines.
pub(crate) fn summary(report: &Report, seconds: f64) -> String {
    let rows = &report.rows;
    let mut lines = vec![format!(
        "{} rows read: {} valued ({} asteroids, {} comets, {} exoplanets), {} rejected{}",
        count(rows.read),
        count(rows.valued),
        count(rows.kinds.asteroid),
        count(rows.kinds.comet),
        count(rows.kinds.exoplanet),
        count(rows.rejected),
        rejected_by_reason(report),
    )];
    lines.push(format!(
        "merged: {} with a published delta-v, {} with an NHATS round trip, {} with a published mass",
        count(rows.merged.delta_v),
        count(rows.merged.nhats),
        count(rows.merged.mass)
    ));
    let peak = report
        .stages
        .iter()
        .filter_map(|stage| stage.peak_memory_bytes)
        .max();
    let memory = peak.map(|bytes| format!(", {} of memory at most", bytes_text(bytes)));
    let rate = match seconds {
        // Of a moment there is no rate.
        ..0.1 => String::new(),
        _ => format!(", {} rows/s", count((rows.read as f64 / seconds) as u64)),
    };
    lines.push(format!(
        "{seconds:.2} s{rate}{}",
        memory.unwrap_or_default()
    ));
    lines.join("\n")
}

fn rejected_by_reason(report: &Report) -> String {
    let reason = |reason| match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    };
    let reasons: Vec<String> = report
        .rows
        .rejected_by_reason
        .iter()
        .map(|(name, number)| format!("{} {}", reason(name), count(*number)))
        .collect();
    if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join(", "))
    }
}

/// A number of bytes.
pub(crate) fn bytes_text(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// Lays `rows` out in columns; those named in `right` are aligned to the right.
pub(crate) fn table(header: &[&str], right: &[usize], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .chain([header[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match right.contains(&column) {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            })
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(header.to_vec())];
    lines.extend(
        rows.iter()
            .map(|row| line(row.iter().map(String::as_str).collect())),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (6.068_8, "6.069"),
            (16.84, "16.84"),
            (939.4, "939.4"),
            (0.000_446_3, "0.0004463"),
            (6.688e15, "6.688e15"),
            (-1.0, "-1.000"),
            (123_456.7, "123457"),
            (1e-30, "1.000e-30"),
        ] {
            assert_eq!(figure(value), expected);
        }
        assert_eq!(
            (count(0), count(999), count(1_567_469)),
            ("0".into(), "999".into(), "1,567,469".into())
        );
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\nc");
        assert_eq!(harmless("a\u{9b}2Jb"), "a\\u{9b}2Jb");
        assert_eq!(harmless("Eros\u{202e}xyz"), "Eros\\u{202e}xyz");
        assert_eq!(harmless("'Aylo'chaxnim é"), "'Aylo'chaxnim é");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = vec![
            vec!["Eros".to_owned(), "6.069".to_owned()],
            vec!["a".to_owned(), "22".to_owned()],
        ];
        assert_eq!(
            table(&["name", "dv"], &[1], &rows),
            "name     dv\nEros  6.069\na        22"
        );
    }
}
