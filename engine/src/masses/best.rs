//! One best mass a body: estimates put together by body, and averaged.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use super::estimates::{Estimate, Identity};
use super::list::name_key;

/// How several estimates of a body's mass become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Average {
    /// The mean weighted by 1/σ², with σ = 1/√(Σ 1/σ²).
    ///
    /// An estimate whose σ is not below its mass says little more than an upper bound and is dropped;
    /// a body left without any has no mass.
    #[default]
    Weighted,
    /// The arithmetic mean of all estimates, as Asterank takes it.
    ///
    /// Its σ is the standard error that follows from the estimates' own, √(Σ σ²)/n. Asterank gives none.
    Plain,
}

/// The best mass of a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BodyMass {
    /// The number of a numbered asteroid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u32>,
    /// The provisional designation, or what a comet has in its place: `1999 OJ4`, `10P`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub designation: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The mass, in kg.
    pub mass_kg: f64,
    /// Its standard deviation, in kg.
    pub sigma_kg: f64,
    /// How many estimates it is the mean of.
    pub num_estimates: u32,
    /// Where it comes from, for people.
    pub source: String,
}

/// Averages the estimates of each body, the bodies in the order of their first estimates. A body all of
/// whose estimates are dropped is an `Err`.
pub(super) fn best_masses(
    estimates: &[Estimate],
    average: Average,
) -> impl Iterator<Item = Result<BodyMass, Identity>> {
    group(estimates).into_iter().map(move |(body, estimates)| {
        let kept: Vec<(f64, f64)> = estimates
            .iter()
            .map(|estimate| (estimate.mass_kg, estimate.sigma_kg))
            .filter(|(mass_kg, sigma_kg)| average == Average::Plain || sigma_kg < mass_kg)
            .collect();
        if kept.is_empty() {
            return Err(body);
        }
        let ((mass_kg, sigma_kg), source) = match average {
            Average::Weighted => (weighted_mean(&kept), "weighted mean"),
            Average::Plain => (plain_mean(&kept), "plain mean"),
        };
        Ok(BodyMass {
            number: body.number,
            designation: body.designation,
            name: body.name,
            mass_kg,
            sigma_kg,
            num_estimates: u32::try_from(kept.len()).unwrap_or(u32::MAX),
            source: source.to_owned(),
        })
    })
}

/// The mean weighted by 1/σ², and its σ, of pairs of mass and σ.
fn weighted_mean(estimates: &[(f64, f64)]) -> (f64, f64) {
    // Weights in units of the best estimate's, so that no σ, however small, overflows them.
    let best_kg = estimates
        .iter()
        .map(|(_, sigma_kg)| *sigma_kg)
        .fold(f64::INFINITY, f64::min);
    let (mut sum, mut sum_of_weights) = (0.0, 0.0);
    for (mass_kg, sigma_kg) in estimates {
        let weight = (best_kg / sigma_kg).powi(2);
        sum += weight * mass_kg;
        sum_of_weights += weight;
    }
    (sum / sum_of_weights, best_kg / sum_of_weights.sqrt())
}

/// The arithmetic mean, and its σ, of pairs of mass and σ.
fn plain_mean(estimates: &[(f64, f64)]) -> (f64, f64) {
    let num_estimates = estimates.len() as f64;
    let sum: f64 = estimates.iter().map(|(mass_kg, _)| mass_kg).sum();
    // Without squares, which are 0 where a σ is tiny.
    let sigma_kg = estimates
        .iter()
        .fold(0.0_f64, |sum, (_, sigma_kg)| sum.hypot(*sigma_kg));
    (sum / num_estimates, sigma_kg / num_estimates)
}

