//! `prospector search`: bodies by the beginning of their name or designation.

use std::io::Write;

use crate::args::SearchArgs;
use crate::commands::top::{label, write_json};
use crate::output;
use crate::questions::Questions;
use crate::text::{harmless, table};

pub(crate) fn run(args: &SearchArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let questions = Questions::open(&args.table)?;
    let bodies = questions.search(&args.prefix, args.limit)?;
    if args.json {
        return write_json(&bodies, out);
    }
    if bodies.is_empty() {
        output::note(&format!(
            "no name or designation begins with {:?}",
            args.prefix
        ));
        if let Some(limit) = questions.limit_of_search() {
            output::note(limit);
        }
        return Ok(());
    }
    let text = |body: &engine::table::Body, name| body.text(name).map(harmless).unwrap_or_default();
    let row = |body| {
        vec![
            text(body, "designation"),
            label(body),
            text(body, "kind"),
            text(body, "class"),
        ]
    };
    let rows: Vec<Vec<String>> = bodies.iter().map(row).collect();
    writeln!(
        out,
        "{}",
        table(&["designation", "body", "kind", "class"], &[], &rows)
    )?;
    out.flush()?;
    if bodies.len() == args.limit as usize {
        output::note(&format!("the first {}; --limit shows more", args.limit));
    }
    Ok(())
}
