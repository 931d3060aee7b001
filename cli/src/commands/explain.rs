//! `prospector explain`: every step of a body's value: inputs, where each came from, formula, result.
//!
//! The steps are computed again from the item's attributes, by the same functions that valued it, and
//! compared with the results that are stored.

use std::io::Write;

use engine::asterank::{self, Composition, MATERIALS, Orbit, Valuation};
use engine::delta_v::{Evaluation, evaluate};
use engine::table::Body;

use crate::args::ExplainArgs;
use crate::commands::top::label;
use crate::output;
use crate::questions::Questions;
use crate::text::{figure, harmless};

pub(crate) fn run(args: &ExplainArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let bodies = Questions::open(&args.table)?.find(&args.body)?;
    for (at, body) in bodies.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        let mut explanation = Explanation { body, out };
        explanation.write()?;
    }
    Ok(())
}

struct Explanation<'e> {
    body: &'e Body,
    out: &'e mut dyn Write,
}

impl Explanation<'_> {
    fn write(&mut self) -> anyhow::Result<()> {
        let kind = self.text("kind").to_owned();
        let class = self
            .body
            .text("class")
            .map(|class| format!(", orbit class {}", harmless(class)));
        writeln!(
            self.out,
            "{}: {kind}{}",
            label(self.body),
            class.unwrap_or_default()
        )?;
        match kind.as_str() {
            "exoplanet" => self.exoplanet(),
            _ if self.text("spec") == "comet" => self.comet(),
            _ => self.asteroid(),
        }
    }

    fn exoplanet(&mut self) -> anyhow::Result<()> {
        if let Some(mass) = self.body.figure("mass_kg") {
            let source = match self.text("mass_source") {
                "from-diameter" => "estimated from the radius (NASA Exoplanet Archive)",
                _ => "NASA Exoplanet Archive",
            };
            self.step("mass", &format!("{} kg", figure(mass)), source)?;
        }
        self.step("price", "none", "exoplanets are not priced")
    }

    fn comet(&mut self) -> anyhow::Result<()> {
        self.step(
            "type",
            "comet",
            "by its orbit class, prefix or name, as no spectral type is known",
        )?;
        self.delta_v()?;
        self.round_trip()?;
        self.step("value", "", "the model gives every comet the same:")?;
        self.results(&asterank::COMET, "a comet's")
    }

    fn asteroid(&mut self) -> anyhow::Result<()> {
        self.spectral_type()?;
        self.diameter()?;
        let mass = self.mass()?;
        self.delta_v()?;
        self.round_trip()?;
        let orbit = self.orbit()?;
        let spec = self.text("spec").to_owned();
        let composition = self.composition(&spec)?;
        let dv = self.body.figure("dv_kms");
        let valuation = asterank::value(mass, composition, &orbit, dv);
        self.formulas(mass, composition, &orbit, &valuation)?;
        self.results(&valuation, "the")
    }

    fn spectral_type(&mut self) -> anyhow::Result<()> {
        let spec = harmless(self.text("spec"));
        let source = match self.text("spec_source") {
            "spec_B" => "the catalogue's SMASSII type (spec_B)",
            "spec_T" => "translated from the catalogue's Tholen type (spec_T)",
            "known-body" => "the model's short list of known bodies",
            _ => "no spectral type is known",
        };
        let valued_as = match Composition::known(&spec) {
            Some(_) => "",
            None => "; the model does not know this type and values it as ?",
        };
        self.step("type", &spec, &format!("{source}{valued_as}"))
    }

    fn diameter(&mut self) -> anyhow::Result<()> {
        let Some(diameter) = self.body.figure("diameter_km") else {
            return self.step(
                "diameter",
                "unknown",
                "neither a diameter nor a magnitude is known",
            );
        };
        let source = match (self.text("diameter_source"), self.body.figure("h")) {
            ("from-h", Some(h)) => {
                let (albedo, of) = match self.body.figure("albedo") {
                    Some(albedo) => (albedo, "the catalogue's"),
                    None => (asterank::DEFAULT_ALBEDO, "the model's default"),
                };
                format!(
                    "1329/√p · 10^(−0.2 H), H = {h} mag (catalogue), albedo p = {albedo} ({of})"
                )
            }
            _ => "measured (catalogue)".to_owned(),
        };
        self.step("diameter", &format!("{} km", figure(diameter)), &source)
    }

    fn mass(&mut self) -> anyhow::Result<f64> {
        let mass = self.body.figure("mass_kg").unwrap_or_default();
        let shown = format!("{} kg", figure(mass));
        let spec = self.text("spec").to_owned();
        let source = match self.text("mass_source") {
            source @ ("gm" | "published") => {
                let gm = self.body.figure("gm").unwrap_or_default();
                let physical = gm / asterank::GRAVITATIONAL_CONSTANT;
                let from = if source == "gm" {
                    "catalogue"
                } else {
                    "published mass"
                };
                let share = match physical > asterank::LARGE_MASS_KG {
                    true => format!(
                        ", of which the model values a millionth, being above {:e} kg",
                        asterank::LARGE_MASS_KG
                    ),
                    false => String::new(),
                };
                format!(
                    "GM/G = {} km³/s² ({from}) / {:e} km³/(kg·s²) = {} kg{share}",
                    figure(gm),
                    asterank::GRAVITATIONAL_CONSTANT,
                    figure(physical)
                )
            }
            "from-diameter" => {
                let valued_as = if Composition::known(&spec).is_some() {
                    spec.as_str()
                } else {
                    "?"
                };
                format!(
                    "4/3 π (d/2)³ · ρ/6 · 1e15, ρ = {} g/cm³ for type {valued_as} (the model's factor, about \
                     167 times too heavy)",
                    asterank::density(valued_as)
                )
            }
            _ => "the model's default, as neither GM nor diameter is known".to_owned(),
        };
        self.step("mass", &shown, &source)?;
        Ok(mass)
    }

    fn delta_v(&mut self) -> anyhow::Result<()> {
        let Some(dv) = self.body.figure("dv_kms") else {
            let default = asterank::DEFAULT_DELTA_V_KMS;
            return self.step(
                "delta-v",
                "unknown",
                &format!("no elliptic orbit is known; the model takes {default} km/s"),
            );
        };
        let shown = format!("{} km/s", figure(dv));
        if self.text("dv_source") == "benner" {
            return self.step("delta-v", &shown, "Benner's published table");
        }
        let orbit = self.known_orbit().completed();
        let evaluation = match (orbit.a, orbit.e, self.body.figure("i")) {
            (Some(a), Some(e), Some(i)) => evaluate(a, e, i).map(|evaluation| (evaluation, i)),
            _ => None,
        };
        match evaluation {
            Some((evaluation, i)) => self.step("delta-v", &shown, &delta_v_steps(&evaluation, i)),
            None => self.step("delta-v", &shown, "computed"),
        }
    }

    /// What NHATS lists beside the delta-v, where it does.
    fn round_trip(&mut self) -> anyhow::Result<()> {
        let figures = ["nhats_dv_kms", "nhats_days"].map(|name| self.body.figure(name));
        let [Some(dv), Some(days)] = figures else {
            return Ok(());
        };
        self.step(
            "round trip",
            &format!("{} km/s", figure(dv)),
            &format!("JPL's NHATS: the least total delta-v there and back, in {days} days; not in the value"),
        )
    }

    fn known_orbit(&self) -> Orbit {
        let figure = |name| self.body.figure(name);
        Orbit {
            a: figure("a"),
            e: figure("e"),
            q: figure("q"),
            ad: figure("ad"),
        }
    }

    /// The orbit's lengths, each from the catalogue or from the others.
    fn orbit(&mut self) -> anyhow::Result<Orbit> {
        let known = self.known_orbit();
        let completed = known.completed();
        for (name, what, known, completed, formula) in [
            ("a", "semi-major axis a", known.a, completed.a, "q/(1−e)"),
            ("q", "perihelion q", known.q, completed.q, "a(1−e)"),
            ("ad", "aphelion ad", known.ad, completed.ad, "a(1+e)"),
        ] {
            let (shown, source) = match (known, completed) {
                (Some(length), _) => (format!("{} au", figure(length)), "catalogue".to_owned()),
                (None, Some(length)) => (
                    format!("{} au", figure(length)),
                    format!("{formula}, as the catalogue lacks {name}"),
                ),
                (None, None) => ("unknown".to_owned(), "not in the catalogue".to_owned()),
            };
            self.step(what, &shown, &source)?;
        }
        Ok(completed)
    }

    fn composition(&mut self, spec: &str) -> anyhow::Result<&'static Composition> {
        let composition = Composition::of(spec);
        if composition.shares.is_empty() {
            self.step(
                "materials",
                "none",
                "the model gives this type no materials of worth",
            )?;
        }
        for &(material, per_cent) in composition.shares {
            let material = MATERIALS[material];
            self.step(
                material.name,
                &format!("{per_cent:?} %"),
                &format!("at {:?} $/kg", material.dollars_per_kg),
            )?;
        }
        Ok(composition)
    }

    fn formulas(
        &mut self,
        mass: f64,
        composition: &Composition,
        orbit: &Orbit,
        valuation: &Valuation,
    ) -> anyhow::Result<()> {
        let dv = self
            .body
            .figure("dv_kms")
            .unwrap_or(asterank::DEFAULT_DELTA_V_KMS);
        self.step(
            "price",
            &format!("{} $", figure(valuation.price)),
            &format!(
                "mass · Σ share · $/kg = {} · {}",
                figure(mass),
                figure(composition.dollars_per_kg)
            ),
        )?;
        if valuation.price < 1.0 && !composition.shares.is_empty() {
            self.step(
                "",
                "",
                "(worth nothing: what the model finds in this type has next to no price)",
            )?;
        }
        self.step(
            "saved",
            &format!("{} $", figure(valuation.saved)),
            &format!(
                "mass · (Σ 2200 · share − 2200/3) · 1e-5, Σ = {} $/kg",
                figure(composition.saved_per_kg)
            ),
        )?;
        let closeness = match orbit.ad {
            Some(ad) if ad > 50.0 => "−1, as the aphelion is beyond 50 au".to_owned(),
            _ if valuation.closeness == -1.0 => "−1, as the orbit is not fully known".to_owned(),
            _ => format!(
                "(f(0.9, ad) + f(0.45, a) + f(0.9, q) + 50·(1 + f(1, 1.3·dv − 6)) + 1)², \
                 f(k, x) = 1/(1+e^(kx)), dv = {} km/s",
                figure(dv)
            ),
        };
        self.step("closeness", &figure(valuation.closeness), &closeness)?;
        self.step(
            "profit",
            &format!("{} $", figure(valuation.profit)),
            &format!(
                "price/12 · closeness/{} · 12/dv",
                figure(asterank::REFERENCE_CLOSENESS)
            ),
        )?;
        let bonus = match valuation.price.min(1e10) / 5e11 > 1e-4 {
            true => " + closeness/20, as that is above 1e-4",
            false => ", and no closeness/20, as that is not above 1e-4",
        };
        self.step(
            "score",
            &figure(valuation.score),
            &format!("min(price, 1e10)/5e11{bonus}"),
        )
    }

    /// Compares what was computed just now with what is stored.
    fn results(&mut self, valuation: &Valuation, whose: &str) -> anyhow::Result<()> {
        let Valuation {
            price,
            saved,
            closeness,
            profit,
            score,
        } = *valuation;
        for (name, computed) in [
            ("price", price),
            ("saved", saved),
            ("closeness", closeness),
            ("profit", profit),
            ("score", score),
        ] {
            if self.text("spec") == "comet" {
                self.step(name, &format!("{computed:?}"), &format!("{whose} {name}"))?;
            }
            let stored = self.body.figure(name).unwrap_or(f64::NAN);
            if stored != computed {
                output::warn(&format!(
                    "the database has a {name} of {stored}, not {computed}: another version made it"
                ));
            }
        }
        Ok(())
    }

    fn text(&self, name: &str) -> &str {
        self.body.text(name).unwrap_or_default()
    }

    fn step(&mut self, what: &str, result: &str, source: &str) -> anyhow::Result<()> {
        writeln!(self.out, "  {what:<18} {result:>14}   {source}")?;
        Ok(())
    }
}

/// The steps of Benner's equations.
fn delta_v_steps(evaluation: &Evaluation, i: f64) -> String {
    format!(
        "computed by Benner's equations for an {:?} of Q = {} au, q = {} au, i = {}°: U_L = {:.4}, U_R = \
         |U_c − U_r| = |{:.4} − {:.4}|, 30·(U_L + U_R) + 0.5",
        evaluation.class,
        figure(evaluation.aphelion_au),
        figure(evaluation.perihelion_au),
        figure(i),
        evaluation.launch,
        evaluation.u_c,
        evaluation.u_r,
    )
}
