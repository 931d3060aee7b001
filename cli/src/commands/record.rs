//! `prospector record`: a small sample of each live source.

use std::io::Write;
use std::sync::Arc;

use engine::stages::record;
use engine::store::StoreLocation;

use crate::args::RecordArgs;
use crate::fresh::context;
use crate::progress::Progress;
use crate::store::Store;
use crate::text::{count, harmless};

pub(crate) fn run(args: &RecordArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let store = Store::open(&StoreLocation::Directory(args.to.clone()), None)?;
    let progress = Arc::new(Progress::default());
    let context = context(&store, &args.upstream, &progress)?;
    let upstreams = args.upstream.upstreams();
    let recorded = store.wait_for(record(&context, &upstreams, &args.to));
    progress.clear();
    for sample in recorded? {
        writeln!(
            out,
            "{:<16} {:>12} bytes  {}",
            sample.file,
            count(sample.bytes),
            harmless(&sample.origin.url)
        )?;
    }
    writeln!(out, "origin.json says where each came from, and when")?;
    Ok(())
}
