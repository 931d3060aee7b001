//! A list of masses: estimates, the form that ships with the program, or the document made of it.

#![no_main]

use engine::masses::{Average, MAX_MASS_KG, MassList};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for average in [Average::Weighted, Average::Plain] {
        let Ok(list) = MassList::parse(bytes, average) else {
            continue;
        };
        for body in &list.bodies {
            // A mean may be rounded up from masses at the limit.
            let is_mass = |kg: f64| kg > 0.0 && kg <= MAX_MASS_KG * (1.0 + 1e-9);
            assert!(is_mass(body.mass_kg) && is_mass(body.sigma_kg), "{body:?}");
            let designations: Vec<&str> = body.designation.as_deref().into_iter().collect();
            let found = list.find(body.number, &designations, body.name.as_deref());
            assert!(
                found.is_some() || (body.number.is_none() && designations.is_empty()),
                "{body:?}"
            );
        }
        let document = serde_json::to_vec(&list).expect("a list is written");
        let again = MassList::parse(&document, average).expect("and read again");
        assert_eq!(again.bodies, list.bodies);
        assert_eq!(again.rejects, list.rejects);
    }
});
