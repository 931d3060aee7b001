//! The lookup files that every tool is given, as maps.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use crate::model::Composition;

pub struct Lookups {
    pub delta_v: HashMap<String, f64>,
    pub masses: HashMap<String, f64>,
    pub known: HashMap<String, String>,
    pub tholen: HashMap<String, String>,
    pub compositions: HashMap<String, Composition>,
}

impl Lookups {
    pub fn read(folder: &Path) -> Result<Self> {
        let compositions: HashMap<String, _> = read(&folder.join("compositions.csv"))?;
        Ok(Lookups {
            delta_v: read(&folder.join("delta-v.csv"))?,
            masses: read(&folder.join("masses.csv"))?,
            known: read(&folder.join("known.csv"))?,
            tholen: read(&folder.join("tholen.csv"))?,
            compositions: compositions
                .into_iter()
                .map(|(name, (price_per_kg, saved_per_kg, density))| {
                    let composition = Composition {
                        price_per_kg,
                        saved_per_kg,
                        density,
                    };
                    (name, composition)
                })
                .collect(),
        })
    }
}

fn read<K, V>(file: &Path) -> Result<HashMap<K, V>>
where
    K: DeserializeOwned + Eq + Hash,
    V: DeserializeOwned,
{
    let mut reader = csv::Reader::from_path(file)?;
    let rows = reader.deserialize().collect::<Result<HashMap<K, V>, _>>();
    rows.with_context(|| format!("cannot read {}", file.display()))
}
