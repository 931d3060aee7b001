//! What the fuzz targets check of a catalogue: more than that nothing panics.
//!
//! The same bytes give the same items and rejects in chunks of any size, every row is accounted for, and
//! every item is an object of JSON whose numbers are finite.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use engine::batch::Encoding;
use engine::body::{Lookups, Valuer};
use engine::catalogue::{Catalogue, ReadOptions};
use engine::exoplanets::Exoplanet;
use engine::pipeline::{PipelineOptions, Sinks, run};
use engine::reject::Reject;
use engine::sink::LineSink;

/// What a run gives, to be compared.
#[derive(Debug, PartialEq)]
struct Outcome {
    lines: Vec<u8>,
    rejects: Vec<Reject>,
    summary: String,
    num_valued: u64,
    num_read: u64,
}

fn value(
    bytes: &[u8],
    planets: &[Exoplanet],
    chunk_bytes: usize,
    fields: Option<&[String]>,
) -> Result<Outcome, String> {
    let options = ReadOptions {
        chunk_bytes,
        fields: fields.map(<[String]>::to_vec),
        ..ReadOptions::default()
    };
    let catalogue = Catalogue::open(bytes, &options).map_err(|error| error.to_string())?;
    let mut sink = LineSink::new(Vec::new(), Encoding::Json).expect("memory takes all");
    let mut rejects = Vec::new();
    let mut reject = |rejected: &Reject| {
        rejects.push(rejected.clone());
        Ok(())
    };
    let sinks = Sinks {
        items: &mut sink,
        rejects: &mut reject,
    };
    let options = PipelineOptions {
        num_threads: NonZeroUsize::MIN,
        max_rejects_percent: 100.0,
        cancelled: &AtomicBool::new(false),
    };
    let valuer = Valuer {
        lookups: Lookups::default(),
        run: None,
    };
    let summary = run(catalogue, planets, &valuer, sinks, &options);
    let summary = summary.map_err(|error| error.to_string())?;
    Ok(Outcome {
        lines: sink.into_inner(),
        rejects,
        num_valued: summary.counts.valued,
        num_read: summary.counts.read,
        summary: format!("{summary:?}"),
    })
}

/// Reads `bytes` as a catalogue in chunks of two sizes, and checks what must hold.
///
/// # Panics
/// Where it does not.
pub fn check_catalogue(bytes: &[u8], chunk_bytes: usize, fields: Option<&[String]>) {
    let outcome = value(bytes, &[], 1 << 20, fields);
    let again = value(bytes, &[], chunk_bytes, fields);
    // A stream that is damaged behind a bad header has two faults: which is met first is a matter of how far is read.
    let may_be_damaged = [&b"\x1f\x8b"[..], b"\x28\xb5\x2f\xfd"]
        .iter()
        .any(|magic| bytes.starts_with(magic));
    if !(may_be_damaged && outcome.is_err() && again.is_err()) {
        assert_eq!(outcome, again, "chunks of {chunk_bytes}");
    }
    if let Ok(outcome) = outcome {
        check_outcome(&outcome);
    }
}

/// Makes items of `planets`, and checks what must hold of them.
///
/// # Panics
/// Where it does not.
pub fn check_planets(planets: &[Exoplanet]) {
    let outcome = value(b"pdes,e,a\n1,.1,1.1\n", planets, 1 << 20, None).expect("a catalogue");
    assert_eq!(outcome.num_read, planets.len() as u64 + 1);
    check_outcome(&outcome);
}

fn check_outcome(outcome: &Outcome) {
    assert_eq!(
        outcome.num_read,
        outcome.num_valued + outcome.rejects.len() as u64
    );
    let mut num_items = 0;
    for line in outcome.lines.split_inclusive(|byte| *byte == b'\n') {
        num_items += 1;
        let item: serde_json::Value = serde_json::from_slice(line).expect("an item is JSON");
        let item = item.as_object().expect("an item is an object");
        assert!(
            item.contains_key("designation") && item.contains_key("kind"),
            "{item:?}"
        );
        for (name, value) in item {
            let is_kept = match value {
                // serde_json reads no number that is not finite.
                serde_json::Value::Number(number) => number.as_f64().is_some_and(f64::is_finite),
                serde_json::Value::String(text) => !text.is_empty() && text.len() < 200,
                value => value.is_boolean(),
            };
            assert!(is_kept, "{name}: {value}");
        }
    }
    assert_eq!(num_items, outcome.num_valued);
    for pair in outcome.rejects.windows(2) {
        assert!(
            pair[0].row < pair[1].row && pair[0].line <= pair[1].line,
            "{pair:?}"
        );
    }
    for reject in &outcome.rejects {
        assert!(
            reject.row <= outcome.num_read && reject.message.len() < 1_000,
            "{reject:?}"
        );
        let line = serde_json::to_string(reject).expect("a reject is written");
        assert_eq!(
            serde_json::from_str::<Reject>(&line).expect("and read again"),
            *reject
        );
    }
}
