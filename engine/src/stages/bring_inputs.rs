//! A fresh input set: every stage that brings something, and the manifest at last.

use std::future::Future;
use std::time::Instant;

use jiff::Timestamp;

use super::{
    CatalogueRequest, Context, Downloaded, MassSource, PreviousRows, StageError, calculate_masses,
    download_delta_v, download_exoplanets, download_nhats, get_latest_asteroids,
};
use crate::inputs::{self, Manifest, SetName};
use crate::observer::Observer;
use crate::sources::Source;

/// What a fresh input set is made of.
#[derive(Debug, Clone)]
pub struct InputRequest {
    /// JPL's catalogue.
    pub asteroids: Source,
    /// Benner's delta-v table: the places where it may be, in the order in which they are tried.
    pub delta_v: Vec<Source>,
    /// JPL's NHATS table.
    pub nhats: Source,
    /// The exoplanets.
    pub exoplanets: Source,
    /// The masses.
    pub masses: MassSource,
    /// The least rows that the catalogue must have.
    pub min_rows: u64,
    /// The most that the catalogue may have shrunk since the last set, in per cent.
    pub max_shrink_percent: f64,
    /// The most rows of the catalogue that may be unreadable, in per cent.
    pub max_rejects_percent: f64,
}

/// Downloads a new input set and publishes it.
///
/// The small inputs come first: they are cheap, and what is wrong with them shows before the catalogue is
/// asked for. The client sees to it that no host is asked for two things at once.
///
/// # Errors
/// [`StageError`]. There is no new set then, and every older one is as it was.
pub async fn bring_inputs(
    context: &Context,
    request: &InputRequest,
) -> Result<Manifest, StageError> {
    let store = &*context.store;
    let set = inputs::unused_name(store, inputs::PREFIX, Timestamp::now()).await?;
    let brought = tokio::select! {
        biased;
        () = context.cancelled.cancelled() => Err(StageError::Cancelled),
        brought = bring(context, request, &set) => brought,
    };
    if brought.is_err() {
        // Nobody can see these objects, and the error is worth more than one of tidying up: what stays is
        // swept up by the next run.
        let _ = store.settle().await;
        let _ = inputs::discard(store, &set).await;
    }
    brought
}

async fn bring(
    context: &Context,
    request: &InputRequest,
    set: &SetName,
) -> Result<Manifest, StageError> {
    let store = &*context.store;
    let previous = inputs::latest(store).await?.map(|manifest| PreviousRows {
        rows: manifest.asteroids.entry.rows,
        set: manifest.set,
    });
    let observer = &*context.observer;
    let tables = async {
        let delta_v = download_delta_v(context, set, &request.delta_v).await?;
        let nhats = download_nhats(context, set, &request.nhats).await?;
        Ok::<_, StageError>((delta_v, nhats))
    };
    let exoplanets = download_exoplanets(context, set, &request.exoplanets);
    let masses = calculate_masses(context, set, &request.masses);
    let ((delta_v, nhats), exoplanets, masses) = tokio::try_join!(
        timed(observer, "download-delta-v", tables),
        timed(observer, "download-exoplanets", exoplanets),
        timed(observer, "calculate-masses", masses),
    )?;
    let catalogue = CatalogueRequest {
        set: set.clone(),
        source: request.asteroids.clone(),
        min_rows: request.min_rows,
        previous,
        max_shrink_percent: request.max_shrink_percent,
        max_rejects_percent: request.max_rejects_percent,
    };
    let asteroids = get_latest_asteroids(context, &catalogue);
    let asteroids = timed(observer, "get-latest-asteroids", asteroids).await?;
    let Downloaded {
        entry: delta_v,
        mut notes,
    } = delta_v;
    notes.extend(nhats.notes);
    for note in &notes {
        observer.note(note);
    }
    let manifest = Manifest {
        set: set.clone(),
        made_by: concat!("prospector ", env!("CARGO_PKG_VERSION")).to_owned(),
        asteroids,
        delta_v,
        nhats: nhats.entry,
        exoplanets,
        masses,
        notes,
    };
    inputs::publish(store, &manifest).await?;
    Ok(manifest)
}

/// Tells the observer when a stage is done.
async fn timed<T>(
    observer: &dyn Observer,
    name: &'static str,
    stage: impl Future<Output = Result<T, StageError>>,
) -> Result<T, StageError> {
    let start = Instant::now();
    let brought = stage.await?;
    observer.stage_done(name, start.elapsed());
    Ok(brought)
}
