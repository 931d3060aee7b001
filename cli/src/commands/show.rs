//! `prospector show`: all that is known of a body.

use std::io::Write;

use engine::table::{Body, Value};

use crate::args::ShowArgs;
use crate::commands::top::{label, write_json};
use crate::questions::Questions;
use crate::text::harmless;

pub(crate) fn run(args: &ShowArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let bodies = Questions::open(&args.table)?.find(&args.body)?;
    if args.json {
        return write_json(&bodies, out);
    }
    for (at, body) in bodies.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        write_body(body, out)?;
    }
    Ok(())
}

fn write_body(body: &Body, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{}", label(body))?;
    for (name, value) in body.iter() {
        let shown = match value {
            Value::Text(text) => harmless(text),
            Value::Figure(figure) => all_digits(*figure),
            Value::Whole(whole) => whole.to_string(),
            Value::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        };
        let unit = unit(name)
            .map(|unit| format!(" {unit}"))
            .unwrap_or_default();
        writeln!(out, "  {name:<16} {shown}{unit}")?;
    }
    Ok(())
}

/// A number with all its digits, in scientific form where it is very large or small.
fn all_digits(figure: f64) -> String {
    match figure.abs() {
        0.0 | 1e-4..1e7 => figure.to_string(),
        _ => format!("{figure:e}"),
    }
}

/// The unit of an attribute's figures.
fn unit(name: &str) -> Option<&'static str> {
    Some(match name {
        "h" => "mag",
        "diameter_km" => "km",
        "gm" => "km³/s²",
        "mass_kg" => "kg",
        "dv_kms" | "nhats_dv_kms" => "km/s",
        "a" | "q" | "ad" | "moid" => "au",
        "i" | "om" | "w" | "ma" => "°",
        "epoch" => "JD (TDB)",
        "per" | "nhats_days" => "d",
        "price" | "saved" | "profit" => "$",
        _ => return None,
    })
}
