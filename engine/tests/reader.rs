//! The same file gives the same bytes out, however it comes in: in pieces, in chunks, on threads, compressed.

mod support;

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::batch::Encoding;
use engine::catalogue::ReadOptions;
use engine::generate::{Format, Options, generate};
use engine::pipeline::PipelineError;
use engine::reject::Reject;
use engine::sink::LineSink;
use flate2::write::GzEncoder;
use support::{Job, data, recorded};

const FILES: [&str; 4] = [
    "asteroids.json",
    "asteroids-2020.csv",
    "asteroids-2021.csv",
    "asteroids-handmade.csv",
];

/// What a run gives, to be compared.
type Outcome = (Vec<u8>, Vec<Reject>, String);

/// Values `input` with `num_threads`, in chunks of `chunk_bytes`.
fn value(input: impl Read + Send, num_threads: usize, chunk_bytes: usize) -> Outcome {
    let read = ReadOptions {
        chunk_bytes,
        ..ReadOptions::default()
    };
    value_read(input, num_threads, read)
}

/// The same, read as `read` says.
fn value_read(input: impl Read + Send, num_threads: usize, read: ReadOptions) -> Outcome {
    let job = Job {
        num_threads,
        read,
        ..Job::default()
    };
    let valued = job.run(input).expect("a catalogue");
    let summary = format!("{:?}", valued.summary);
    (valued.lines, valued.rejects, summary)
}

/// Gives its bytes in pieces of varying lengths, from 1 to `max_bytes`.
struct Pieces<'b> {
    bytes: &'b [u8],
    max_bytes: u32,
    state: u32,
}

