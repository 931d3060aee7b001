//! Whatever the bytes are, nothing panics, every row is accounted for, and the size of chunks does not show.

mod support;

use engine::catalogue::{ReadOptions, find_fields};
use engine::content::{Content, page_text};
use engine::delta_v::DeltaVTable;
use engine::exoplanets::{Candidates, ExoplanetList};
use engine::masses::{Average, MassList};
use engine::pipeline::PipelineError;
use proptest::prelude::*;
use support::{Job, Valued, data};

const CATALOGUES: [&str; 4] = [
    "asteroids.json",
    "asteroids-2020.csv",
    "asteroids-2021.csv",
    "asteroids-handmade.csv",
];
const TABLES: [&str; 5] = [
    "delta-v.html",
    "delta-v-2012.txt",
    "exoplanets.csv",
    "koi.csv",
    "mass-estimates.txt",
];

fn value(bytes: &[u8], chunk_bytes: usize) -> Result<Valued, PipelineError> {
    let fields = ["pdes", "e", "a"].map(str::to_owned).to_vec();
    let job = Job {
        num_threads: 1,
        read: ReadOptions {
            chunk_bytes,
            // Where it helps; a document with its own fields says that they are others.
            fields: bytes.starts_with(b"{\"data\"").then_some(fields),
            ..ReadOptions::default()
        },
        ..Job::default()
    };
    job.run(bytes)
}

/// Reads `bytes` as everything that they might be, and checks what must hold of any result.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    match (value(bytes, 1 << 20), value(bytes, 37)) {
        (Ok(valued), Ok(again)) => {
            prop_assert_eq!(&valued.lines, &again.lines);
            prop_assert_eq!(&valued.rejects, &again.rejects);
            let counts = valued.summary.counts;
            prop_assert_eq!(counts.read, counts.valued + valued.rejects.len() as u64);
            prop_assert_eq!(counts.valued, valued.items().len() as u64);
        }
        (Err(error), Err(again)) => {
            prop_assert_eq!(error.to_string(), again.to_string());
        }
        (read, again) => prop_assert!(false, "{:?} and {:?}", read.is_ok(), again.is_ok()),
    }
    let _ = find_fields(bytes);
    let _ = Content::of(bytes);
    prop_assert!(page_text(bytes, 20).chars().count() <= 20);
    if let Ok(list) = ExoplanetList::parse(bytes, Candidates::LeftOut)
        && list.table.is_some()
    {
        let num_left_out = list.num_candidates_left_out + list.num_false_positives;
        let num_known = list.planets.len() + list.rejects.len();
        prop_assert_eq!(list.num_rows, num_known as u64 + num_left_out);
    }
    let _ = DeltaVTable::parse(bytes);
    let _ = MassList::parse(bytes, Average::Weighted);
    let _ = MassList::parse(bytes, Average::Plain);
    Ok(())
}

/// What can happen to a file.
#[derive(Debug, Clone)]
enum Damage {
    Byte(prop::sample::Index, u8),
    Insertion(prop::sample::Index, Vec<u8>),
    Removal(prop::sample::Index, usize),
    Repetition(prop::sample::Index, usize),
}

impl Damage {
    fn any() -> impl Strategy<Value = Damage> {
        let special = prop::sample::select(&b"\",\n\r[]{}\\ :.-e0\xff\0"[..]);
        let byte = prop_oneof![3 => special, 1 => any::<u8>()];
        let at = || any::<prop::sample::Index>();
        prop_oneof![
            4 => (at(), byte.clone()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
            2 => (at(), prop::collection::vec(byte, 1..8)).prop_map(|(at, bytes)| Damage::Insertion(at, bytes)),
            2 => (at(), 1_usize..300).prop_map(|(at, length)| Damage::Removal(at, length)),
            1 => (at(), 1_usize..300).prop_map(|(at, length)| Damage::Repetition(at, length)),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Damage::Byte(at, byte) => *at.get_mut(bytes) = *byte,
            Damage::Insertion(at, inserted) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, inserted.iter().copied());
            }
            Damage::Removal(at, length) => {
                let at = at.index(bytes.len());
                bytes.drain(at..bytes.len().min(at + length));
            }
            Damage::Repetition(at, length) => {
                let at = at.index(bytes.len());
                let repeated = bytes[at..bytes.len().min(at + length)].to_vec();
                bytes.splice(at..at, repeated);
            }
        }
    }
}

/// A counterexample becomes a test with a name here, not a line of a file of seeds.
fn cases(num_cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases: num_cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
    }

    #[test]
    fn any_rows_are_read_or_rejected(rows in prop::collection::vec(any::<u8>(), 0..200)) {
        let keep_text = |byte: &u8| *byte >= b' ' || *byte == b'\n';
        let rows: Vec<u8> = rows.into_iter().filter(keep_text).collect();
        check(&[b"pdes,e,a\n", &rows[..]].concat())?;
        check(&[b"{\"fields\":[\"pdes\",\"e\",\"a\"],\"data\":[", &rows[..], b"]}"].concat())?;
        check(&[b"{\"data\":[", &rows[..], b"],\"fields\":[\"pdes\",\"e\",\"a\"]}"].concat())?;
    }

    #[test]
    fn any_cells_are_read_or_rejected(cells in prop::collection::vec("\\PC{0,12}|[0-9.eE+-]{1,8}", 8)) {
        let header = "pdes,full_name,spkid,H,diameter,e,a,GM";
        let cells: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        check(format!("{header}\n{}\n", cells.join(",")).as_bytes())?;
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn a_damaged_file_is_read_or_refused(
        name in prop::sample::select([&CATALOGUES[..], &TABLES[..]].concat()),
        damages in prop::collection::vec(Damage::any(), 1..6),
        end in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = data(name);
        for damage in damages {
            damage.apply(&mut bytes);
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len() + 1));
        }
        check(&bytes)?;
    }
}
