//! A table of the NASA Exoplanet Archive, or the document that was made of it.

#![no_main]

use engine::exoplanets::{Candidates, ExoplanetList};
use libfuzzer_sys::fuzz_target;
use prospector_fuzz::check_planets;

fuzz_target!(|bytes: &[u8]| {
    for candidates in [Candidates::LeftOut, Candidates::Included] {
        let Ok(list) = ExoplanetList::parse(bytes, candidates) else {
            continue;
        };
        let document = serde_json::to_vec(&list).expect("a list is written");
        let again = ExoplanetList::parse(&document, candidates).expect("and read again");
        assert_eq!(again.planets, list.planets);
        assert_eq!(again.rejects, list.rejects);
        let is_document = bytes
            .trim_ascii_start()
            .first()
            .is_some_and(|byte| b"{[\xef".contains(byte));
        if is_document {
            continue;
        }
        let num_left_out = list.num_candidates_left_out + list.num_false_positives;
        let num_known = list.planets.len() + list.rejects.len();
        assert_eq!(list.num_rows, num_known as u64 + num_left_out);
        check_planets(&list.planets);
    }
});
