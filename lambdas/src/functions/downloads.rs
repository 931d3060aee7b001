//! The functions that bring the small inputs: `download-delta-v`, `download-exoplanets`, `calculate-masses`.

use std::future::Future;
use std::sync::Arc;

use engine::aws::SdkConfig;
use engine::inputs::{self, Entry};
use engine::observer::chain;
use engine::sources::Source;
use engine::stages::{
    Context, Downloaded, MassSource, StageError, calculate_masses, download_delta_v,
    download_exoplanets,
};
use engine::store::{ObjectStore, S3, S3Options};
use engine::upstream::{Client, ClientOptions};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{RunId, SetId};
use crate::failure::{Failure, Name};
use crate::invocation::Invocation;
use crate::logs::Log;
use crate::serve::Function;
use crate::settings::{Settings, upstreams};

/// What a function that brings a small input is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownloadEvent {
    /// The run.
    pub run: RunId,
    /// The input set that it belongs to.
    pub set: SetId,
}

/// What the functions share that bring inputs: a store, and a client.
pub(super) struct Downloads {
    pub(super) store: Arc<dyn ObjectStore>,
    client: Client,
}

impl Downloads {
    pub(super) fn set_up(settings: &Settings, aws: &SdkConfig) -> Result<Self, Failure> {
        Ok(Downloads {
            store: open_store(settings, aws)?,
            client: Client::new(ClientOptions::default(), Arc::new(Log))
                .map_err(|error| Failure::of(Name::INTERNAL, &error))?,
        })
    }

    /// Marks `set` as begun and runs a stage that puts something into it. Stopped or failed, nothing half-written of it
    /// remains.
    pub(super) async fn bring<T>(
        &self,
        set: &SetId,
        invocation: &Invocation,
        stage: impl AsyncFnOnce(Context) -> Result<T, StageError>,
    ) -> Result<T, Failure> {
        inputs::begin(&*self.store, set).await?;
        let context = Context {
            store: Arc::clone(&self.store),
            client: self.client.clone(),
            observer: Arc::new(Log),
            cancelled: invocation.cancelled.clone(),
        };
        let brought = unless_stopped(&invocation.cancelled, stage(context)).await;
        if brought.is_err()
            && let Err(error) = self.store.settle().await
        {
            warn!(reason = chain(&error), "something half-written remains");
        }
        Ok(brought?)
    }
}

/// The bucket of the stack.
pub(super) fn open_store(
    settings: &Settings,
    aws: &SdkConfig,
) -> Result<Arc<dyn ObjectStore>, Failure> {
    let bucket = settings.required("BUCKET")?;
    Ok(Arc::new(S3::with_config(
        aws,
        &bucket,
        "",
        S3Options::default(),
    )?))
}

async fn unless_stopped<T>(
    cancelled: &CancellationToken,
    stage: impl Future<Output = Result<T, StageError>>,
) -> Result<T, StageError> {
    tokio::select! {
        biased;
        () = cancelled.cancelled() => Err(StageError::Cancelled),
        brought = stage => brought,
    }
}

/// `download-delta-v`: Benner's table, if it is to be had.
pub struct DownloadDeltaV {
    downloads: Downloads,
    sources: Vec<Source>,
}

impl Function for DownloadDeltaV {
    type Event = DownloadEvent;
    type Answer = Downloaded;

    async fn set_up(settings: &Settings, aws: &SdkConfig) -> Result<Self, Failure> {
        // Who names an address wants no other one.
        let sources = match settings.address("DELTA_V_URL")? {
            Some(url) => vec![Source::Url(url)],
            None => upstreams().delta_v().map(Source::Url).to_vec(),
        };
        Ok(DownloadDeltaV {
            downloads: Downloads::set_up(settings, aws)?,
            sources,
        })
    }

    fn run_of(event: &DownloadEvent) -> Option<&str> {
        Some(&event.run)
    }

    async fn handle(
        &self,
        DownloadEvent { set, .. }: DownloadEvent,
        invocation: &Invocation,
    ) -> Result<Downloaded, Failure> {
        let stage = async |context: Context| download_delta_v(&context, &set, &self.sources).await;
        let downloaded = self.downloads.bring(&set, invocation, stage).await?;
        if let Some(entry) = &downloaded.entry {
            invocation.count("RowsRead", entry.rows);
        }
        Ok(downloaded)
    }
}

/// `download-exoplanets`: the NASA Exoplanet Archive's planets.
pub struct DownloadExoplanets {
    downloads: Downloads,
    source: Source,
}

impl Function for DownloadExoplanets {
    type Event = DownloadEvent;
    type Answer = Entry;

    async fn set_up(settings: &Settings, aws: &SdkConfig) -> Result<Self, Failure> {
        let url = settings.address("EXOPLANETS_URL")?;
        Ok(DownloadExoplanets {
            downloads: Downloads::set_up(settings, aws)?,
            source: Source::Url(url.unwrap_or_else(|| upstreams().exoplanets())),
        })
    }

    fn run_of(event: &DownloadEvent) -> Option<&str> {
        Some(&event.run)
    }

    async fn handle(
        &self,
        DownloadEvent { set, .. }: DownloadEvent,
        invocation: &Invocation,
    ) -> Result<Entry, Failure> {
        let stage =
            async |context: Context| download_exoplanets(&context, &set, &self.source).await;
        let entry = self.downloads.bring(&set, invocation, stage).await?;
        invocation.count("RowsRead", entry.rows);
        Ok(entry)
    }
}

/// `calculate-masses`: one best mass a body, from the list that comes with the program.
pub struct CalculateMasses {
    downloads: Downloads,
}

impl Function for CalculateMasses {
    type Event = DownloadEvent;
    type Answer = Entry;

    async fn set_up(settings: &Settings, aws: &SdkConfig) -> Result<Self, Failure> {
        Ok(CalculateMasses {
            downloads: Downloads::set_up(settings, aws)?,
        })
    }

    fn run_of(event: &DownloadEvent) -> Option<&str> {
        Some(&event.run)
    }

    async fn handle(
        &self,
        DownloadEvent { set, .. }: DownloadEvent,
        invocation: &Invocation,
    ) -> Result<Entry, Failure> {
        let stage =
            async |context: Context| calculate_masses(&context, &set, &MassSource::BuiltIn).await;
        let entry = self.downloads.bring(&set, invocation, stage).await?;
        invocation.count("RowsRead", entry.rows);
        Ok(entry)
    }
}
