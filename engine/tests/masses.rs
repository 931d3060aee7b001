//! The list of mass estimates as it was recorded, and the shipped list that was computed from it.
//!
//! The file is found through `PROSPECTOR_RECORDED`; without it these tests say that they were skipped.

use engine::masses::{Average, BodyMass, MassList, builtin, parse_estimates};
use engine::reject::Reason;

/// The recorded list, where the recorded inputs are at hand.
fn recorded() -> Option<Vec<u8>> {
    let folder = std::env::var_os("PROSPECTOR_RECORDED")?;
    let path = std::path::Path::new(&folder).join("masses/masses.txt");
    Some(std::fs::read(path).expect("the recorded list is readable"))
}

/// Finds `body` of one list in another.
fn counterpart<'a>(list: &'a MassList, body: &BodyMass) -> &'a BodyMass {
    let designation = body.designation.as_deref();
    let found = list.find(body.number, designation.as_slice(), body.name.as_deref());
    found.unwrap_or_else(|| panic!("{body:?} is missing"))
}

#[test]
fn every_estimate_but_the_nameless_is_read() {
    let Some(bytes) = recorded() else {
        return println!("skipped: PROSPECTOR_RECORDED is unset");
    };
    let list = parse_estimates(&bytes);
    assert_eq!(list.estimates.len(), 777);
    assert_eq!(list.rejects.len(), 2);
    assert!(
        list.rejects
            .iter()
            .all(|reject| reject.reason == Reason::NoKey)
    );
    let remarks = list
        .estimates
        .iter()
        .filter_map(|estimate| estimate.remark.as_deref());
    assert_eq!(remarks.collect::<Vec<_>>(), ["BkUp"]);

    let windows = String::from_utf8(bytes).unwrap().replace('\n', "\r\n");
    assert_eq!(parse_estimates(windows.as_bytes()), list);
}

#[test]
fn each_body_has_one_mass_or_none() {
    let Some(bytes) = recorded() else {
        return println!("skipped: PROSPECTOR_RECORDED is unset");
    };
    let weighted = MassList::parse(&bytes, Average::Weighted).unwrap();
    println!(
        "{} of {} estimates dropped",
        weighted.num_dropped, weighted.num_estimates
    );
    assert_eq!(
        (weighted.bodies.len(), weighted.without_mass.len()),
        (258, 19)
    );
    let plain = MassList::parse(&bytes, Average::Plain).unwrap();
    assert_eq!((plain.bodies.len(), plain.without_mass.len()), (277, 0));
    // The mean of the five estimates for 94 Aurora, which differ 375-fold.
    let aurora = plain.find(Some(94), &[], None).unwrap();
    assert_eq!(aurora.num_estimates, 5);
    assert!((aurora.mass_kg - 7.050_36e18).abs() < 1e12, "{aurora:?}");
    for body in &weighted.bodies {
        assert_eq!(counterpart(&plain, body).number, body.number);
    }
}

#[test]
fn the_shipped_list_is_the_weighted_mean_of_the_estimates() {
    let Some(bytes) = recorded() else {
        return println!("skipped: PROSPECTOR_RECORDED is unset");
    };
    let computed = MassList::parse(&bytes, Average::Weighted).unwrap();
    let shipped = builtin();
    assert_eq!(shipped.bodies.len(), computed.bodies.len());
    assert_eq!(
        shipped.num_estimates,
        computed.num_estimates - computed.num_dropped
    );
    let deviation = |a: f64, b: f64| ((a - b) / b).abs();
    let (mut max_mass, mut max_sigma) = (0.0_f64, 0.0_f64);
    for body in &computed.bodies {
        // The recorded list abbreviates this name, which is all it has.
        let is_sl9 = body.name.as_deref() == Some("SL9");
        let other = if is_sl9 {
            shipped.find(None, &["D/1993 F2"], None).unwrap()
        } else {
            counterpart(shipped, body)
        };
        assert_eq!(other.number, body.number);
        assert_eq!(other.num_estimates, body.num_estimates, "{body:?}");
        max_mass = max_mass.max(deviation(other.mass_kg, body.mass_kg));
        max_sigma = max_sigma.max(deviation(other.sigma_kg, body.sigma_kg));
    }
    println!("largest relative deviations: mass {max_mass:.2e}, sigma {max_sigma:.2e}");
    // Half a unit in the last of 4 digits and of 3 digits.
    assert!(max_mass <= 5.01e-4 && max_sigma <= 5.01e-3);
}

#[test]
fn the_document_is_read_again_as_the_same_list() {
    let shipped = builtin();
    let again = MassList::parse(&serde_json::to_vec(shipped).unwrap(), Average::Weighted).unwrap();
    assert_eq!(again.bodies, shipped.bodies);
    assert_eq!(again.num_estimates, shipped.num_estimates);
}

#[test]
fn comets_are_found_as_catalogues_call_them() {
    let find = |designation, name| builtin().find(None, &[designation], Some(name));
    assert_eq!(find("10P", "Tempel 2").unwrap().mass_kg, 3.5e14);
    assert_eq!(find("6P", "d'Arrest").unwrap().mass_kg, 2.8e12);
    assert!(find("9P", "Tempel 1").is_none());
    // A fragment does not have the mass of the whole.
    assert!(find("D/1993 F2-A", "Shoemaker-Levy 9").is_none());
    // The list has asteroid 52 of this name.
    assert!(find("C/2099 X1", "Europa").is_none());
}
