//! The notice that a person gets when a run is published: what became of it, in a few lines of plain text.

use std::fmt::Write;

use serde::Serialize;

use crate::inputs::SetName;
use crate::reject::Reason;
use crate::report::{Report, RowCounts};
use crate::table::Body;

/// The longest subject, characters (Amazon SNS API Reference, `Publish`: ASCII, fewer than 100).
const MAX_SUBJECT_CHARS: usize = 99;

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// One line of ASCII.
    pub subject: String,
    /// Plain text.
    pub message: String,
}

/// What a notice tells.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What readers ask: the stack.
    pub stack: &'a str,
    /// The run.
    pub run: &'a str,
    /// What it did.
    pub report: &'a Report,
    /// The bodies that are published.
    pub items: u64,
    /// The run that was published before, and its bodies.
    pub previous: Option<(&'a str, u64)>,
    /// The most profitable bodies, the best first.
    pub best: &'a [Body],
    /// Where the report is.
    pub report_location: &'a str,
}

/// Writes the notice of a run that is published.
#[must_use]
pub fn published(facts: &Facts<'_>) -> Notice {
    let change = facts
        .previous
        .map(|(_, previous)| format!(" ({})", signed(facts.items, previous)))
        .unwrap_or_default();
    let subject = format!(
        "Prospector {}: {} bodies published{change}",
        facts.stack,
        count(facts.items)
    );
    Notice {
        subject: subject_line(&subject),
        message: message(facts),
    }
}

fn message(facts: &Facts<'_>) -> String {
    let Facts {
        stack,
        run,
        report,
        report_location,
        ..
    } = facts;
    let items = count(facts.items);
    let mut text = format!("Run {run} succeeded: {items} bodies are published.\n\n");
    text += &rows(&report.rows);
    text += &changed(facts);
    text += &inputs(report.inputs.set.as_ref(), &report.inputs.notes);
    text += &ranked(facts.best);
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "\nReport:  {report_location}\nQuery:   prospector top --table dynamodb:{stack}\n"
    );
    text
}

fn rows(rows: &RowCounts) -> String {
    let reason =
        |(reason, number): (&Reason, &u64)| format!("{} {}", name(*reason), count(*number));
    let reasons: Vec<String> = rows.rejected_by_reason.iter().map(reason).collect();
    let because = match reasons.as_slice() {
        [] => String::new(),
        reasons => format!(" ({})", reasons.join(", ")),
    };
    format!(
        "Rows read: {}\n  valued:   {} ({} asteroids, {} comets, {} exoplanets)\n  rejected: {}{because}\n  \
         written:  {}\n",
        count(rows.read),
        count(rows.valued),
        count(rows.kinds.asteroid),
        count(rows.kinds.comet),
        count(rows.kinds.exoplanet),
        count(rows.rejected),
        rows.written.map_or_else(|| "not counted".to_owned(), count),
    )
}

fn changed(facts: &Facts<'_>) -> String {
    let Some((run, previous)) = facts.previous else {
        return "Change:    this is the first run that is published\n".to_owned();
    };
    let share = match previous {
        0 => String::new(),
        _ => {
            let percent = (facts.items as f64 - previous as f64) / previous as f64 * 100.0;
            format!(", {percent:+.2} %")
        }
    };
    format!(
        "Change:    {} bodies{share} since run {run}, which had {}\n",
        signed(facts.items, previous),
        count(previous)
    )
}

fn inputs(set: Option<&SetName>, notes: &[String]) -> String {
    let set = set.map(|set| format!("Inputs:    {set}\n"));
    let notes = notes.iter().map(|note| format!("Note:      {note}\n"));
    set.into_iter().chain(notes).collect()
}

