//! An upload: a large object put into a directory, as it is written, by way of the store's port. What an upload to S3
//! takes is measured by `benches/upload/run`.

use std::io::Write;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::store::{Directory, Key, ObjectStore, Writer};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const OBJECT_BYTES: usize = 64 << 20;
const PIECE_BYTES: usize = 256 << 10;

fn upload(criterion: &mut Criterion) {
    let folder = TempDir::new().expect("a temporary folder");
    let runtime = Runtime::new().expect("threads");
    let store: Arc<dyn ObjectStore> = Arc::new(Directory::open(folder.path()).expect("a store"));
    let key = Key::new("inputs/2026-11-25T101500Z/asteroids.csv.zst").expect("a key");
    let piece = vec![b'x'; PIECE_BYTES];
    let mut group = criterion.benchmark_group("store upload");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(OBJECT_BYTES as u64));
    group.bench_function("directory, 64 MiB, synced", |bencher| {
        bencher.iter(|| {
            let mut object = Writer::new(runtime.handle(), Arc::clone(&store), key.clone());
            for _ in 0..OBJECT_BYTES / PIECE_BYTES {
                object.write_all(&piece).expect("a piece is taken");
            }
            object.finish().expect("the object is stored")
        });
    });
    group.finish();
}

criterion_group!(benches, upload);
criterion_main!(benches);
