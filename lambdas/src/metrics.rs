//! Counts of an invocation, as one line of CloudWatch's embedded metric format on standard output.
//!
//! CloudWatch makes metrics of the line without being called (Amazon CloudWatch User Guide, "Specification:
//! Embedded metric format"). Their one dimension is the function's name: each further one would be billed as
//! further metrics.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

/// Where the metrics are.
const NAMESPACE: &str = "Prospector";

/// The counts of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    by_name: Mutex<BTreeMap<&'static str, (&'static str, f64)>>,
}

impl Metrics {
    /// Adds to a metric, in the `unit` that CloudWatch calls it by.
    pub(crate) fn add(&self, name: &'static str, unit: &'static str, value: f64) {
        // Whoever panicked has left a whole map.
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        by_name.entry(name).or_insert((unit, 0.0)).1 += value;
    }

    /// The line, with `properties` that can be searched for.
    pub(crate) fn line(
        &self,
        function: &str,
        timestamp_ms: i64,
        properties: Map<String, Value>,
    ) -> String {
        let by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<Value> = by_name
            .iter()
            .map(|(name, (unit, _))| json!({"Name": name, "Unit": unit}))
            .collect();
        let mut line = properties;
        line.insert("Function".to_owned(), function.into());
        for (name, (_, value)) in &*by_name {
            line.insert((*name).to_owned(), (*value).into());
        }
        let directive = json!({
            "Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": names,
        });
        line.insert(
            "_aws".to_owned(),
            json!({"Timestamp": timestamp_ms, "CloudWatchMetrics": [directive]}),
        );
        Value::Object(line).to_string()
    }
}

/// Prints a line. Where standard output is gone, nobody counts.
pub(crate) fn print(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_one_line_that_names_each_metric() {
        let metrics = Metrics::default();
        metrics.add("RowsRead", "Count", 3.0);
        metrics.add("RowsRead", "Count", 4.0);
        metrics.add("Seconds", "Seconds", 0.5);
        let mut properties = Map::new();
        properties.insert("run".to_owned(), "weekly-1".into());
        let line = metrics.line("parse", 1_764_000_000_000, properties);
        assert!(!line.contains('\n'));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["RowsRead"], 7.0);
        assert_eq!(line["run"], "weekly-1");
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Prospector");
        for dimension in directive["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string());
        }
        let names: Vec<_> = directive["Metrics"].as_array().unwrap().iter().collect();
        assert_eq!(names.len(), 2);
        assert!(
            names
                .iter()
                .all(|name| line[name["Name"].as_str().unwrap()].is_number())
        );
    }
}
