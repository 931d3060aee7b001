//! `prospector inputs`: the input sets that are kept.

use std::io::Write;
use std::sync::Arc;

use anyhow::bail;
use engine::inputs::{self, InputsError, Manifest, Which};

use crate::args::{InputsArgs, InputsCommand};
use crate::output;
use crate::progress::Progress;
use crate::store::Store;
use crate::text::{bytes_text, count, harmless};

pub(crate) fn run(args: &InputsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let store = Store::open(&args.store, args.aws.endpoint_url())?;
    match &args.command {
        None => list(&store, args.json, out),
        Some(InputsCommand::Verify { set }) => verify(&store, set, out),
        Some(InputsCommand::Prune { keep }) => prune(&store, *keep, out),
    }
}

fn list(store: &Store, is_json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let objects = &*store.objects;
    let names = store.wait_for(inputs::names(objects))?;
    if names.is_empty() {
        output::note(&format!(
            "no input sets in {} yet: `prospector run` downloads one",
            objects.location()
        ));
    }
    for name in names {
        let manifest = match store.wait_for(inputs::manifest(objects, &name)) {
            Ok(manifest) => manifest,
            Err(error) => match error.downcast_ref() {
                Some(InputsError::Manifest { .. } | InputsError::OtherSet { .. }) => {
                    output::warn(&format!("{error:#}"));
                    continue;
                }
                _ => return Err(error),
            },
        };
        if is_json {
            serde_json::to_writer(&mut *out, &manifest)?;
            writeln!(out)?;
        } else {
            write_set(&manifest, out)?;
        }
    }
    Ok(())
}

fn write_set(manifest: &Manifest, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{}", manifest.set)?;
    for (what, entry) in manifest.entries() {
        let rejected = match entry.rejected {
            0 => String::new(),
            number => format!(", {} unreadable", count(number)),
        };
        writeln!(
            out,
            "  {what:<11} {:>9} rows{rejected}  {:>9}  {}",
            count(entry.rows),
            bytes_text(entry.bytes),
            harmless(short(&entry.source))
        )?;
    }
    for note in &manifest.notes {
        writeln!(out, "  note: {}", harmless(note))?;
    }
    Ok(())
}

/// An address without its query, which lists all columns.
fn short(source: &str) -> &str {
    source
        .split_once('?')
        .map_or(source, |(address, _)| address)
}

fn verify(store: &Store, which: &Which, out: &mut dyn Write) -> anyhow::Result<()> {
    let manifest = store.find_inputs(which)?;
    let progress = Arc::new(Progress::default());
    let mut num_faults = 0;
    for (_, entry) in manifest.entries() {
        let verified = store.wait_for(inputs::verify(&store.objects, &manifest, entry, &*progress));
        progress.clear();
        match verified? {
            None => writeln!(out, "{:<20} as it was downloaded", entry.object)?,
            Some(fault) => {
                num_faults += 1;
                writeln!(out, "{:<20} {fault}", harmless(&entry.object))?;
            }
        }
    }
    if num_faults > 0 {
        bail!(
            "input set {} is damaged: replay another, or download a fresh one",
            manifest.set
        );
    }
    Ok(())
}

fn prune(store: &Store, keep: usize, out: &mut dyn Write) -> anyhow::Result<()> {
    let lock = store.lock()?;
    for name in store.wait_for(inputs::prune(&*store.objects, keep))? {
        writeln!(out, "deleted {name}")?;
    }
    let sweep = inputs::sweep(&*store.objects, store.dead_after(&lock));
    let num_swept = store.wait_for(sweep)?;
    if num_swept > 0 {
        writeln!(
            out,
            "removed {num_swept} objects that attempts that died had left"
        )?;
    }
    Ok(())
}
