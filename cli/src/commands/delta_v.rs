//! `prospector delta-v`: the published table beside the equations, or one orbit.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use engine::delta_v::{DeltaVDocument, DeltaVTable, evaluate};

use crate::args::{DeltaVArgs, TableOrOrbit};
use crate::{input, output};

pub(crate) fn run(args: &DeltaVArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    match &args.table_or_orbit {
        TableOrOrbit::Table(path) => table(path, out),
        TableOrOrbit::Orbit { a, e, i } => orbit(*a, *e, *i, out),
    }
}

fn table(path: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let (_, bytes) = input::read_small(path)?;
    let table = DeltaVTable::parse(&bytes).with_context(|| input::name(path))?;
    let document = DeltaVDocument::new(&table);
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)?;
    let comparison = &document.comparison;
    let median = comparison.median_kms.unwrap_or_default();
    let worst = comparison.max_kms.unwrap_or_default();
    output::note(&format!(
        "{} rows, {} rejected; the equations are within {} km/s of {} of them (median {median:.5}, worst \
         {worst:.4} km/s)",
        comparison.num_rows,
        table.rejects.len(),
        comparison.tolerance_kms,
        comparison.num_within,
    ));
    Ok(())
}

fn orbit(a: f64, e: f64, i: f64, out: &mut dyn Write) -> anyhow::Result<()> {
    let evaluation = Some(i)
        .filter(|i| (0.0..=180.0).contains(i))
        .and_then(|i| evaluate(a, e, i));
    let evaluation = evaluation.context(
        "no delta-v: the equations are for elliptic orbits (a above 0 au, e from 0 to below 1, i from 0° to \
         180°)",
    )?;
    serde_json::to_writer(&mut *out, &evaluation)?;
    writeln!(out)?;
    Ok(())
}