/// Puts the estimates of each body together: those with its number, else with its designation, else, where
/// they have neither, with its name. What one of them does not say of the body, another adds.
fn group(estimates: &[Estimate]) -> Vec<(Identity, Vec<&Estimate>)> {
    let mut groups: Vec<(Identity, Vec<&Estimate>)> = Vec::new();
    let mut by_number: HashMap<u32, usize, RandomState> = HashMap::default();
    let mut by_designation: HashMap<&str, usize, RandomState> = HashMap::default();
    let mut by_name_alone: HashMap<String, usize, RandomState> = HashMap::default();
    for estimate in estimates {
        let Identity {
            number,
            designation,
            name,
        } = &estimate.body;
        let is_name_alone = number.is_none() && designation.is_none();
        // Two numbers are two bodies, whatever else they are called.
        let is_free = |place: &&usize| number.is_none() || groups[**place].0.number.is_none();
        let known = number
            .and_then(|number| by_number.get(&number))
            .or_else(|| by_designation.get(designation.as_deref()?).filter(is_free))
            .or_else(|| by_name_alone.get(&name_key(name.as_deref().filter(|_| is_name_alone)?)));
        let place = known.copied().unwrap_or_else(|| {
            groups.push((Identity::default(), Vec::new()));
            groups.len() - 1
        });
        let (body, members) = &mut groups[place];
        members.push(estimate);
        body.number = body.number.or(*number);
        body.name = body.name.take().or_else(|| name.clone());
        if let Some(number) = number {
            by_number.entry(*number).or_insert(place);
        }
        if let Some(designation) = designation {
            let owner = *by_designation.entry(designation).or_insert(place);
            if owner == place {
                body.designation.get_or_insert_with(|| designation.clone());
            }
        }
        if let (true, Some(name)) = (is_name_alone, name) {
            by_name_alone.entry(name_key(name)).or_insert(place);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::estimates::parse_estimates;
    use super::*;

    fn masses(text: &str, average: Average) -> Vec<Result<BodyMass, Identity>> {
        best_masses(&parse_estimates(text.as_bytes()).estimates, average).collect()
    }

    fn check(text: &str, average: Average, mass_kg: f64, sigma_kg: f64, num_estimates: u32) {
        let [Ok(body)] = &masses(text, average)[..] else {
            panic!("{text}")
        };
        let is_near = |a: f64, b: f64| (a - b).abs() < 1e-12 * b;
        assert!(
            is_near(body.mass_kg, mass_kg),
            "{} for {mass_kg}",
            body.mass_kg
        );
        assert!(
            is_near(body.sigma_kg, sigma_kg),
            "{} for {sigma_kg}",
            body.sigma_kg
        );
        assert_eq!(body.num_estimates, num_estimates);
    }

    #[test]
    fn weighs_by_the_inverse_variance() {
        // Weights 1 and 1/4: (10 + 20/4) / (5/4) = 12, and 1/√(5/4).
        check(
            "1 A 10 1\n1 A 20 2",
            Average::Weighted,
            12.0,
            (0.8_f64).sqrt(),
            2,
        );
        check("1 A 10 1", Average::Weighted, 10.0, 1.0, 1);
        check(
            "1 A 10 1e-300\n1 A 20 2e-300",
            Average::Weighted,
            12.0,
            0.8_f64.sqrt() * 1e-300,
            2,
        );
    }

    #[test]
    fn drops_estimates_no_better_than_a_bound() {
        check(
            "1 A 10 1\n1 A 20 20\n1 A 20 30",
            Average::Weighted,
            10.0,
            1.0,
            1,
        );
        let [Err(body)] = &masses("1 A 10 10", Average::Weighted)[..] else {
            panic!("a mass")
        };
        assert_eq!((body.number, body.name.as_deref()), (Some(1), Some("A")));
    }

    #[test]
    fn the_plain_mean_takes_all() {
        check(
            "1 A 10 3\n1 A 20 40",
            Average::Plain,
            15.0,
            (1_609.0_f64).sqrt() / 2.0,
            2,
        );
    }

    /// Found by fuzzing: its square is 0, and a list with σ 0 cannot be read again.
    #[test]
    fn a_tiny_sigma_does_not_vanish_in_the_mean() {
        for average in [Average::Plain, Average::Weighted] {
            check("1 A 9 3e-300", average, 9.0, 3e-300, 1);
            check(
                "1 A 9 3e-308\n1 A 9 3e-308\n1 A 9 3e-308\n1 A 9 3e-308",
                average,
                9.0,
                1.5e-308,
                4,
            );
        }
    }

    #[test]
    fn puts_the_estimates_of_a_body_together() {
        let bodies = masses(
            "1991 VH 10 1\n35107 1991 VH 10 1\n35107 10 1\n10P/ 10 1\n10P/Tempel 2 10 1\n\
             SL9 10 1\nsl9 10 1\n1 SL9 10 1\n2 1991 VH 10 1\n",
            Average::Weighted,
        );
        let bodies: Vec<BodyMass> = bodies.into_iter().map(Result::unwrap).collect();
        let seen: Vec<_> = bodies
            .iter()
            .map(|body| {
                let texts = (body.designation.as_deref(), body.name.as_deref());
                (body.number, texts.0, texts.1, body.num_estimates)
            })
            .collect();
        let expected = [
            (Some(35_107), Some("1991 VH"), None, 3),
            (None, Some("10P"), Some("Tempel 2"), 2),
            (None, None, Some("SL9"), 2),
            (Some(1), None, Some("SL9"), 1),
            (Some(2), None, None, 1),
        ];
        assert_eq!(seen, expected);
    }
}
