//! Fresh inputs: what the arguments ask for, brought into the store.

use std::sync::Arc;

use engine::inputs::{self, Manifest};
use engine::report::Stage;
use engine::sources::Source;
use engine::stages::{
    AsteroidRequest, Context, InputRequest, MAX_REJECTS_PERCENT, MIN_ROWS_OF_JPL, MassSource,
    bring_inputs,
};
use engine::upstream::Client;

use crate::args::{RunArgs, UpstreamArgs};
use crate::progress::Progress;
use crate::store::{Store, StoreLock};
use crate::text::{count, harmless};
use crate::{INTERRUPT, output};

/// Downloads a new input set, with progress on a terminal, and says what each stage took.
pub(crate) fn bring(
    store: &Store,
    lock: &StoreLock,
    args: &RunArgs,
) -> anyhow::Result<(Manifest, Vec<Stage>)> {
    let progress = Arc::new(Progress::default());
    let context = context(store, &args.upstream, &progress)?;
    let sweep = inputs::sweep(&*store.objects, store.dead_after(lock));
    let num_swept = store.wait_for(sweep)?;
    if num_swept > 0 {
        output::note(&format!(
            "removed {num_swept} objects that an attempt that died had left"
        ));
    }
    let request = request(args);
    let brought = store.wait_to_end(bring_inputs(&context, &request));
    progress.clear();
    let manifest = brought?;
    output::note(&format!(
        "input set {}: {} rows of {}",
        manifest.set,
        count(manifest.asteroids.entry.rows),
        harmless(&request.asteroids.catalogue.place())
    ));
    Ok((manifest, progress.take_stages()))
}

/// What the engine's stages need.
pub(crate) fn context(
    store: &Store,
    args: &UpstreamArgs,
    progress: &Arc<Progress>,
) -> anyhow::Result<Context> {
    Ok(Context {
        store: Arc::clone(&store.objects),
        client: Client::new(args.client_options(), progress.clone())?,
        observer: progress.clone(),
        cancelled: INTERRUPT.clone(),
    })
}

fn request(args: &RunArgs) -> InputRequest {
    let upstreams = args.upstream.upstreams();
    let fresh = &args.fresh;
    let or_url = |given: &Option<Source>, url| given.clone().unwrap_or(Source::Url(url));
    let min_rows = if fresh.asteroids.is_some() {
        1
    } else {
        MIN_ROWS_OF_JPL
    };
    let published = upstreams.delta_v().map(Source::Url);
    InputRequest {
        delta_v: fresh.delta_v.iter().cloned().chain(published).collect(),
        exoplanets: or_url(&fresh.exoplanets, upstreams.exoplanets()),
        masses: fresh
            .masses
            .clone()
            .map_or(MassSource::BuiltIn, MassSource::Other),
        asteroids: AsteroidRequest {
            catalogue: or_url(&fresh.asteroids, upstreams.asteroids()),
            nhats: or_url(&fresh.nhats, upstreams.nhats()),
            min_rows: fresh.min_rows.unwrap_or(min_rows),
            max_shrink_percent: fresh.max_shrink,
            max_rejects_percent: MAX_REJECTS_PERCENT,
        },
    }
}
