//! Recording: a small sample of each live source, in the form in which the source gives it, for tests and
//! benchmarks.

use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::open::fetch;
use super::{Context, StageError};
use crate::catalogue::{COLUMN_NAMES, Catalogue, ReadOptions};
use crate::cpu::on_cpu;
use crate::delta_v::DeltaVTable;
use crate::exoplanets::{Candidates, ExoplanetList};
use crate::inputs::hexadecimal;
use crate::inspect::inspect_catalogue;
use crate::nhats::NhatsTable;
use crate::sources::{Source, Upstreams};
use crate::table::ReplacedFile;
use crate::upstream::Origin;

/// Bodies of a sample.
const NUM_ROWS: u32 = 200;
/// What is wrong with a document, from whichever reader.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// A sample that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// The file in the folder.
    pub file: &'static str,
    /// Where it came from, and when.
    #[serde(flatten)]
    pub origin: Origin,
    /// Its size, bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// A source that is recorded: its file, the addresses that have it, and how one knows that it is what it
/// should be.
struct Recording {
    file: &'static str,
    sources: Vec<Source>,
    check: fn(&[u8]) -> Result<(), Fault>,
}

fn recordings(upstreams: &Upstreams) -> [Recording; 4] {
    [
        Recording {
            file: "asteroids.json",
            sources: vec![Source::Url(upstreams.asteroids_sample(NUM_ROWS))],
            check: check_catalogue,
        },
        Recording {
            file: "delta-v.html",
            sources: upstreams.delta_v().map(Source::Url).to_vec(),
            check: |bytes| Ok(DeltaVTable::parse(bytes).map(drop)?),
        },
        Recording {
            file: "nhats.json",
            sources: vec![Source::Url(upstreams.nhats())],
            check: |bytes| Ok(NhatsTable::parse(bytes).map(drop)?),
        },
        Recording {
            file: "exoplanets.csv",
            sources: vec![Source::Url(upstreams.exoplanets_sample(NUM_ROWS))],
            check: |bytes| Ok(ExoplanetList::parse(bytes, Candidates::LeftOut).map(drop)?),
        },
    ]
}

fn check_catalogue(bytes: &[u8]) -> Result<(), Fault> {
    let options = ReadOptions {
        fields: Some(COLUMN_NAMES.iter().map(ToString::to_string).collect()),
        ..ReadOptions::default()
    };
    inspect_catalogue(Catalogue::open(bytes, &options)?)?;
    Ok(())
}

/// Records a sample of each source in `folder`, and `origin.json` with where each came from. Files of an
/// earlier recording are replaced, one by one, by whole ones.
///
/// # Errors
/// [`StageError`] of the first source that cannot be had; what was recorded before it stays.
pub async fn record(
    context: &Context,
    upstreams: &Upstreams,
    folder: &Path,
) -> Result<Vec<Sample>, StageError> {
    let mut samples = Vec::new();
    for recording in recordings(upstreams) {
        let (origin, bytes) = first_that_has_it(context, &recording).await?;
        samples.push(Sample {
            file: recording.file,
            origin,
            bytes: bytes.len() as u64,
            sha256: hexadecimal(&Sha256::digest(&bytes)),
        });
        replace(folder, recording.file, bytes).await?;
    }
    let origins = serde_json::to_vec_pretty(&samples).map_err(|source| StageError::Document {
        from: "origin.json".to_owned(),
        source: source.into(),
    })?;
    replace(folder, "origin.json", origins.into()).await?;
    Ok(samples)
}

async fn first_that_has_it(
    context: &Context,
    recording: &Recording,
) -> Result<(Origin, Bytes), StageError> {
    let mut last_error = None;
    for source in &recording.sources {
        let fetched = fetch(context, source, recording.file).await;
        let checked = fetched.and_then(|(origin, bytes)| {
            (recording.check)(&bytes).map_err(|fault| StageError::Document {
                from: source.place(),
                source: fault,
            })?;
            Ok((origin, bytes))
        });
        match checked {
            Ok(fetched) => return Ok(fetched),
            Err(error) => last_error = Some(error),
        }
    }
    Err(last_error.expect("every recording has a source"))
}

async fn replace(folder: &Path, file: &str, bytes: Bytes) -> Result<(), StageError> {
    let path = folder.join(file);
    let target = path.clone();
    let written = on_cpu(move || {
        let mut file = ReplacedFile::create(&target).map_err(std::io::Error::other)?;
        file.write_all(&bytes)?;
        file.commit().map_err(std::io::Error::other)
    });
    written
        .await
        .map_err(|source| StageError::File { path, source })
}
