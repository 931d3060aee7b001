//! `prospector top`: the best bodies by a ranking.

use std::io::Write;

use engine::table::{Body, Filter};

use crate::args::TopArgs;
use crate::output;
use crate::questions::Questions;
use crate::text::{figure, harmless, table};

pub(crate) fn run(args: &TopArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let filter = Filter {
        kind: Some(args.kind.clone()),
        class: args.class.clone(),
        spec: args.spec.clone(),
    };
    let questions = Questions::open(&args.table)?;
    let bodies = questions.top(args.by.parse()?, &filter, args.limit)?;
    if bodies.len() < args.limit as usize
        && let Some(limit) = questions.limit_of_rankings()
    {
        output::note(&limit);
    }
    if args.json {
        return write_json(&bodies, out);
    }
    if bodies.is_empty() {
        let filter = [Some(&args.kind), args.class.as_ref(), args.spec.as_ref()];
        let filter: Vec<&str> = filter.into_iter().flatten().map(String::as_str).collect();
        output::note(&format!(
            "no {} has a figure to rank by {}",
            filter.join(" "),
            args.by
        ));
        if args.kind == "exoplanet" {
            output::note("exoplanets have an orbit and a mass, and nothing that is ranked");
        }
        return Ok(());
    }
    write_table(&bodies, out)
}

/// Writes bodies as items, one a line.
pub(crate) fn write_json(bodies: &[Body], out: &mut dyn Write) -> anyhow::Result<()> {
    for body in bodies {
        serde_json::to_writer(&mut *out, body)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Writes bodies as a table with a header.
pub(crate) fn write_table(bodies: &[Body], out: &mut dyn Write) -> anyhow::Result<()> {
    let header = [
        "",
        "body",
        "class",
        "type",
        "diameter",
        "dv",
        "price",
        "profit",
        "closeness",
        "score",
        "moid",
    ];
    let units = ["", "", "", "", "km", "km/s", "$", "$", "", "", "au"];
    let mut rows = vec![units.map(str::to_owned).to_vec()];
    rows.extend((1..).zip(bodies).map(|(rank, body)| row(rank, body)));
    writeln!(out, "{}", table(&header, &[0, 4, 5, 6, 7, 8, 9, 10], &rows))?;
    Ok(())
}

fn row(rank: usize, body: &Body) -> Vec<String> {
    let text = |name| body.text(name).map(harmless).unwrap_or_default();
    let number = |name| body.figure(name).map(figure).unwrap_or_default();
    vec![
        rank.to_string(),
        label(body),
        text("class"),
        text("spec"),
        number("diameter_km"),
        number("dv_kms"),
        number("price"),
        number("profit"),
        number("closeness"),
        number("score"),
        number("moid"),
    ]
}

/// What people call a body: its full name, or else what else it has.
pub(crate) fn label(body: &Body) -> String {
    let named = || match (body.text("designation"), body.text("name")) {
        (Some(designation), Some(name)) => format!("{designation} {name}"),
        (designation, _) => designation.unwrap_or_default().to_owned(),
    };
    harmless(
        &body
            .text("full_name")
            .map_or_else(named, |name| name.trim().to_owned()),
    )
}