impl<'b> Pieces<'b> {
    fn new(bytes: &'b [u8], max_bytes: u32, seed: u32) -> Self {
        Pieces {
            bytes,
            max_bytes,
            state: seed,
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Numerical Recipes' linear congruential generator: any spread of lengths will do.
        self.state = self
            .state
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        if self.state >> 28 == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = (self.state >> 8) % self.max_bytes + 1;
        let mut piece = &self.bytes[..self.bytes.len().min(length as usize)];
        let num_read = piece.read(buffer)?;
        self.bytes = &self.bytes[num_read..];
        Ok(num_read)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory takes all")
}

/// Compresses `bytes` in `num_parts`, each a member or frame of its own.
fn in_parts(bytes: &[u8], num_parts: usize, compress: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let part_bytes = bytes.len().div_ceil(num_parts);
    bytes.chunks(part_bytes).flat_map(compress).collect()
}

#[test]
fn any_pieces_threads_and_chunks_give_the_same() {
    for name in FILES {
        let file = data(name);
        let expected = value(&file[..], 1, 1 << 20);
        assert_eq!(
            value(Pieces::new(&file, 1, 1), 1, 4_096),
            expected,
            "{name}"
        );
        for seed in 0..8 {
            let pieces = Pieces::new(&file, 1 << (2 * seed), seed);
            assert_eq!(value(pieces, 2, 1_000), expected, "{name}, {seed}");
        }
        for num_threads in [1, 2, 4] {
            for chunk_bytes in [0, 1, 3, 511, 512, 4_099, 65_536, file.len(), usize::MAX] {
                for is_waited_for in [false, true] {
                    let read = ReadOptions {
                        chunk_bytes,
                        is_waited_for,
                        ..ReadOptions::default()
                    };
                    assert_eq!(
                        value_read(&file[..], num_threads, read),
                        expected,
                        "{name}, {num_threads} threads, chunks of {chunk_bytes}, {is_waited_for}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_run_that_is_stopped_has_no_result() {
    let file = data(FILES[1]);
    for num_threads in [1, 2] {
        for is_waited_for in [false, true] {
            let job = Job {
                num_threads,
                read: ReadOptions {
                    is_waited_for,
                    ..ReadOptions::default()
                },
                is_cancelled: true,
                ..Job::default()
            };
            let result = job.run(&file[..]).map(|valued| valued.summary);
            assert!(
                matches!(result, Err(PipelineError::Cancelled)),
                "{result:?}"
            );
        }
    }
}

/// Panics once, behind some of its bytes.
struct Panics<'b> {
    before: &'b [u8],
    behind: &'b [u8],
    has_panicked: bool,
}

impl Read for Panics<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.before.is_empty() && !self.has_panicked {
            self.has_panicked = true;
            panic!("the reader's own fault");
        }
        match self.has_panicked {
            false => self.before.read(buffer),
            true => self.behind.read(buffer),
        }
    }
}

#[test]
fn nothing_is_written_that_was_read_behind_a_panic() {
    let mut file = Vec::new();
    let options = Options {
        rows: 2_000,
        seed: 7,
        format: Format::Csv,
    };
    generate(&options, &mut file).expect("memory takes a catalogue");
    let (expected, ..) = value(&file[..], 1, 4_096);
    for num_threads in [1, 2, 4] {
        for is_waited_for in [false, true] {
            let job = Job {
                num_threads,
                read: ReadOptions {
                    chunk_bytes: 4_096,
                    is_waited_for,
                    ..ReadOptions::default()
                },
                ..Job::default()
            };
            let (before, behind) = file.split_at(file.len() / 4);
            let reader = Panics {
                before,
                behind,
                has_panicked: false,
            };
            let mut lines = Vec::new();
            let mut sink =
                LineSink::new(&mut lines, Encoding::Json).expect("memory takes a header");
            let ran = catch_unwind(AssertUnwindSafe(|| job.run_into(reader, &mut sink)));
            assert!(ran.is_err(), "a fault of the program is none of the input");
            assert!(!lines.is_empty(), "there were rows before");
            assert!(expected.starts_with(&lines), "{num_threads} threads");
        }
    }
}

#[test]
fn compressed_is_read_as_plain_is() {
    for name in FILES {
        let file = data(name);
        let expected = value(&file[..], 1, 1 << 20);
        for num_parts in [1, 2, 7, 100] {
            for compressed in [
                in_parts(&file, num_parts, gzip),
                in_parts(&file, num_parts, zstd),
            ] {
                assert_eq!(value(&compressed[..], 2, 10_000), expected, "{name}");
                let pieces = Pieces::new(&compressed, 100, 7);
                assert_eq!(value(pieces, 1, 1 << 20), expected, "{name} in pieces");
            }
        }
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    for name in ["asteroids.json", "asteroids-2020.csv"] {
        let file = data(name);
        let marked = [b"\xef\xbb\xbf", &file[..]].concat();
        let expected = value(&file[..], 1, 1 << 20);
        assert_eq!(value(&marked[..], 1, 1 << 20), expected, "{name}");
        assert_eq!(value(&gzip(&marked)[..], 1, 1 << 20), expected, "{name}");
    }
}

#[test]
fn a_real_file_gives_the_same_on_any_number_of_threads() {
    let Some(folder) = recorded() else { return };
    for entry in std::fs::read_dir(folder.join("sbdb")).expect("real files") {
        let path = entry.expect("a folder's entry").path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let file = std::fs::read(&path).expect("a real file");
        let expected = value(&file[..], 1, 1 << 20);
        let pieces = Pieces::new(&file, 100_000, 3);
        assert_eq!(value(pieces, 4, 50_000), expected, "{}", path.display());
        assert_eq!(
            value(&zstd(&file)[..], 2, 300_000),
            expected,
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_recorded_file_is_read_or_refused_with_a_reason() {
    let Some(root) = recorded() else { return };
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of real files") {
            let path = entry.expect("a folder's entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = std::fs::read(&path).expect("a real file");
            match Job::default().run(&file[..]) {
                Ok(valued) => {
                    let counts = valued.summary.counts;
                    let num_rejected = valued.summary.num_rejected();
                    println!(
                        "{}: {} rows, {num_rejected} rejected",
                        path.display(),
                        counts.read
                    );
                    assert_eq!(counts.read, counts.valued + num_rejected);
                    assert_eq!(num_rejected, valued.rejects.len() as u64);
                }
                Err(error) => {
                    println!("{}: {error}", path.display());
                    let is_table = path.extension().is_some_and(|extension| extension == "csv");
                    let is_catalogue = folder.ends_with("sbdb") && is_table;
                    assert!(!is_catalogue && error.to_string().len() > 20);
                }
            }
        }
    }
}
