//! `prospector inspect`: what a file is.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use engine::catalogue::CatalogueError;
use engine::inspect::{
    CatalogueInspection, ColumnUse, Inspection, Source, inspect_catalogue, inspect_table,
};
use engine::reject::Reject;

use crate::args::InspectArgs;
use crate::input;
use crate::text::{count, harmless, reject};

pub(crate) fn run(args: &InspectArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let inspection = inspect(&args.file)?;
    if args.json {
        serde_json::to_writer(&mut *out, &inspection)?;
        writeln!(out)?;
        return Ok(());
    }
    let source = match &inspection.source {
        Source::SmallBodyDatabase(catalogue) => catalogue
            .trailer
            .made_by
            .as_deref()
            .unwrap_or("JPL small-body database"),
        Source::DeltaVTable { .. } => "delta-v table (Benner)",
        Source::NhatsTable { .. } => "NHATS table (JPL)",
        Source::ExoplanetArchive { .. } => "NASA Exoplanet Archive",
        Source::MassList { .. } => "list of masses",
    };
    writeln!(out, "source       {}", harmless(source))?;
    writeln!(out, "format       {}", inspection.format)?;
    writeln!(out, "compression  {}", inspection.compression.name())?;
    match &inspection.source {
        Source::SmallBodyDatabase(catalogue) => write_catalogue(catalogue, out),
        Source::DeltaVTable {
            comparison,
            rejects,
        } => {
            writeln!(out, "rows         {}", count(comparison.num_rows as u64))?;
            write_rejects(rejects, out)
        }
        Source::NhatsTable { summary, rejects } => {
            writeln!(out, "rows         {}", count(summary.rows as u64))?;
            write_rejects(rejects, out)
        }
        Source::ExoplanetArchive { summary, rejects } => {
            writeln!(out, "rows         {}", count(summary.rows))?;
            writeln!(
                out,
                "             {} planets, {} candidates, {} false positives",
                count(summary.planets as u64),
                count(summary.candidates_left_out),
                count(summary.false_positives)
            )?;
            write_rejects(rejects, out)
        }
        Source::MassList { summary, rejects } => {
            writeln!(
                out,
                "rows         {} estimates ({} dropped) of {} bodies with a mass",
                count(summary.estimates),
                count(summary.dropped),
                count(summary.bodies as u64)
            )?;
            write_rejects(rejects, out)
        }
    }
}

/// Tries the catalogue first, as a stream; the small inputs only where the file is another table.
fn inspect(path: &Path) -> anyhow::Result<Inspection> {
    let is_other_table = |error: &anyhow::Error| {
        error
            .downcast_ref()
            .is_some_and(CatalogueError::may_be_other_table)
    };
    let error = match input::open_catalogue(path, false) {
        Ok((catalogue, bar)) => {
            let inspection = inspect_catalogue(catalogue).with_context(|| input::name(path))?;
            bar.finish_and_clear();
            return Ok(inspection);
        }
        Err(error) if is_other_table(&error) && input::can_be_read_twice(path) => error,
        Err(error) => return Err(error),
    };
    match inspect_table(input::open(path)?, &input::name(path)) {
        Some(inspection) => Ok(inspection),
        None => bail!(
            "{error:#}; nor is it a delta-v or NHATS table, a list of masses or a table of the NASA Exoplanet Archive"
        ),
    }
}

fn write_catalogue(catalogue: &CatalogueInspection, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "rows         {}", count(catalogue.rows))?;
    if let Some(counted) = catalogue.trailer.count {
        writeln!(
            out,
            "             {} by the document's own count",
            count(counted)
        )?;
    }
    if catalogue.malformed_rows > 0 {
        writeln!(
            out,
            "             {} malformed",
            count(catalogue.malformed_rows)
        )?;
    }
    writeln!(out, "columns      {}", catalogue.columns.len())?;
    let rows = catalogue.rows.max(1) as f64;
    for column in &catalogue.used {
        let filled = 100.0 * column.filled as f64 / rows;
        let fault = match column.unreadable {
            0 => String::new(),
            unreadable => format!(", {} unreadable", count(unreadable)),
        };
        writeln!(out, "  {:<14} {filled:6.2} % filled{fault}", column.name)?;
    }
    let list = |names: Vec<&str>| {
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let is_unusable = |column: &&ColumnUse| column.is_unusable();
    let unusable = catalogue
        .used
        .iter()
        .filter(is_unusable)
        .map(|column| column.name)
        .collect();
    writeln!(out, "unusable     {}", list(unusable))?;
    writeln!(out, "absent       {}", list(catalogue.absent.clone()))?;
    let unused = catalogue.unused.iter().map(|name| match name.as_str() {
        "" => "(unnamed)",
        name => name,
    });
    writeln!(out, "not read     {}", harmless(&list(unused.collect())))?;
    Ok(())
}

fn write_rejects(rejects: &[Reject], out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "rejected     {}", count(rejects.len() as u64))?;
    for rejected in rejects.iter().take(10) {
        writeln!(out, "             {}", reject(rejected))?;
    }
    Ok(())
}
