//! What several integration tests share. A `mod.rs`, because cargo would build
//! `tests/support.rs` as a test of its own.
#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::print_stdout, reason = "a test says what it skips")]

pub(crate) mod reference;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use engine::batch::Encoding;
use engine::body::{Lookups, Valuer};
use engine::catalogue::{Catalogue, ReadOptions};
use engine::exoplanets::Exoplanet;
use engine::pipeline::{PipelineError, PipelineOptions, Sinks, Summary, run};
use engine::reject::Reject;
use engine::sink::{LineSink, Sink};

/// The folder of real files, where there is one; says so where there is none.
#[allow(clippy::print_stdout, reason = "a test that skips says so")]
pub(crate) fn recorded() -> Option<PathBuf> {
    let folder = std::env::var_os("PROSPECTOR_RECORDED").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: PROSPECTOR_RECORDED is not set, so there are no real files");
    }
    folder
}

/// The project's own recorded inputs.
pub(crate) fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../data")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a pipeline gave.
#[derive(Debug)]
pub(crate) struct Valued {
    pub(crate) lines: Vec<u8>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) summary: Summary,
}

impl Valued {
    /// The items as JSON values.
    pub(crate) fn items(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_slice(line).expect("an item is JSON");
        self.lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(parse)
            .collect()
    }
}

/// How a test runs the pipeline.
pub(crate) struct Job {
    pub(crate) valuer: Valuer,
    pub(crate) planets: Vec<Exoplanet>,
    pub(crate) num_threads: usize,
    pub(crate) max_rejects_percent: f64,
    pub(crate) encoding: Encoding,
    pub(crate) read: ReadOptions,
    pub(crate) is_cancelled: bool,
}

impl Default for Job {
    fn default() -> Self {
        Job {
            valuer: Valuer {
                lookups: Lookups::default(),
                run: None,
            },
            planets: Vec::new(),
            num_threads: 2,
            max_rejects_percent: 100.0,
            encoding: Encoding::Json,
            read: ReadOptions::default(),
            is_cancelled: false,
        }
    }
}

impl Job {
    /// Values `input` into lines.
    pub(crate) fn run(&self, input: impl std::io::Read + Send) -> Result<Valued, PipelineError> {
        let mut sink = LineSink::new(Vec::new(), self.encoding).expect("memory takes a header");
        let (summary, rejects) = self.run_into(input, &mut sink)?;
        Ok(Valued {
            lines: sink.into_inner(),
            rejects,
            summary,
        })
    }

    /// Values `input` into `sink`.
    pub(crate) fn run_into(
        &self,
        input: impl std::io::Read + Send,
        sink: &mut (dyn Sink + Send),
    ) -> Result<(Summary, Vec<Reject>), PipelineError> {
        let catalogue = Catalogue::open(input, &self.read)?;
        let mut rejects = Vec::new();
        let mut reject = |rejected: &Reject| {
            rejects.push(rejected.clone());
            Ok(())
        };
        let options = PipelineOptions {
            num_threads: NonZeroUsize::new(self.num_threads).expect("at least one thread"),
            max_rejects_percent: self.max_rejects_percent,
            cancelled: &AtomicBool::new(self.is_cancelled),
        };
        let sinks = Sinks {
            items: sink,
            rejects: &mut reject,
        };
        let summary = run(catalogue, &self.planets, &self.valuer, sinks, &options)?;
        Ok((summary, rejects))
    }
}
