//! A fresh input set: every stage that brings something, and the manifest at last.

use std::future::Future;
use std::time::Instant;

use jiff::Timestamp;

use super::{
    CatalogueRequest, Context, Downloaded, MassSource, PreviousRows, StageError, calculate_masses,
    download_delta_v, download_exoplanets, download_nhats, get_latest_asteroids,
};
use crate::inputs::{self, Entry, Manifest, SetName};
use crate::observer::{Observer, chain};
use crate::sources::Source;

/// Two thirds of the rows that JPL's catalogue had in 2026: with fewer, something is wrong with it.
pub const MIN_ROWS_OF_JPL: u64 = 1_000_000;
/// The most that the catalogue may shrink from one set to the next, in per cent, unless people say otherwise.
pub const MAX_SHRINK_PERCENT: f64 = 0.5;
/// The most rows that a run may reject, in per cent, unless people say otherwise.
pub const MAX_REJECTS_PERCENT: f64 = 0.5;

/// What a fresh input set is made of.
#[derive(Debug, Clone)]
pub struct InputRequest {
    /// Benner's delta-v table: the places where it may be, in the order in which they are tried.
    pub delta_v: Vec<Source>,
    /// The exoplanets.
    pub exoplanets: Source,
    /// The masses.
    pub masses: MassSource,
    /// What comes when these are there.
    pub asteroids: AsteroidRequest,
}

/// What is wanted of JPL: the catalogue, and the table that is asked for after it.
#[derive(Debug, Clone)]
pub struct AsteroidRequest {
    /// JPL's catalogue.
    pub catalogue: Source,
    /// JPL's NHATS table.
    pub nhats: Source,
    /// The least rows that the catalogue must have.
    pub min_rows: u64,
    /// The most that the catalogue may have shrunk since the last set, in per cent.
    pub max_shrink_percent: f64,
    /// The most rows of the catalogue that may be unreadable, in per cent.
    pub max_rejects_percent: f64,
}

/// What a set has before the catalogue is asked for.
#[derive(Debug, Clone)]
pub struct SmallInputs {
    /// Benner's delta-v table.
    pub delta_v: Downloaded,
    /// The exoplanets.
    pub exoplanets: Entry,
    /// The masses.
    pub masses: Entry,
}

/// Downloads a new input set and publishes it.
///
/// The small inputs come first: they are cheap, and what is wrong with them shows before the catalogue is
/// asked for. NHATS comes last: it can be done without, and where JPL refuses the catalogue, JPL is not asked
/// again. The client sees to it that no host is asked for two things at once.
///
/// # Errors
/// [`StageError`]. There is no new set then, and every older one is as it was.
pub async fn bring_inputs(
    context: &Context,
    request: &InputRequest,
) -> Result<Manifest, StageError> {
    let store = &*context.store;
    let set = inputs::reserve(store, inputs::PREFIX, Timestamp::now()).await?;
    let brought = tokio::select! {
        biased;
        () = context.cancelled.cancelled() => Err(StageError::Cancelled),
        brought = bring(context, request, &set) => brought,
    };
    // From here on nothing is cancelled: the set is published or it is gone.
    let published = match brought {
        Ok(manifest) => inputs::publish(store, &manifest)
            .await
            .map(|()| manifest)
            .map_err(StageError::from),
        Err(error) => Err(error),
    };
    if published.is_err() {
        // The error is worth more than one of tidying up: what stays is swept up by the next run.
        let tidied = match store.settle().await {
            Ok(()) => inputs::discard(store, &set).await,
            failed => failed,
        };
        if let Err(error) = tidied {
            context.observer.note(&chain(&error));
        }
    }
    published
}

/// Brings what a set is made of, and describes it.
async fn bring(
    context: &Context,
    request: &InputRequest,
    set: &SetName,
) -> Result<Manifest, StageError> {
    let observer = &*context.observer;
    let delta_v = download_delta_v(context, set, &request.delta_v);
    let exoplanets = download_exoplanets(context, set, &request.exoplanets);
    let masses = calculate_masses(context, set, &request.masses);
    let (delta_v, exoplanets, masses) = tokio::try_join!(
        timed(observer, "download-delta-v", delta_v),
        timed(observer, "download-exoplanets", exoplanets),
        timed(observer, "calculate-masses", masses),
    )?;
    let small = SmallInputs {
        delta_v,
        exoplanets,
        masses,
    };
    complete_inputs(context, set, &request.asteroids, small).await
}

/// Brings the catalogue and NHATS into `set`, which has its `small` inputs already, and describes the whole. It is
/// for the caller to [publish](inputs::publish) it.
///
/// # Errors
/// [`StageError`].
pub async fn complete_inputs(
    context: &Context,
    set: &SetName,
    request: &AsteroidRequest,
    small: SmallInputs,
) -> Result<Manifest, StageError> {
    let observer = &*context.observer;
    let document = request.catalogue.document();
    let is_same = |manifest: &Manifest| {
        let source: Source = manifest.asteroids.entry.source.as_str().into();
        source.document() == document
    };
    let previous = inputs::latest_that(&*context.store, is_same).await?;
    let catalogue = CatalogueRequest {
        set: set.clone(),
        source: request.catalogue.clone(),
        min_rows: request.min_rows,
        previous: previous.map(|manifest| PreviousRows {
            rows: manifest.asteroids.entry.rows,
            set: manifest.set,
        }),
        max_shrink_percent: request.max_shrink_percent,
        max_rejects_percent: request.max_rejects_percent,
    };
    let asteroids = get_latest_asteroids(context, &catalogue);
    let asteroids = timed(observer, "get-latest-asteroids", asteroids).await?;
    let nhats = download_nhats(context, set, &request.nhats);
    let nhats = timed(observer, "download-nhats", nhats).await?;
    let mut notes = small.delta_v.notes;
    notes.extend(nhats.notes);
    Ok(Manifest {
        set: set.clone(),
        made_by: concat!("prospector ", env!("CARGO_PKG_VERSION")).to_owned(),
        asteroids,
        delta_v: small.delta_v.entry,
        nhats: nhats.entry,
        exoplanets: small.exoplanets,
        masses: small.masses,
        notes,
    })
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