fn ranked(bodies: &[Body]) -> String {
    if bodies.is_empty() {
        return String::new();
    }
    let mut text = "\nThe most profitable bodies:\n".to_owned();
    for (rank, body) in (1..).zip(bodies) {
        let called = body.text("full_name").or_else(|| body.text("designation"));
        let figure = |name: &str, text: &dyn Fn(f64) -> String| {
            body.figure(name).map_or_else(|| "-".to_owned(), text)
        };
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "{rank:>4}. {}: profit $ {}, price $ {}, delta-v {} km/s, type {}",
            called.unwrap_or_default().trim(),
            figure("profit", &|profit| format!("{profit:.2e}")),
            figure("price", &|price| format!("{price:.2e}")),
            figure("dv_kms", &|dv| format!("{dv:.2}")),
            body.text("spec").unwrap_or("-"),
        );
    }
    text
}

/// A reason as reports have it.
fn name(reason: Reason) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// A count with thousands apart.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How much `now` is more or less than `then`.
fn signed(now: u64, then: u64) -> String {
    let sign = if now < then { '-' } else { '+' };
    format!("{sign}{}", count(now.abs_diff(then)))
}

/// What a subject may be: printable ASCII, and short.
fn subject_line(text: &str) -> String {
    let printable = |character: char| match character {
        ' '..='~' => character,
        _ => '?',
    };
    text.chars()
        .map(printable)
        .take(MAX_SUBJECT_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::{ByteCounts, Inputs, Kinds};

    fn report() -> Report {
        Report {
            run: Some("weekly-2".to_owned()),
            inputs: Inputs {
                set: Some("2026-11-25T101500Z".parse().unwrap()),
                notes: vec!["nhats.json is that of an older set".to_owned()],
                ..Inputs::default()
            },
            rows: RowCounts {
                read: 1_570_003,
                valued: 1_570_000,
                rejected: 3,
                rejected_by_reason: BTreeMap::from([(Reason::NoKey, 2), (Reason::DuplicateKey, 1)]),
                written: Some(1_570_000),
                kinds: Kinds {
                    asteroid: 1_560_000,
                    comet: 4_000,
                    exoplanet: 6_000,
                },
                ..RowCounts::default()
            },
            bytes: ByteCounts::default(),
            stages: Vec::new(),
        }
    }

    fn facts(report: &Report) -> Facts<'_> {
        Facts {
            stack: "prospector",
            run: "weekly-2",
            report,
            items: 1_570_000,
            previous: Some(("weekly-1", 1_572_000)),
            best: &[],
            report_location: "s3://bucket/runs/weekly-2/report.json",
        }
    }

    #[test]
    fn a_notice_tells_the_counts_the_change_and_where_to_look() {
        let report = report();
        let notice = published(&facts(&report));
        assert_eq!(
            notice.subject,
            "Prospector prospector: 1,570,000 bodies published (-2,000)"
        );
        assert_eq!(
            notice.message,
            "Run weekly-2 succeeded: 1,570,000 bodies are published.\n\n\
             Rows read: 1,570,003\n  \
               valued:   1,570,000 (1,560,000 asteroids, 4,000 comets, 6,000 exoplanets)\n  \
               rejected: 3 (no-key 2, duplicate-key 1)\n  \
               written:  1,570,000\n\
             Change:    -2,000 bodies, -0.13 % since run weekly-1, which had 1,572,000\n\
             Inputs:    2026-11-25T101500Z\n\
             Note:      nhats.json is that of an older set\n\n\
             Report:  s3://bucket/runs/weekly-2/report.json\n\
             Query:   prospector top --table dynamodb:prospector\n"
        );
    }

    #[test]
    fn a_subject_is_short_and_ascii_whatever_the_stack_is_called() {
        let report = report();
        let long = "ä".repeat(128);
        let notice = published(&Facts {
            stack: &long,
            previous: None,
            ..facts(&report)
        });
        assert_eq!(notice.subject.len(), MAX_SUBJECT_CHARS);
        assert!(notice.subject.is_ascii());
        assert!(notice.message.contains("first run"), "{}", notice.message);
    }
}
