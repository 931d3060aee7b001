//! `parse-horizon`: an input set is valued and sent, as messages, to whoever writes it.
//!
//! ```text
//! store ──▶ catalogue ──▶ value (the synchronous core, on its own threads) ──▶ pack ──▶ send ──▶ queue
//!                                             └──▶ rejects.jsonl                └──▶ pages of the ledger
//! ```
//!
//! A run that is repeated sends the same messages again, byte for byte, so that one that crashed half-way can be.
//! The bounds are those of the pipeline and of [`crate::messages`].

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{InputSet, StageError};
use crate::inputs::{self, Manifest, SetName};
use crate::job::{Job, JobError};
use crate::ledger::Ledger;
use crate::message::Packed;
use crate::messages::{MessageSink, RANKED_BODIES, send_while};
use crate::pipeline::{PipelineError, Sinks};
use crate::queue::Queue;
use crate::reject::Reject;
use crate::report::Report;
use crate::runs;
use crate::store::{ObjectStore, StoreError, Writer, read_all};

use super::Context;

/// More than any name of a set has.
const MAX_NAME_BYTES: u64 = 4 << 10;

/// What is to be valued.
#[derive(Debug, Clone)]
pub struct HorizonRequest {
    /// The run.
    pub run: String,
    /// The input set, or the latest one.
    pub inputs: Option<SetName>,
    /// The most rows that may be rejected, in per cent.
    pub max_rejects_percent: f64,
}

/// What was valued and sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parsed {
    /// The input set.
    pub set: SetName,
    /// Messages that were sent, numbered from 0 on.
    pub messages: u64,
    /// Items in them.
    pub items: u64,
    /// What the run did so far: what was written is not known yet.
    pub report: Report,
}

/// Values an input set and sends its items to `queue`; the pages that they are marked on are opened in `ledger`. Rejected
/// rows are kept as an object of the run, also where the run fails.
///
/// # Errors
/// [`StageError`]. Messages may have been sent; they are the same ones the next time.
pub async fn parse_horizon(
    context: &Context,
    request: HorizonRequest,
    queue: &dyn Queue,
    ledger: &dyn Ledger,
) -> Result<Parsed, StageError> {
    let manifest = pinned(&*context.store, &request).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let horizon = Horizon {
        runtime: Handle::current(),
        store: Arc::clone(&context.store),
        cancelled: context.cancelled.clone(),
        stop: Arc::clone(&stop),
        manifest,
        request,
    };
    let parsing = send_while(queue, ledger, move |messages| horizon.pack(messages));
    let parsed = tokio::select! {
        biased;
        () = context.cancelled.cancelled() => Err(StageError::Cancelled),
        parsed = parsing => parsed.map(|(parsed, _)| parsed),
    };
    if parsed.is_err() {
        // Nobody takes messages any more. The threads end with their next one, or by this; the store waits for the
        // object that they are writing.
        stop.store(true, Ordering::Relaxed);
        context.store.settle().await?;
    }
    parsed
}

/// The blocking half of the stage.
struct Horizon {
    runtime: Handle,
    store: Arc<dyn ObjectStore>,
    cancelled: CancellationToken,
    stop: Arc<AtomicBool>,
    manifest: Manifest,
    request: HorizonRequest,
}

impl Horizon {
    fn pack(self, messages: mpsc::Sender<Packed>) -> Result<Parsed, StageError> {
        let key = runs::key(&self.request.run, runs::REJECTS)?;
        let object = Writer::new(&self.runtime, Arc::clone(&self.store), key);
        let mut rejects = Rejects {
            object,
            num_rejects: 0,
        };
        let parsed = self.value(messages, &mut rejects);
        if parsed.is_ok() || rejects.num_rejects > 0 && !self.stop.load(Ordering::Relaxed) {
            rejects.object.finish()?;
        }
        parsed
    }

    fn value(
        &self,
        messages: mpsc::Sender<Packed>,
        rejects: &mut Rejects,
    ) -> Result<Parsed, StageError> {
        let Horizon {
            manifest, request, ..
        } = self;
        let run = request.run.clone();
        let mut job = Job::new(Some(run), None, request.max_rejects_percent);
        let set = InputSet {
            runtime: &self.runtime,
            store: &self.store,
            manifest,
            cancelled: &self.cancelled,
        };
        set.read_lookups(&mut job)?;
        let opened = set.open_catalogue(|reader, _| reader)?;
        let mut sink = MessageSink::new(&request.run, RANKED_BODIES, messages);
        let sinks = Sinks {
            items: &mut sink,
            rejects: &mut |reject| rejects.add(reject),
        };
        let mut summary = opened.value(&mut job, sinks, &self.stop)?;
        let failed = |source| {
            StageError::from(JobError::Catalogue {
                name: manifest.set.to_string(),
                source,
            })
        };
        let packing = Instant::now();
        let packed = sink.finish().map_err(|error| failed(error.into()))?;
        for left_out in &packed.left_out {
            // It was valued and is rejected after all.
            summary.leave_out(left_out.kind.as_deref(), left_out.reject.reason);
            let added = rejects.add(&left_out.reject);
            added.map_err(|error| failed(PipelineError::Rejects(error)))?;
        }
        job.end_stage("pack", packing);
        job.check_rejects(&summary)?;
        Ok(Parsed {
            set: manifest.set.clone(),
            messages: packed.messages,
            items: packed.items,
            report: job.report_before_writing(&summary),
        })
    }
}

/// The input set of the run: that of its first attempt, of which messages may have been sent.
async fn pinned(store: &dyn ObjectStore, request: &HorizonRequest) -> Result<Manifest, StageError> {
    let key = runs::key(&request.run, runs::INPUTS)?;
    match read_all(store, &key, MAX_NAME_BYTES).await {
        Ok(name) => {
            let name = String::from_utf8_lossy(&name).parse::<SetName>();
            let name = name.map_err(|error| StoreError::failed(&key, "read", false, error))?;
            Ok(inputs::find(store, &name).await?)
        }
        Err(StoreError::NotFound { .. }) => {
            let manifest = inputs::find_or_latest(store, request.inputs.as_ref()).await?;
            let name = Bytes::from(manifest.set.to_string());
            store.publish(&key, name).await?;
            Ok(manifest)
        }
        Err(error) => Err(error.into()),
    }
}

/// The rejected rows on their way into the store.
struct Rejects {
    object: Writer,
    num_rejects: u64,
}

impl Rejects {
    fn add(&mut self, reject: &Reject) -> io::Result<()> {
        self.num_rejects += 1;
        serde_json::to_writer(&mut self.object, reject)?;
        self.object.write_all(b"\n")
    }
}
