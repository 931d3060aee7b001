//! `get-latest-asteroids`: JPL's catalogue and NHATS, and the manifest that makes the set exist.

use engine::aws::SdkConfig;
use engine::inputs::{self, Entry, InputsError, Manifest, SetName};
use engine::sources::Source;
use engine::stages::{
    AsteroidRequest, Context, Downloaded, MAX_REJECTS_PERCENT, MAX_SHRINK_PERCENT, MIN_ROWS_OF_JPL,
    SmallInputs, complete_inputs,
};
use engine::store::StoreError;
use serde::{Deserialize, Serialize};
use tracing::info;

use super::downloads::Downloads;
use super::{RunId, SetId};
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::serve::Function;
use crate::settings::{Settings, upstreams};

/// What `get-latest-asteroids` is asked: to complete a set whose small inputs are there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsteroidEvent {
    /// The run.
    pub run: RunId,
    /// The input set.
    pub set: SetId,
    /// What `download-delta-v` answered.
    pub delta_v: Downloaded,
    /// What `download-exoplanets` answered.
    pub exoplanets: Entry,
    /// What `calculate-masses` answered.
    pub masses: Entry,
}

/// An input set that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LatestSet {
    /// Its name.
    pub set: SetName,
    /// The rows of its catalogue.
    pub rows: u64,
}

/// `get-latest-asteroids`.
pub struct GetLatestAsteroids {
    downloads: Downloads,
    request: AsteroidRequest,
}

impl Function for GetLatestAsteroids {
    type Event = AsteroidEvent;
    type Answer = LatestSet;

    async fn set_up(settings: &Settings, aws: &SdkConfig) -> Result<Self, Failure> {
        let (catalogue, nhats) = (
            settings.address("ASTEROIDS_URL")?,
            settings.address("NHATS_URL")?,
        );
        let min_rows = if catalogue.is_some() {
            1
        } else {
            MIN_ROWS_OF_JPL
        };
        let request = AsteroidRequest {
            catalogue: Source::Url(catalogue.unwrap_or_else(|| upstreams().asteroids())),
            nhats: Source::Url(nhats.unwrap_or_else(|| upstreams().nhats())),
            min_rows: settings.or("MIN_ROWS", min_rows)?,
            max_shrink_percent: settings.percent("MAX_SHRINK_PERCENT", MAX_SHRINK_PERCENT)?,
            max_rejects_percent: settings.percent("MAX_REJECTS_PERCENT", MAX_REJECTS_PERCENT)?,
        };
        Ok(GetLatestAsteroids {
            downloads: Downloads::set_up(settings, aws)?,
            request,
        })
    }

    fn run_of(event: &AsteroidEvent) -> Option<&str> {
        Some(&event.run)
    }

    async fn handle(
        &self,
        event: AsteroidEvent,
        invocation: &Invocation,
    ) -> Result<LatestSet, Failure> {
        let set = &event.set;
        if let Some(manifest) = self.published(set).await? {
            info!("the set is there already: an earlier attempt was not heard");
            return Ok(answer(manifest));
        }
        let small = SmallInputs {
            delta_v: event.delta_v,
            exoplanets: event.exoplanets,
            masses: event.masses,
        };
        let complete =
            async |context: Context| complete_inputs(&context, set, &self.request, small).await;
        let manifest = self.downloads.bring(set, invocation, complete).await?;
        invocation.count("RowsRead", manifest.asteroids.entry.rows);
        // From here on nothing is stopped: the set is published or it is not.
        inputs::publish(&*self.downloads.store, &manifest).await?;
        Ok(answer(manifest))
    }
}

impl GetLatestAsteroids {
    /// The set's manifest, if it is there; the mark that the set is being made goes then.
    async fn published(&self, set: &SetName) -> Result<Option<Manifest>, Failure> {
        let store = &*self.downloads.store;
        match inputs::manifest(store, set).await {
            Ok(manifest) => {
                inputs::release(store, inputs::PREFIX, set).await?;
                Ok(Some(manifest))
            }
            Err(InputsError::Store(StoreError::NotFound { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn answer(manifest: Manifest) -> LatestSet {
    LatestSet {
        rows: manifest.asteroids.entry.rows,
        set: manifest.set,
    }
}
