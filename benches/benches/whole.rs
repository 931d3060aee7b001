//! The whole path: a file in memory to lines or to a database, on one thread and on two.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use benches::{GENERATED_ROWS, Input, inputs};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::batch::Encoding;
use engine::body::{Lookups, Valuer};
use engine::catalogue::{Catalogue, ReadOptions};
use engine::frames::{CONTENT_BYTES, compress};
use engine::generate::Format;
use engine::masses;
use engine::message::Packer;
use engine::messages::{MessageSink, RANKED_BODIES};
use engine::pipeline::{PipelineOptions, Sinks, Summary, run};
use engine::sink::{Discard, LineSink, Sink, TableSink};
use engine::table::TableWriter;
use tokio::sync::mpsc;

fn valuer() -> Valuer {
    Valuer {
        lookups: Lookups {
            masses: masses::builtin().clone(),
            ..Lookups::default()
        },
        run: None,
    }
}

fn value(bytes: &[u8], valuer: &Valuer, threads: usize, items: &mut (dyn Sink + Send)) -> Summary {
    let catalogue = Catalogue::open(bytes, &ReadOptions::default()).expect("a catalogue");
    let sinks = Sinks {
        items,
        rejects: &mut |_| Ok(()),
    };
    let options = PipelineOptions {
        num_threads: NonZeroUsize::new(threads).expect("a thread"),
        max_rejects_percent: 100.0,
        cancelled: &AtomicBool::new(false),
    };
    run(catalogue, &[], valuer, sinks, &options).expect("rows are valued")
}

fn frames(content: &[u8]) -> Vec<u8> {
    content.chunks(CONTENT_BYTES).flat_map(compress).collect()
}

fn lines(criterion: &mut Criterion) {
    let valuer = valuer();
    let mut cases: Vec<(&str, Input)> = Vec::new();
    for (format, name) in [(Format::Csv, "csv"), (Format::Json, "json")] {
        cases.extend(inputs(format).into_iter().map(|input| (name, input)));
    }
    let generated = Input::generated(Format::Csv, GENERATED_ROWS);
    let compressed = Input {
        bytes: frames(&generated.bytes),
        ..generated
    };
    cases.push(("csv-frames", compressed));
    let mut group = criterion.benchmark_group("whole");
    group.sample_size(20);
    for (format, input) in &cases {
        group.throughput(Throughput::ElementsAndBytes {
            elements: input.rows,
            bytes: input.bytes.len() as u64,
        });
        for threads in [1, 2] {
            let id = BenchmarkId::new(format!("{format}/{}", input.name), threads);
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    let mut sink = LineSink::new(io::sink(), Encoding::Json).expect("a sink");
                    value(&input.bytes, &valuer, threads, &mut sink)
                });
            });
        }
    }
    group.finish();
}

fn sqlite(criterion: &mut Criterion) {
    let valuer = valuer();
    let input = Input::generated(Format::Csv, GENERATED_ROWS);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("bodies.sqlite");
    let mut group = criterion.benchmark_group("sqlite");
    group.sample_size(10);
    group.throughput(Throughput::Elements(input.rows));
    for (name, is_indexed) in [("rows", false), ("rows-and-indexes", true)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut sink = TableSink(TableWriter::create(&path).expect("a new table"));
                value(&input.bytes, &valuer, 2, &mut sink);
                is_indexed.then(|| sink.0.finish().expect("indexes are made").items)
            });
        });
    }
    group.finish();
}

/// Items packed by themselves, and the way to them with the sink that packs them and with one that does not.
fn messages(criterion: &mut Criterion) {
    let valuer = valuer();
    let input = Input::generated(Format::Csv, GENERATED_ROWS);
    let mut lines = LineSink::new(Vec::new(), Encoding::Json).expect("memory takes lines");
    value(&input.bytes, &valuer, 1, &mut lines);
    let lines = String::from_utf8(lines.into_inner()).expect("items are text");
    // As many of these rows as are ranked of the 1.57 million of the whole catalogue.
    let share = RANKED_BODIES.get() as u64 * GENERATED_ROWS / 1_570_000;
    let max_ranked = NonZeroUsize::new(share as usize).expect("some are ranked");
    let mut group = criterion.benchmark_group("pack messages");
    group.sample_size(20);
    group.throughput(Throughput::ElementsAndBytes {
        elements: input.rows,
        bytes: lines.len() as u64,
    });
    group.bench_function("packer", |bencher| {
        bencher.iter(|| {
            let mut packer = Packer::new("run");
            let packed = |line| packer.add(line).expect("an item fits a message");
            lines.lines().filter_map(packed).count()
        });
    });
    group.bench_function("discard", |bencher| {
        bencher.iter(|| value(&input.bytes, &valuer, 1, &mut Discard));
    });
    group.bench_function("sink", |bencher| {
        bencher.iter(|| {
            // As many as there are messages: nothing waits.
            let (sender, receiver) = mpsc::channel(1_000);
            let mut sink = MessageSink::new("run", max_ranked, sender);
            value(&input.bytes, &valuer, 1, &mut sink);
            let packing = sink.finish().expect("there is a receiver");
            drop(receiver);
            packing.messages
        });
    });
    group.finish();
}

criterion_group!(whole, lines, sqlite, messages);
criterion_main!(whole);
