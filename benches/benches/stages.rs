//! The stages of the hot path, one by one: where a row's time goes.

use std::hint::black_box;

use benches::{GENERATED_ROWS, Input, inputs};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::asterank::{Composition, Orbit, value};
use engine::bench_support::{Rows, cut, locate};
use engine::body::{Lookups, Valuer};
use engine::delta_v::rendezvous_delta_v;
use engine::generate::Format;
use engine::masses;
use engine::pen::Lines;

fn throughput(input: &Input) -> Throughput {
    Throughput::ElementsAndBytes {
        elements: input.rows,
        bytes: input.bytes.len() as u64,
    }
}

/// Cutting a stream behind whole rows.
fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scan");
    for (format, name) in [(Format::Csv, "csv"), (Format::Json, "json")] {
        for input in inputs(format) {
            group.throughput(throughput(&input));
            let id = BenchmarkId::new(name, &input.name);
            group.bench_function(id, |bencher| {
                bencher.iter(|| cut(black_box(&input.bytes[..])))
            });
        }
    }
    group.finish();
}

/// Cutting, and finding the rows and every wanted cell.
fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (format, name) in [(Format::Csv, "csv"), (Format::Json, "json")] {
        for input in inputs(format) {
            group.throughput(throughput(&input));
            let id = BenchmarkId::new(name, &input.name);
            group.bench_function(id, |bencher| {
                bencher.iter(|| locate(black_box(&input.bytes[..])).expect("a catalogue"));
            });
        }
    }
    group.finish();
}

/// Orbits as the main belt has them: semi-major axis, eccentricity, inclination.
fn orbits() -> Vec<(f64, f64, f64)> {
    let steps = (0..1_000).map(f64::from);
    steps
        .map(|step| {
            (
                0.6 + step * 0.003,
                (step * 0.37) % 0.9,
                (step * 0.11) % 40.0,
            )
        })
        .collect()
}

fn delta_v(criterion: &mut Criterion) {
    let orbits = orbits();
    let mut group = criterion.benchmark_group("delta-v");
    group.throughput(Throughput::Elements(orbits.len() as u64));
    group.bench_function("equations", |bencher| {
        bencher.iter(|| {
            let each = black_box(&orbits).iter();
            each.filter_map(|(a, e, i)| rendezvous_delta_v(*a, *e, *i))
                .sum::<f64>()
        });
    });
    group.finish();
}

fn model(criterion: &mut Criterion) {
    let orbits = orbits();
    let composition = Composition::of("C");
    let mut group = criterion.benchmark_group("value");
    group.throughput(Throughput::Elements(orbits.len() as u64));
    group.bench_function("model", |bencher| {
        bencher.iter(|| {
            let each = black_box(&orbits).iter();
            let scores = each.map(|(a, e, _)| {
                let orbit = Orbit {
                    a: Some(*a),
                    e: Some(*e),
                    ..Orbit::default()
                };
                value(1e12, composition, &orbit.completed(), Some(6.5)).score
            });
            scores.sum::<f64>()
        });
    });
    group.finish();
}

/// Reading what cells mean, merging and valuing, with and without writing the item.
fn items(criterion: &mut Criterion) {
    let valuer = Valuer {
        lookups: Lookups {
            masses: masses::builtin().clone(),
            ..Lookups::default()
        },
        run: None,
    };
    let input = Input::generated(Format::Csv, GENERATED_ROWS);
    let rows = Rows::read(&input.bytes[..]).expect("a catalogue");
    for (name, is_written) in [("value", false), ("serialise", true)] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(throughput(&input));
        group.bench_function("rows/generated", |bencher| {
            let mut out = Lines::default();
            bencher.iter(|| {
                out.clear();
                rows.value(&valuer, is_written.then_some(&mut out))
            });
        });
        group.finish();
    }
}

criterion_group!(stages, scan, parse, delta_v, model, items);
criterion_main!(stages);
