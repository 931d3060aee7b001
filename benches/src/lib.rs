//! What the benchmarks measure on: recorded catalogues, real ones where there are any, and generated ones.

use std::path::{Path, PathBuf};

use engine::generate::{self, Format, Options};

/// Rows of a generated catalogue: some megabytes, more than a core's own caches hold.
pub const GENERATED_ROWS: u64 = 20_000;

/// A catalogue to measure on.
pub struct Input {
    /// The case's name.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its number of rows.
    pub rows: u64,
}

impl Input {
    fn new(name: String, bytes: Vec<u8>) -> Self {
        let rows = engine::bench_support::locate(&bytes[..]).map_or(0, |located| located.rows);
        Input { name, bytes, rows }
    }

    fn read(name: String, path: &Path) -> Self {
        let bytes = std::fs::read(path);
        let bytes = bytes.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::new(name, bytes)
    }

    /// A generated catalogue.
    ///
    /// # Panics
    /// Never: memory takes a catalogue.
    #[must_use]
    pub fn generated(format: Format, rows: u64) -> Self {
        let mut bytes = Vec::new();
        let options = Options {
            rows,
            seed: 1,
            format,
        };
        generate::generate(&options, &mut bytes).expect("memory takes a catalogue");
        Self::new("generated".to_owned(), bytes)
    }
}

/// The catalogues of a format, the project's own recorded one first. With `PROSPECTOR_RECORDED` set to a folder
/// of real files, the larger of those in its `sbdb` are among them.
///
/// # Panics
/// Where a file cannot be read.
#[must_use]
pub fn inputs(format: Format) -> Vec<Input> {
    let (recorded, extension) = match format {
        Format::Csv => ("asteroids-2020.csv", "csv"),
        Format::Json => ("asteroids.json", "json"),
    };
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data");
    let mut inputs = vec![
        Input::read("recorded".to_owned(), &data.join(recorded)),
        Input::generated(format, GENERATED_ROWS),
    ];
    if let Some(folder) = std::env::var_os("PROSPECTOR_RECORDED").map(PathBuf::from) {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("sbdb"))
            .expect("PROSPECTOR_RECORDED is a folder with another called sbdb")
            .map(|entry| entry.expect("a file").path())
            .collect();
        files.sort();
        files.retain(|path| path.extension().is_some_and(|found| found == extension));
        let real = files.iter().map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            Input::read(format!("real-{name}"), path)
        });
        inputs.extend(real.filter(|input| input.rows >= 1_000));
    }
    inputs
}
